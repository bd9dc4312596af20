// Where another file system belongs to the cache: at the folders that the patterns of families begin
// with. A site may mount each family, so these are entered unasked; a mount anywhere else is refused.

import Synchronization
import SystemPackage

/// Which mounts inside the cache directory are entered.
public struct MountPlaces: Sendable {
  /// What is done at all other places.
  let elsewhere: Mounts
  /// The folder above those of the families; nil when no mount is expected anywhere.
  let root: FixedFolder?
  /// Whether a folder that something was mounted on is refused when nothing is: what is cleared in the empty
  /// folder below comes back with the mount.
  let remembers: Bool

  /// None at all.
  public static let none = MountPlaces(elsewhere: .refused, root: nil, remembers: false)

  private init(elsewhere: Mounts, root: FixedFolder?, remembers: Bool) {
    self.elsewhere = elsewhere
    self.root = root
    self.remembers = remembers
  }

  /// The folders that each pattern of a layout begins with: of `a/b/{x}` these are `a` and `a/b`.
  public init(of layout: Layout, elsewhere: Mounts = .refused, remembers: Bool = false) {
    self.init(
      elsewhere: elsewhere,
      root: FixedFolder(name: [], below: layout.families.map { $0.fixedFolders[...] }),
      remembers: remembers)
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
  public static var mountAway: Errno { .operationNotSupportedByDevice }
}

extension Clearer {
  /// The folders where a mount belongs to the cache and was seen, now or before.
  public var mounts: [CachePath] {
    fixedFolders.filter { $0.folder.wasMounted.load(ordering: .relaxed) }.map(\.path)
  }

  /// Takes it for granted that something was mounted on these folders.
  public func remember(mounts: [CachePath]) {
    for (path, folder) in fixedFolders where mounts.contains(path) {
      folder.wasMounted.store(true, ordering: .relaxed)
    }
  }

  /// Looks at each folder where a mount belongs to the cache.
  /// - Returns: those on which something was mounted, and nothing is.
  public func awayMounts() -> [CachePath] {
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

extension Family {
  /// The folders above its first field.
  var fixedFolders: [[UInt8]] {
    pattern.components.dropLast().prefix { $0.literal != nil }.compactMap(\.literal)
  }
}
