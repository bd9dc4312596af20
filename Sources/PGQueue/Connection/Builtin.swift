// SPDX-License-Identifier: BSD-2-Clause
//
// The server's built-in operators, functions and types, under names that mean nothing else.
//
// PostgreSQL searches all schemas of the search_path for the function or operator that fits the arguments best. A role
// that may create one in any of these schemas could have its own code run with the rights of our role. So each
// statement here names the schema `pg_catalog` before every function, type and operator. Tables keep to the
// search_path, as do the site's own queries and trigger functions.

import Basics

/// The server's built-in operators, ready for a statement. All have the same precedence, so several need parentheses.
enum Builtin {
  static let equal = "OPERATOR(pg_catalog.=)"
  static let unequal = "OPERATOR(pg_catalog.<>)"
  static let less = "OPERATOR(pg_catalog.<)"
  static let atMost = "OPERATOR(pg_catalog.<=)"
  static let greater = "OPERATOR(pg_catalog.>)"
  static let atLeast = "OPERATOR(pg_catalog.>=)"
  static let plus = "OPERATOR(pg_catalog.+)"
  static let minus = "OPERATOR(pg_catalog.-)"
  /// ILIKE.
  static let contains = "OPERATOR(pg_catalog.~~*)"
  /// Matches a regular expression, ignoring case.
  static let matches = "OPERATOR(pg_catalog.~*)"

  /// Whether the type of an expression is timestamp or timestamptz.
  static func isTime(_ expression: String) -> String {
    let isOne = ["timestamp", "timestamptz"].map {
      "pg_catalog.pg_typeof(\(expression)) \(equal) 'pg_catalog.\($0)'::pg_catalog.regtype"
    }
    return isOne.joined(separator: " OR ")
  }
}
