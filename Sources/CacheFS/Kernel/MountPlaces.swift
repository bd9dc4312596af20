// SPDX-License-Identifier: BSD-2-Clause
//
// Where another file system belongs to the cache: at the folders that the families' patterns begin with. A site
// may mount each family separately, so mounts there are entered without an option. A mount anywhere else is
// refused.

import Synchronization
import SystemPackage

/// Which mounts inside the cache directory are entered.
package struct MountPlaces: Sendable {
  /// What happens at all other places.
  let elsewhere: Mounts
  /// The folder above the families' folders; nil when no mount is expected anywhere.
  let root: FixedFolder?
  /// Whether to refuse a folder that had a mount and has none now. Pages cleared in the empty folder below
  /// would come back with the mount.
  let remembers: Bool

  /// No mount is entered.
  package static let none = MountPlaces(elsewhere: .refused, root: nil, remembers: false)

  init(elsewhere: Mounts, root: FixedFolder?, remembers: Bool) {
    self.elsewhere = elsewhere
    self.root = root
    self.remembers = remembers
  }
}

/// A folder whose path holds no field of the layout, and the folders of the same kind in it.
final class FixedFolder: Sendable {
  let name: [UInt8]
  let folders: [FixedFolder]
  /// Whether a mount was seen here, by this process or by an earlier one.
  let wasMounted = Atomic<Bool>(false)

  /// - Parameter paths: the paths of everything in it, relative to it.
  init(name: [UInt8], below paths: [ArraySlice<[UInt8]>]) {
    self.name = name
    var names: [[UInt8]] = []
    for case let first? in paths.map(\.first) where !names.contains(first) { names.append(first) }
    folders = names.map { name in
      FixedFolder(
        name: name, below: paths.filter { $0.first == name }.map { $0.dropFirst() })
    }
  }

  /// The fixed folder of that name in it; nil for all other folders.
  @inline(__always)
  func folder(_ name: CName) -> FixedFolder? {
    folders.isEmpty ? nil : folders.first { $0.hasName(name) }
  }

  private func hasName(_ other: CName) -> Bool {
    for (place, byte) in name.enumerated() where UInt8(bitPattern: other[place]) != byte {
      return false
    }
    return other[name.count] == 0
  }
}

extension Errno {
  /// The error for a folder that had a mount and has none now.
  package static var mountAway: Errno { .operationNotSupportedByDevice }
}
