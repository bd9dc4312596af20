// SPDX-License-Identifier: BSD-2-Clause
//
// The server's own operators, functions and types, under names that mean nothing else.
//
// PostgreSQL takes the function or operator that fits its arguments best from all schemas of the
// search_path: who may create one in any of them could have his own run with the rights of our role.
// So each statement here names the schema `pg_catalog` before every function, type and operator.
// Tables keep to the search_path, as do the site's own queries and trigger functions.

import Basics

/// Operators of the server's own, fit for a statement. All bind alike, so more than one wants parentheses.
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
  /// Matches a regular expression, capitals or not.
  static let matches = "OPERATOR(pg_catalog.~*)"

  /// Whether an expression is of a type that tells date and time.
  static func isTime(_ expression: String) -> String {
    let isOne = ["timestamp", "timestamptz"].map {
      "pg_catalog.pg_typeof(\(expression)) \(equal) 'pg_catalog.\($0)'::pg_catalog.regtype"
    }
    return isOne.joined(separator: " OR ")
  }
}
