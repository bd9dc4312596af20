// What a configuration file says of the audit: a query and a least size for each family.

import CacheFS

/// The section [verify].
struct VerifySettings: Equatable, Sendable {
  /// The site's own SQL for one family.
  struct Query: Equatable, Sendable {
    let family: String
    let sql: String
    /// `FILE:LINE`, where it stands.
    let place: String
    /// As the file spells it.
    var key: String { VerifySettings.queryKey(family) }
  }

  /// Families whose pages are whole: neither the search log nor what is being written.
  static func families(of layout: Layout) -> [String] {
    layout.families.enumerated()
      .filter { $0.element.clearing != .never && $0.offset != layout.spool }
      .map(\.element.name)
  }

  static let timeoutKey = "TIMEOUT"
  /// An aggregate over a million commits takes seconds; what takes longer than this is stuck.
  static let defaultTimeout = Duration.seconds(120)
  private static let longestTimeout = 86_400.0
  /// More than any page has.
  private static let largestStub: Int64 = 1 << 30

  static func queryKey(_ family: String) -> String { family.uppercased() }
  static func leastSizeKey(_ family: String) -> String { family.uppercased() + "_STUB" }

  private(set) var queries: [Query] = []
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
          Query(family: family, sql: value.text, place: "\(value.file):\(value.line)"))
      }
      let key = Self.leastSizeKey(family)
      guard let value = try Self.value(key, ini) else { continue }
      guard let size = Int64(value.text), (0...Self.largestStub).contains(size) else {
        throw value.problem(
          key, "is no number in this range; expected bytes from 0 to \(Self.largestStub)")
      }
      leastSizes[family] = size
    }
    if let value = try Self.value(Self.timeoutKey, ini) {
      guard let seconds = ListenSettings.seconds(value.text, 1...Self.longestTimeout) else {
        throw value.problem(
          Self.timeoutKey,
          "is no number in this range; expected seconds from 1 to \(plain(Self.longestTimeout))")
      }
      timeout = seconds
    }
  }

  private static func value(_ key: String, _ ini: INI) throws(UserError) -> INIValue? {
    try ini.checkedValue(key, in: "verify")
  }
}
