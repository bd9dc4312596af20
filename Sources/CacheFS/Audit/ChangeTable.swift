// SPDX-License-Identifier: BSD-2-Clause
//
// When what the pages of a family show was last changed, as the site's database tells it: what a
// page found is compared with to be called stale, or an orphan.

/// The keys of one family that the database has, each with the time of its last change.
///
/// It keeps a fingerprint of 64 bits for each key and not the key: some 35 bytes a key, so that
/// a million commits take 35 MB. Two of a million keys share one with a probability of 1 in
/// 37 million, and would have to be of a page that is there to be mistaken.
package struct ChangeTable: Sendable {
  /// Why a table cannot be made.
  package enum Problem: Error, Equatable, Sendable {
    case unknownFamily(String)
    case unknownField(String, family: String)
  }

  /// What the table says of a page.
  enum Verdict: Equatable, Sendable {
    /// Some of the fields by which it would be looked up are not in its path.
    case unjudged
    case absent
    /// In nanoseconds since the epoch; nil when that is not known.
    case changed(Int64?)
  }

  let family: Int
  let fields: [Field]
  /// Whether a page that is not in the table shows what is no more: what its fields name are
  /// ports, categories or commits. A day without commits has a page by right.
  package let judgesOrphans: Bool
  private var changes: [UInt64: Int64] = [:]
  /// Rows whose value no page can be named after, and one such value.
  package private(set) var refused: (rows: Int, example: (field: String, value: [UInt8])?) = (
    0, nil
  )

  private static let unknownTime = Int64.min

  /// - Parameter fields: the fields of the family by which its pages are looked up; none at all
  ///   where one row speaks for the whole family.
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

  /// How many keys there are.
  package var count: Int { changes.count }

  /// Adds a row: the value of each field, and when it was changed, in nanoseconds since the epoch.
  /// Of rows with the same values the last change counts; one with a NULL says nothing.
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

  /// A value's share in its key's fingerprint; the shares are added up in any order.
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

  /// What the table says of every page of the family in a folder, where the folders' names bind
  /// all fields; nil where each page's own name has to be asked.
  func verdict(inFolderOf row: PlacedRow) -> Verdict? {
    var sum: UInt64 = 0
    for (index, field) in fields.enumerated() {
      guard let binding = row.bound.first(where: { $0.field == field.name }) else { return nil }
      binding.value.withUnsafeBytes { sum &+= Self.fingerprint(of: $0, at: index) }
    }
    return verdict(sum)
  }

  /// What the table says of one page.
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
  /// Whether its values are names that the database has and may lose.
  fileprivate var namesSomethingThatMayGo: Bool {
    switch self {
    case .category, .port, .messageID: true
    default: false
    }
  }
}
