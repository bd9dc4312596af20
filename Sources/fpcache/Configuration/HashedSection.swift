// SPDX-License-Identifier: BSD-2-Clause
//
// A family of [layout] that is nginx's own cache: `pages = proxy/{key:nginx...}`, with `pages.levels` as in
// proxy_cache_path, and `pages.vary`.

import Basics
import CacheFS

/// Reads such a family.
enum HashedSection {
  /// - Parameter parts: the folder, and the hashed field.
  /// - Throws: ``UserError`` with status 78.
  static func family(
    _ entry: LayoutSection.Entry, _ value: INIValue, _ parts: (folder: String, key: String)
  ) throws(UserError) -> Family {
    if let (suffix, other) = entry.others.first(where: { !["levels", "vary"].contains($0.suffix) })
    {
      throw other.problem(
        "\(entry.name).\(suffix)",
        "cannot be set for a cache of nginx; expected .levels and .vary only")
    }
    if HashedTree.toldByHead.contains(parts.key) {
      throw value.problem(
        entry.name, "{\(parts.key)} is a reserved name; choose another, such as key")
    }
    guard let levels = entry.levels else {
      throw value.problem(
        entry.name,
        "is a cache of nginx without levels; write a key \(entry.name).levels = 1:2, "
          + "as in proxy_cache_path, or = none")
    }
    let digits = try self.levels(levels, "\(entry.name).levels")
    let hasVariants = try entry.vary?.boolean("\(entry.name).vary") ?? true
    return try LayoutSection.compile(value, entry.name) { () throws(PatternProblem) in
      try Family(
        entry.name, below: parts.folder,
        try HashedTree(key: parts.key, levels: digits, hasVariants: hasVariants),
        isConfigured: true)
    }
  }

  private static func levels(_ value: INIValue, _ key: String) throws(UserError) -> [Int] {
    if value.text == "none" { return [] }
    let parts = value.text.split(separator: ":", omittingEmptySubsequences: false)
    let levels = parts.compactMap { $0.utf8.count == 1 ? Int($0) : nil }
    guard levels.count == parts.count, HashedTree.accepts(levels: levels) else {
      throw value.problem(
        key,
        "is not a valid value of levels; expected 1 or 2, up to three times with : between, or none"
      )
    }
    return levels
  }
}
