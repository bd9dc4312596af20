// SPDX-License-Identifier: BSD-2-Clause
//
// What a clear will fail at for lack of permission, reported before anything is cleared. It checks some of the
// folders in which each family's pages lie.

import SystemPackage

extension Clearer {
  /// How many subfolders of a folder are checked. In a cache of another account all of them are alike, and a
  /// start must not take longer in a larger cache.
  private static let sample = 4

  /// Folders in which this process could not delete pages, and why. The list is not complete, but it has some
  /// folders of each affected family.
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
          // A missing folder is reported elsewhere, and so is a mount.
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

  /// The name of a component without a field, or else the first few folders that the component matches.
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
