// SPDX-License-Identifier: BSD-2-Clause
//
// The mounts of a cache that a clearer has seen.

import Basics
import Synchronization

extension Clearer {
  /// The folders where a mount belongs to the cache and was seen, now or earlier.
  package var mounts: [CachePath] {
    fixedFolders.filter { $0.folder.wasMounted.load(ordering: .relaxed) }.map(\.path)
  }

  /// Marks these folders as having been mounted.
  package func remember(mounts: [CachePath]) {
    for (path, folder) in fixedFolders where mounts.contains(path) {
      folder.wasMounted.store(true, ordering: .relaxed)
    }
  }

  /// Checks each folder where a mount belongs to the cache.
  /// - Returns: the folders that had a mount and have none now.
  package func awayMounts() -> [CachePath] {
    fixedFolders.map(\.path).filter { path in
      var chain = OpenChain()
      do throws(OpenChain.Failure) {
        _ = try chain.open(
          path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init), from: root)
        return false
      } catch {
        return error.error == .mountAway
      }
    }
  }

  private var fixedFolders: [(path: CachePath, folder: FixedFolder)] {
    root.mountPlaces.root.map { Self.all(in: $0, []) } ?? []
  }

  private static func all(
    in folder: FixedFolder, _ prefix: [UInt8]
  ) -> [(path: CachePath, folder: FixedFolder)] {
    folder.folders.flatMap { folder in
      let path = prefix + folder.name
      return [(CachePath(path), folder)] + all(in: folder, path + [UInt8(ascii: "/")])
    }
  }
}
