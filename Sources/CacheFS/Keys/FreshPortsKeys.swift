// SPDX-License-Identifier: BSD-2-Clause
//
// The keys that FreshPorts clears by, and what the rows of its queues mean (docs/freshports.md, section 3).

extension Layout {
  /// One port's folder: every page in it, of any shape.
  /// - Throws: ``KeyError`` when either name is not a valid FreeBSD name.
  package func port(category: [UInt8], port: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category), ("port", port)])
  }

  /// Every port's folder of one category.
  /// - Throws: ``KeyError``.
  package func ports(of category: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category)])
  }

  /// The pages of a day, in every branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func day(_ date: CalendarDate) throws(KeyError) -> CacheKey {
    try key("daily", [("year", date.yearText), ("month", date.monthText), ("day", date.dayText)])
  }

  /// The pages of a month, for every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func month(year: Int, month: Int) throws(KeyError) -> CacheKey {
    try key(
      "daily",
      [
        ("year", CalendarDate.text(year, digits: 4)),
        ("month", CalendarDate.text(month, digits: 2)),
      ])
  }

  /// The pages of a year, for every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func year(_ year: Int) throws(KeyError) -> CacheKey {
    try key("daily", [("year", CalendarDate.text(year, digits: 4))])
  }

  /// A commit's message id as the name of its folder on the site: in lower case, with each run of other bytes
  /// than a-z and 0-9 replaced by one `-`.
  static func folder(messageID: [UInt8]) -> [UInt8] {
    // Longer than a path: it may have been cut off, so it is not folded and not accepted as a name.
    guard messageID.count <= FieldKind.longestPath else { return messageID }
    var folder: [UInt8] = []
    folder.reserveCapacity(messageID.count)
    for byte in messageID {
      let lower = byte.isLetter ? byte | 0x20 : byte
      if lower.isLowerCase || lower.isDigit {
        folder.append(lower)
      } else if folder.last != UInt8(ascii: "-") {
        folder.append(UInt8(ascii: "-"))
      }
    }
    return folder
  }
}

/// Makes the keys of many ports. Looking up a family for each key would take longer than clearing the key.
package struct PortKeys {
  private let one: KeyRecipe
  private let every: KeyRecipe
  /// Nil for a layout without pages of categories: FreshPorts has them; another site may not.
  private let categories: KeyRecipe?

  /// - Throws: ``KeyError`` when the layout has no ports.
  package init(_ layout: Layout) throws(KeyError) {
    one = try layout.recipe("ports", ["category", "port"])
    every = try layout.recipe("ports", ["category"])
    let family = layout.family(named: "categories")
    let hasCategories = family?.field(named: "category") != nil && family?.clearing != .never
    categories = hasCategories ? try layout.recipe("categories", ["category"]) : nil
  }

  /// A port's folder, or all folders of the ports of a category.
  /// - Parameter port: nil for all of them.
  /// - Throws: ``KeyError`` when a name is not a valid FreeBSD name.
  package func key(category: [UInt8], port: [UInt8]?) throws(KeyError) -> CacheKey {
    guard let port else { return try every.key { _ in category } }
    return try one.key { $0 == 0 ? category : port }
  }

  /// A category's own pages; nil where it has none.
  /// - Throws: ``KeyError``.
  package func category(_ category: [UInt8]) throws(KeyError) -> CacheKey? {
    guard let categories else { return nil }
    return try categories.key { _ in category }
  }
}

extension KeyRule.Part {
  /// What a row of each of the site's queues means (docs/freshports.md, section 3).
  package enum FreshPorts {
    /// A category and a port: the pages of the port and of its category.
    package static let ports: [KeyRule.Part] = [
      .family("ports", [.init("category", .value(0)), .init("port", .value(1))]),
      .family("categories", [.init("category", .value(0))]),
    ]
    /// A day: its pages in every branch.
    package static let dates: [KeyRule.Part] = [
      .family("daily", [.init("year", .year(0)), .init("month", .month(0)), .init("day", .day(0))])
    ]
    /// The report on commits that failed their sanity test.
    package static let sanityReport = "sanity_test_failures"
    /// A message id: the pages of that commit, and the report with its page for each commit.
    package static let commits = commits(andReports: [sanityReport])
    /// The same with reports that have other names on a site.
    package static func commits(andReports reports: [String]) -> [KeyRule.Part] {
      [.family("commits", [.init("id", .messageID(0))])]
        + reports.map { .family("general", [.init("report", .constant(Array($0.utf8)))]) }
    }
    /// A path in the site's repositories. The ports tree is one folder of them.
    package static let files: [KeyRule.Part] = [
      .portsTree(head: Array("/ports/head/".utf8), value: 0)
    ]
  }
}
