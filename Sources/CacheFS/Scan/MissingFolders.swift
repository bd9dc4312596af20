// SPDX-License-Identifier: BSD-2-Clause
//
// Folders that the layout names but the tree does not have, and what may have been meant instead. One cache had
// its news in `news` while its configuration said `new`; it was not cleared for years.

import Basics
import SystemPackage

extension Layout {
  /// The folders, above each family's first field, that do not exist below `root`.
  package func missingFolders(in root: Directory) -> [CachePath] {
    var missing: [CachePath] = []
    for family in families where family.clearing != .never {
      let names = family.fixedFolders
      let path = CachePath(Array(names.joined(separator: [UInt8(ascii: "/")])))
      var chain = OpenChain()
      do throws(OpenChain.Failure) {
        _ = try chain.open(names, from: root)
      } catch {
        if error.error == .noSuchFileOrDirectory || error.isPlainFile, !missing.contains(path) {
          missing.append(path)
        }
      }
    }
    return missing
  }

  /// The folder next to the first missing folder of `path` whose name is nearest to it and that does not
  /// belong to a family; nil when no name is that near.
  func folder(near path: CachePath, in root: Directory) -> CachePath? {
    let names = path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    var chain = OpenChain()
    for depth in names.indices {
      guard let folder = try? chain.open(Array(names[...depth].dropLast()), from: root) else {
        return nil
      }
      let beside = folder.folderNames()
      if beside.contains(names[depth]) { continue }
      let above = Array(names[..<depth])
      let free = beside.filter { name in
        !families.contains { $0.fixedFolders.starts(with: above + [name]) }
      }
      return nearest(to: names[depth], among: free).map {
        CachePath(Array((above + [$0]).joined(separator: [UInt8(ascii: "/")])))
      }
    }
    return nil
  }
}

extension Directory {
  /// The names of its folders; empty when it cannot be listed.
  fileprivate func folderNames() -> [[UInt8]] {
    let buffers = ListingBuffers()
    let buffer = buffers.take()
    defer { buffers.give(buffer) }
    var names: [[UInt8]] = []
    _ = try? list(buffer) { name, length, type in
      let type = type == .unknown ? self.type(of: name) : type
      guard type == .directory else { return }
      let bytes = UnsafeRawBufferPointer(start: name, count: length)
      names.append(Array(bytes))
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }
}
