// SPDX-License-Identifier: BSD-2-Clause
//
// What a configuration file says of the audit: a query and a least size for each family.

import CacheFS
import Listening

/// The section [verify].
struct VerifySettings: Equatable, Sendable {
  /// Families whose pages are whole: neither the search log nor what is being written.
  static func families(of layout: Layout) -> [String] {
    layout.families.enumerated()
      .filter { $0.element.clearing != .never && $0.offset != layout.spool }
      .map(\.element.name)
  }

  /// An aggregate over a million commits takes seconds; what takes longer than this is stuck.
  static let defaultTimeout = Duration.seconds(120)
  /// More than any page has.
  private static let largestStub: Int64 = 1 << 30

  static func queryKey(_ family: String) -> String { family.uppercased() }
  static func leastSizeKey(_ family: String) -> String { family.uppercased() + "_STUB" }

  private(set) var queries: [FamilyQuery] = []
  /// The size in bytes below which a page of a family is a stub.
  private(set) var leastSizes: [String: Int64] = [:]
  /// How long each query may take.
  private(set) var timeout = defaultTimeout

  init() {}

  /// - Throws: ``UserError`` with status 78.
  init(_ ini: INI, _ families: [String]) throws(UserError) {
    for family in families {
      if let value = try Self.value(Self.queryKey(family), ini), !value.text.isEmpty {
        queries.append(
          FamilyQuery(family: family, sql: value.text, place: "\(value.file):\(value.line)"))
      }
      let key = Self.leastSizeKey(family)
      guard let value = try Self.value(key, ini) else { continue }
      guard let size = Int64(value.text), (0...Self.largestStub).contains(size) else {
        throw value.problem(
          key, "is no number in this range; expected bytes from 0 to \(Self.largestStub)")
      }
      leastSizes[family] = size
    }
    timeout = try Setting.queryTimeout.seconds(in: ini) ?? timeout
  }

  private static func value(_ key: String, _ ini: INI) throws(UserError) -> INIValue? {
    try ini.checkedValue(key, in: "verify")
  }
}

extension FamilyQuery {
  /// As the file spells it.
  var key: String { VerifySettings.queryKey(family) }
}
