// SPDX-License-Identifier: BSD-2-Clause
//
// Whether a folder looks like a cache directory: it holds a folder that the layout names, or it is empty.

import SystemPackage

/// What the top of a folder has of a layout.
package enum CacheRecognition: Equatable, Sendable {
  /// Something that a row of the layout begins with.
  case some
  /// Nothing but hidden names and `lost+found`: a new cache directory.
  case empty
  /// Only other things.
  case foreign
}

extension Layout {
  /// The first folder, or the file, of each row, in order.
  package var topNames: [String] {
    var names: [String] = []
    for case .literal(let name)? in families.map({ $0.pattern.components.first?.tokens.first }) {
      let name = String(decoding: name, as: UTF8.self)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  /// What `root` has of this layout.
  /// - Throws: the `Errno` of getdents64(2).
  package func presence(in root: Directory) throws(Errno) -> CacheRecognition {
    for family in families {
      // A row whose first component has a field matches more than one name.
      guard let name = family.pattern.components.first?.literal else { return .some }
      if root.has(name) { return .some }
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Directory.listingBufferSize, alignment: 8)
    defer { buffer.deallocate() }
    var presence = CacheRecognition.empty
    try root.list(buffer) { name, length, _ in
      let name = UnsafeRawBufferPointer(start: name, count: length)
      // fsck(8) creates lost+found in every new file system.
      if name.first != UInt8(ascii: "."), !name.elementsEqual("lost+found".utf8) {
        presence = .foreign
      }
    }
    return presence
  }
}

extension Directory {
  /// Whether an entry has this name.
  fileprivate func has(_ name: [UInt8]) -> Bool {
    do throws(Errno) {
      _ = try Self.withCName(name) { (name) throws(Errno) in try status(name) }
      return true
    } catch {
      return error != .noSuchFileOrDirectory
    }
  }
}
