// SPDX-License-Identifier: BSD-2-Clause
//
// Empties a folder that lies deeper than any page should. It uses a loop and few descriptors, however deep the
// folders are nested.

import Basics
import SystemPackage

extension ClearWorker {
  /// A folder on the way down, and its subfolders that must still be emptied.
  private struct Level {
    let name: [UInt8]
    let row: PlacedRow
    /// The path relative to the cache directory, with a trailing slash.
    let path: [UInt8]
    var folders: [(name: [UInt8], row: PlacedRow)]
  }

  /// Clears everything below `top`, the deepest first.
  mutating func emptyDeep(_ index: Int, _ top: OpenFolder) {
    var chain = OpenChain()
    var levels = [
      Level(name: [], row: top.row, path: top.path, folders: emptyOne(index, top))
    ]
    while let (name, row) = next(&levels, index, top, &chain) {
      let path = (levels.last?.path ?? []) + name + [UInt8(ascii: "/")]
      guard
        let directory = open(
          levels.dropFirst().map(\.name) + [name], index, path, top.directory, &chain)
      else { continue }
      let folder = OpenFolder(directory: directory, row: row, path: path)
      levels.append(Level(name: name, row: row, path: path, folders: emptyOne(index, folder)))
    }
  }

  /// The next folder to enter. Folders without remaining subfolders are removed on the way back to it.
  private mutating func next(
    _ levels: inout [Level], _ index: Int, _ top: OpenFolder, _ chain: inout OpenChain
  ) -> (name: [UInt8], row: PlacedRow)? {
    while let last = levels.indices.last {
      if let folder = levels[last].folders.popLast() { return folder }
      let done = levels.removeLast()
      guard !levels.isEmpty,
        let parent = open(
          levels.dropFirst().map(\.name), index, levels[last - 1].path, top.directory, &chain)
      else { continue }
      let child = OpenFolder(directory: parent, row: done.row, path: done.path)
      (done.name + [0]).withUnsafeBytes { bytes in
        guard let name = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
        removeFolder(name, index, child, of: parent)
      }
    }
    return nil
  }

  /// Opens a folder below the top one, or reports why not.
  private mutating func open(
    _ names: [[UInt8]], _ index: Int, _ path: [UInt8], _ top: Directory, _ chain: inout OpenChain
  ) -> Directory? {
    do throws(OpenChain.Failure) {
      return try chain.open(names, from: top)
    } catch {
      if error.error != .noSuchFileOrDirectory {
        fail(index, Array(path.dropLast()), error.error)
      }
      return nil
    }
  }

  /// Removes the files of one folder and returns its subfolders.
  private mutating func emptyOne(
    _ index: Int, _ folder: OpenFolder
  ) -> [(name: [UInt8], row: PlacedRow)] {
    var folders: [[UInt8]: PlacedRow] = [:]
    list(index, folder) { worker, name, length, type in
      if type == .directory {
        let row = worker.row(of: name, length, index, folder)
        if let row { folders[Array(Self.bytes(name, length))] = row }
        return false
      }
      guard worker.isWanted(name, length, index, folder.row) else { return false }
      return worker.remove(name, length, index, folder)
    }
    return folders.map { (name: $0.key, row: $0.value) }
  }
}
