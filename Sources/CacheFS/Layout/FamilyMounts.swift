// SPDX-License-Identifier: BSD-2-Clause
//
// The folders of families, as places where a mount belongs to the cache.

extension MountPlaces {
  /// The folders that each pattern of a layout begins with. For `a/b/{x}` these are `a` and `a/b`.
  package init(of layout: Layout, elsewhere: Mounts = .refused, remembers: Bool = false) {
    self.init(
      elsewhere: elsewhere,
      root: FixedFolder(name: [], below: layout.families.map { $0.fixedFolders[...] }),
      remembers: remembers)
  }
}

extension Family {
  /// The folders above its first field.
  var fixedFolders: [[UInt8]] {
    pattern.components.dropLast().prefix { $0.literal != nil }.compactMap(\.literal)
  }
}
