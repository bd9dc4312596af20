// SPDX-License-Identifier: BSD-2-Clause
//
// The keys that FreshPorts clears by, and what the rows of its queues name (docs/freshports.md, section 3).

extension Layout {
  /// One port's folder: every page in it, of whatever shape.
  /// - Throws: ``KeyError`` when either name is none of FreeBSD's.
  package func port(category: [UInt8], port: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category), ("port", port)])
  }

  /// Every port's folder of one category.
  /// - Throws: ``KeyError``.
  package func ports(of category: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category)])
  }

  /// One category's own pages.
  /// - Throws: ``KeyError``.
  package func category(_ category: [UInt8]) throws(KeyError) -> CacheKey {
    try key("categories", [("category", category)])
  }

  /// The pages of a day, every branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func day(_ date: CalendarDate) throws(KeyError) -> CacheKey {
    try key("daily", [("year", date.yearText), ("month", date.monthText), ("day", date.dayText)])
  }

  /// The pages of a month, every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func month(year: Int, month: Int) throws(KeyError) -> CacheKey {
    try key(
      "daily",
      [
        ("year", CalendarDate.text(year, digits: 4)),
        ("month", CalendarDate.text(month, digits: 2)),
      ])
  }

  /// The pages of a year, every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  package func year(_ year: Int) throws(KeyError) -> CacheKey {
    try key("daily", [("year", CalendarDate.text(year, digits: 4))])
  }

  /// A commit's message id as the site names its folder: lower-cased, each run of other than a-z and
  /// 0-9 turned into one `-`.
  static func folder(messageID: [UInt8]) -> [UInt8] {
    // Longer than a path: it may have been cut off, and is no name as it stands.
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

extension KeyRule.Part {
  /// What a row of each of the site's queues names (docs/freshports.md, section 3).
  package enum FreshPorts {
    /// A category and a port: the port's pages and its category's.
    package static let ports: [KeyRule.Part] = [
      .family("ports", [.init("category", .value(0)), .init("port", .value(1))]),
      .family("categories", [.init("category", .value(0))]),
    ]
    /// A day: its pages of every branch.
    package static let dates: [KeyRule.Part] = [
      .family("daily", [.init("year", .year(0)), .init("month", .month(0)), .init("day", .day(0))])
    ]
    /// The report of commits that failed their sanity test.
    package static let sanityReport = "sanity_test_failures"
    /// A message id: that commit's pages, and the report with its page of each commit.
    package static let commits = commits(andReports: [sanityReport])
    /// The same with reports that a site has under other names.
    package static func commits(andReports reports: [String]) -> [KeyRule.Part] {
      [.family("commits", [.init("id", .messageID(0))])]
        + reports.map { .family("general", [.init("report", .constant(Array($0.utf8)))]) }
    }
    /// A path of the site's repositories, in which the ports tree lies in a folder.
    package static let files: [KeyRule.Part] = [
      .portsTree(head: Array("/ports/head/".utf8), value: 0)
    ]
  }
}
