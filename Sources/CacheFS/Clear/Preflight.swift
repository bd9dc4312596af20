// SPDX-License-Identifier: BSD-2-Clause
//
// What a clear will fail at for want of permission, told before anything is to be cleared: a look
// at some of the folders that each family's pages lie in.

import SystemPackage

extension Clearer {
  /// How many folders of a folder are looked into: a cache that another account owns has them all
  /// alike, and a start must not take longer the larger the cache is.
  private static let sample = 4

  /// Folders that this process could not delete pages from, and why: not all there may be, but
  /// some of each family that has any.
  package var unclearableFolders: [PathFailure] {
    var matcher = Matcher(layout)
    var failures: [PathFailure] = []
    for (index, family) in layout.families.enumerated() where family.clearing != .never {
      let row = PlacedRow(family: index, component: 0, bound: [], tail: [])
      let top = OpenFolder(directory: root, row: row, path: [])
      for failure in unclearable(in: top, &matcher) where !failures.contains(failure) {
        failures.append(failure)
      }
    }
    return failures
  }

  private func unclearable(in folder: OpenFolder, _ matcher: inout Matcher) -> [PathFailure] {
    let components = layout.rows[folder.row.family].pattern.components
    do throws(Errno) {
      if folder.row.component + 1 == components.count {
        try folder.directory.checkRemoval()
        return []
      }
      var failures: [PathFailure] = []
      for name in try names(in: folder, components[folder.row.component], matcher) {
        guard let row = name.withUnsafeBufferPointer({ matcher.enter($0, folder.row) }) else {
          continue
        }
        let path = folder.path + name
        do throws(Errno) {
          let directory = try folder.directory.openDirectory(name)
          let child = OpenFolder(directory: directory, row: row, path: path + [UInt8(ascii: "/")])
          failures += unclearable(in: child, &matcher)
        } catch {
          // A folder that is not there is another matter, and so is a mount.
          if error != .noSuchFileOrDirectory, error != .mountAway {
            failures.append(PathFailure(path: CachePath(path), error: error))
          }
        }
      }
      return failures
    } catch {
      return [PathFailure(path: CachePath(Array(folder.path.dropLast())), error: error)]
    }
  }

  /// The name of a component that holds no field, or else the first few folders that it matches.
  private func names(
    in folder: OpenFolder, _ component: ComponentPattern, _ matcher: Matcher
  ) throws(Errno) -> [[UInt8]] {
    if let name = component.literal { return [name] }
    var (matcher, names): (Matcher, [[UInt8]]) = (matcher, [])
    let buffer = ListingBuffers()
    let bytes = buffer.take()
    defer { buffer.give(bytes) }
    try folder.directory.list(bytes) { name, length, type in
      guard names.count < Self.sample, type == .directory || type == .unknown else { return }
      let name = UnsafeBufferPointer(
        start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: length)
      if matcher.enter(name, folder.row) != nil { names.append(Array(name)) }
    }
    return names
  }
}
