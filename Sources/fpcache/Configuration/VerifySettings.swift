// SPDX-License-Identifier: BSD-2-Clause
//
// A configuration file's settings for the audit: a query and a least size for each family.

import CacheFS
import Listening

/// The section [verify].
struct VerifySettings: Equatable, Sendable {
  /// Families whose pages are complete: not the search log, and not pages that are still being written.
  static func families(of layout: Layout) -> [String] {
    layout.families.enumerated()
      .filter { $0.element.clearing != .never && $0.offset != layout.spool }
      .map(\.element.name)
  }

  /// Larger than any page.
  private static let largestStub: Int64 = 1 << 30

  static func queryKey(_ family: String) -> String { family.uppercased() }
  static func sinceKey(_ family: String) -> String { family.uppercased() + "_SINCE" }
  static func leastSizeKey(_ family: String) -> String { family.uppercased() + "_STUB" }

  private(set) var queries: [FamilyQuery] = []
  /// The same for changes since some time: the family's own query for that, or its query for all.
  private(set) var rechecks: [FamilyQuery] = []
  /// The size in bytes below which a page of a family is a stub.
  private(set) var leastSizes: [String: Int64] = [:]
  /// How long each query may take.
  private(set) var timeout = FamilyQuery.defaultTimeout

  init() {}

  /// - Throws: ``UserError`` with status 78.
  init(_ ini: INI, _ families: [String]) throws(UserError) {
    for family in families {
      let query = try Self.query(Self.queryKey(family), ini)
      if let query {
        queries.append(FamilyQuery(family: family, sql: query.text, place: query.place))
      }
      if let since = try Self.query(Self.sinceKey(family), ini) ?? query {
        rechecks.append(FamilyQuery(family: family, sql: since.text, place: since.place))
      }
      let key = Self.leastSizeKey(family)
      guard let value = try Self.value(key, ini) else { continue }
      guard let size = Int64(value.text), (0...Self.largestStub).contains(size) else {
        throw value.problem(
          key, "is not a number in this range; expected bytes from 0 to \(Self.largestStub)")
      }
      leastSizes[family] = size
    }
    timeout = try Setting.queryTimeout.seconds(in: ini) ?? timeout
  }

  private static func query(
    _ key: String, _ ini: INI
  ) throws(UserError) -> (text: String, place: String)? {
    guard let value = try value(key, ini), !value.text.isEmpty else { return nil }
    return (value.text, "\(value.file):\(value.line)")
  }

  private static func value(_ key: String, _ ini: INI) throws(UserError) -> INIValue? {
    try ini.checkedValue(key, in: "verify")
  }
}

extension FamilyQuery {
  /// As the file spells it.
  var key: String { VerifySettings.queryKey(family) }
}
