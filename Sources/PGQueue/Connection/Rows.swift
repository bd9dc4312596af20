// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a statement: rows of bytes, or the fields of an error.

import Basics
import CLibpq

/// The rows of one statement's result.
package final class Rows {
  private let result: OpaquePointer?

  init(_ result: OpaquePointer?) { self.result = result }

  deinit { PQclear(result) }

  package var count: Int { result.map { Int(PQntuples($0)) } ?? 0 }

  /// How many rows the statement changed; 0 for other statements.
  package var changed: Int { result.flatMap { Int(String(cString: PQcmdTuples($0))) } ?? 0 }

  /// The names of the columns.
  package var columnNames: [String] {
    guard let result else { return [] }
    return (0..<PQnfields(result)).compactMap { PQfname(result, $0).map { String(cString: $0) } }
  }

  /// The bytes at a row and column; nil for NULL and for a place that does not exist.
  package subscript(row: Int, column: Int) -> [UInt8]? { withBytes(row, column) { Array($0) } }

  /// Calls `body` with the bytes at a row and column, unless they are NULL or do not exist.
  func withBytes<Result>(
    _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    guard let result, (0..<count).contains(row), (0..<Int(PQnfields(result))).contains(column),
      PQgetisnull(result, CInt(row), CInt(column)) == 0,
      let value = PQgetvalue(result, CInt(row), CInt(column))
    else { return nil }
    let length = Int(PQgetlength(result, CInt(row), CInt(column)))
    return body(UnsafeRawBufferPointer(start: value, count: length))
  }

  /// The same as text; bytes that are not UTF-8 become U+FFFD.
  package func text(_ row: Int, _ column: Int) -> String? {
    self[row, column].map { String(decoding: $0, as: UTF8.self) }
  }

  func field(_ code: ErrorField) -> String? { Self.field(code, of: result) }

  static func field(_ code: ErrorField, of result: OpaquePointer?) -> String? {
    result.flatMap { PQresultErrorField($0, CInt(code.rawValue)) }.map { words($0) }
  }

  /// The server's text for people, cut off at a length that is still read; bytes that are not UTF-8 become U+FFFD.
  static func words(_ text: UnsafePointer<CChar>) -> String {
    String(
      decoding: UnsafeRawBufferPointer(start: text, count: strnlen(text, longestWords)),
      as: UTF8.self)
  }

  private static let longestWords = 2000
}

/// The fields of an error (postgres_ext.h). Swift cannot import them directly.
enum ErrorField: UInt8 {
  case severity = 0x56  // PG_DIAG_SEVERITY_NONLOCALIZED, 'V'
  case sqlState = 0x43  // PG_DIAG_SQLSTATE, 'C'
  case message = 0x4D  // PG_DIAG_MESSAGE_PRIMARY, 'M'
  case hint = 0x48  // PG_DIAG_MESSAGE_HINT, 'H'
}
