// SPDX-License-Identifier: BSD-2-Clause
//
// When the content of a family's pages was last changed, according to the site's database. A page is compared
// with it, and may be stale or an orphan.

/// The keys of one family in the database, each with the time of its last change.
///
/// It keeps a 64-bit fingerprint of each key instead of the key: some 35 bytes a key, so a million commits take
/// 35 MB. The probability that two of a million keys share a fingerprint is 1 in 37 million. This matters only
/// when an existing page has one of them.
package struct ChangeTable: Sendable {
  /// Why a table cannot be made.
  package enum Problem: Error, Equatable, Sendable {
    case unknownFamily(String)
    case unknownField(String, family: String)
  }

  /// What the table says about a page.
  enum Verdict: Equatable, Sendable {
    /// The page's path lacks some of the fields needed for the lookup.
    case unjudged
    case absent
    /// In nanoseconds since the epoch; nil when unknown.
    case changed(Int64?)
  }

  let family: Int
  let fields: [Field]
  /// Whether a page that is not in the table shows content that no longer exists, because its fields name
  /// ports, categories or commits. A day without commits may have a page.
  package let judgesOrphans: Bool
  private var changes: [UInt64: Int64] = [:]
  /// The number of rows with a value that cannot be part of a page's name, and one such value.
  package private(set) var refused: (rows: Int, example: (field: String, value: [UInt8])?) = (
    0, nil
  )

  private static let unknownTime = Int64.min

  /// - Parameter fields: the fields by which the family's pages are looked up; empty when one row applies to
  ///   the whole family.
  /// - Throws: ``Problem``.
  package init(_ family: String, _ fields: [String], _ layout: Layout) throws(Problem) {
    guard let index = layout.families.firstIndex(where: { $0.name == family }) else {
      throw .unknownFamily(family)
    }
    var found: [Field] = []
    for name in fields {
      guard let field = layout.families[index].field(named: name) else {
        throw .unknownField(name, family: family)
      }
      found.append(field)
    }
    self.family = index
    self.fields = found
    judgesOrphans = found.contains { $0.kind.namesSomethingThatMayGo }
  }

  /// The number of keys.
  package var count: Int { changes.count }

  /// Adds a row: the value of each field, and the time of the change in nanoseconds since the epoch. Of rows
  /// with the same values, the last change counts. A row with a NULL is ignored.
  package mutating func add(_ values: [[UInt8]?], changed: Int64?) {
    var sum: UInt64 = 0
    for (index, field) in fields.enumerated() {
      guard index < values.count, let value = values[index] else { return }
      guard field.kind.accepts(value) else {
        refused = (refused.rows + 1, refused.example ?? (field.name, value))
        return
      }
      value.withUnsafeBytes { sum &+= Self.fingerprint(of: $0, at: index) }
    }
    changes[sum] = max(changes[sum] ?? Self.unknownTime, changed ?? Self.unknownTime)
  }

  /// The part of a key's fingerprint that comes from one value. The parts are added in any order.
  private static func fingerprint(of value: UnsafeRawBufferPointer, at index: Int) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(index)
    hasher.combine(bytes: value)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  private func verdict(_ sum: UInt64) -> Verdict {
    guard let change = changes[sum] else { return .absent }
    return .changed(change == Self.unknownTime ? nil : change)
  }

  // MARK: Looking up

  /// What the table says about all pages of the family in a folder, when the names of the folders bind all
  /// fields; nil when each page's name must be looked up.
  func verdict(inFolderOf row: PlacedRow) -> Verdict? {
    var sum: UInt64 = 0
    for (index, field) in fields.enumerated() {
      guard let binding = row.bound.first(where: { $0.field == field.name }) else { return nil }
      binding.value.withUnsafeBytes { sum &+= Self.fingerprint(of: $0, at: index) }
    }
    return verdict(sum)
  }

  /// What the table says about one page.
  func verdict(of entry: borrowing ScannedEntry, _ matcher: inout Matcher) -> Verdict {
    var sum: UInt64 = 0
    var missing = (1 << fields.count) &- 1
    entry.visitFields(of: family, &matcher) { name, value in
      for index in fields.indices where missing & 1 << index != 0 && fields[index].name == name {
        missing &= ~(1 << index)
        sum &+= Self.fingerprint(of: value, at: index)
      }
    }
    return missing == 0 ? verdict(sum) : .unjudged
  }
}

extension FieldKind {
  /// Whether its values are names in the database that may be removed from it.
  fileprivate var namesSomethingThatMayGo: Bool {
    switch self {
    case .category, .port, .messageID: true
    default: false
    }
  }
}
