// Where another file system belongs to the cache: at the folders that the patterns of families begin
// with. A site may mount each family, so these are entered unasked; a mount anywhere else is refused.

/// Which mounts inside the cache directory are entered.
public struct MountPlaces: Sendable {
  /// What is done at all other places.
  let elsewhere: Mounts
  /// The folder above those of the families; nil when no mount is expected anywhere.
  let root: FixedFolder?

  /// None at all.
  public static let none = MountPlaces(elsewhere: .refused, root: nil)

  private init(elsewhere: Mounts, root: FixedFolder?) {
    self.elsewhere = elsewhere
    self.root = root
  }

  /// The folders that each pattern of a layout begins with: of `a/b/{x}` these are `a` and `a/b`.
  public init(of layout: Layout, elsewhere: Mounts = .refused) {
    self.elsewhere = elsewhere
    root = FixedFolder(name: [], below: layout.families.map { $0.fixedFolders[...] })
  }
}

/// A folder whose path holds no field of the layout, and those of the same kind in it.
final class FixedFolder: Sendable {
  private let name: [UInt8]
  private let folders: [FixedFolder]

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

extension Family {
  /// The folders above its first field.
  var fixedFolders: [[UInt8]] {
    pattern.components.dropLast().prefix { $0.literal != nil }.compactMap(\.literal)
  }
}
