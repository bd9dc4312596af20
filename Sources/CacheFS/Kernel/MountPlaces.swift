// SPDX-License-Identifier: BSD-2-Clause
//
// Where another file system belongs to the cache: at the folders that the patterns of families begin
// with. A site may mount each family, so these are entered unasked; a mount anywhere else is refused.

import Synchronization
import SystemPackage

/// Which mounts inside the cache directory are entered.
package struct MountPlaces: Sendable {
  /// What is done at all other places.
  let elsewhere: Mounts
  /// The folder above those of the families; nil when no mount is expected anywhere.
  let root: FixedFolder?
  /// Whether a folder that something was mounted on is refused when nothing is: what is cleared in the empty
  /// folder below comes back with the mount.
  let remembers: Bool

  /// None at all.
  package static let none = MountPlaces(elsewhere: .refused, root: nil, remembers: false)

  init(elsewhere: Mounts, root: FixedFolder?, remembers: Bool) {
    self.elsewhere = elsewhere
    self.root = root
    self.remembers = remembers
  }
}

/// A folder whose path holds no field of the layout, and those of the same kind in it.
final class FixedFolder: Sendable {
  let name: [UInt8]
  let folders: [FixedFolder]
  /// Whether something has been seen to be mounted here, by this process or by an earlier one.
  let wasMounted = Atomic<Bool>(false)

  /// - Parameter paths: of all that lies in it, relative to it.
  init(name: [UInt8], below paths: [ArraySlice<[UInt8]>]) {
    self.name = name
    var names: [[UInt8]] = []
    for case let first? in paths.map(\.first) where !names.contains(first) { names.append(first) }
    folders = names.map { name in
      FixedFolder(
        name: name, below: paths.filter { $0.first == name }.map { $0.dropFirst() })
    }
  }

  /// The one of that name in it; nil for all other folders.
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
  /// What a folder is refused with that something was mounted on, and nothing is.
  package static var mountAway: Errno { .operationNotSupportedByDevice }
}
