// SPDX-License-Identifier: BSD-2-Clause
//
// Whether a folder looks like a cache directory: it holds a folder that the layout names, or
// nothing at all.

import SystemPackage

/// What of a layout is found at the top of a folder.
package enum CacheRecognition: Equatable, Sendable {
  /// Something that begins a row of the layout.
  case some
  /// Nothing, but for hidden names and `lost+found`: a cache directory on its first day.
  case empty
  /// Other things only.
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

  /// What of this layout stands in `root`.
  /// - Throws: the `Errno` of getdents64(2).
  package func presence(in root: Directory) throws(Errno) -> CacheRecognition {
    for family in families {
      // A row that begins with a field may begin with anything.
      guard let name = family.pattern.components.first?.literal else { return .some }
      if root.has(name) { return .some }
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Directory.listingBufferSize, alignment: 8)
    defer { buffer.deallocate() }
    var presence = CacheRecognition.empty
    try root.list(buffer) { name, length, _ in
      let name = UnsafeRawBufferPointer(start: name, count: length)
      // fsck(8) makes lost+found in every new file system.
      if name.first != UInt8(ascii: "."), !name.elementsEqual("lost+found".utf8) {
        presence = .foreign
      }
    }
    return presence
  }
}

extension Directory {
  /// Whether anything has this name.
  fileprivate func has(_ name: [UInt8]) -> Bool {
    do throws(Errno) {
      _ = try Self.withCName(name) { (name) throws(Errno) in try status(name) }
      return true
    } catch {
      return error != .noSuchFileOrDirectory
    }
  }
}
