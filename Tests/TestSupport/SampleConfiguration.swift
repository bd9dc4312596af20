// SPDX-License-Identifier: BSD-2-Clause
//
// The sample configuration with its settings turned on.

import Foundation

/// etc/fpcache.ini.sample.
public enum SampleConfiguration {
  private static let path = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("etc/fpcache.ini.sample")

  /// The file as it is: every setting is a comment.
  public static var text: String {
    get throws { try String(contentsOf: path, encoding: .utf8) }
  }

  /// The file without the `#` before every setting and before its continuation lines.
  public static var uncommented: String {
    get throws {
      try text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        isSetting(line) ? String(line.dropFirst()) : String(line)
      }.joined(separator: "\n")
    }
  }

  /// One key of [verify] and its value, with its line breaks.
  public static func query(_ key: String) throws -> String {
    let lines = try uncommented.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("\(key) =") }) else {
      throw SupportError("the sample configuration has no \(key)")
    }
    let rest = lines[(start + 1)...].prefix { $0.hasPrefix("    ") }
    return ([lines[start]] + rest).joined(separator: "\n")
  }

  /// The families that have a query for FreshPorts' schema.
  public static let freshPortsFamilies = [
    "ports", "categories", "commits", "daily", "news", "files", "packages",
  ]

  /// The permissions that the listener's role needs for these queries.
  public static var grants: [String] {
    get throws {
      try text.split(separator: "\n").filter { $0.hasPrefix("# GRANT ") }
        .map { String($0.dropFirst(2)) }
    }
  }

  /// A section [verify] with the queries for FreshPorts' schema.
  public static var freshPortsQueries: String {
    get throws {
      try "[verify]\n"
        + freshPortsFamilies.map { try query($0.uppercased()) }.joined(separator: "\n")
        + "\n"
    }
  }

  /// Prose has a space behind the `#`, a setting has no space, and a continuation line has four.
  private static func isSetting(_ line: Substring) -> Bool {
    guard line.hasPrefix("#"), let second = line.dropFirst().first else { return false }
    return second != " " || line.hasPrefix("#    ")
  }
}
