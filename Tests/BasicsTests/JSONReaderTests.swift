// SPDX-License-Identifier: BSD-2-Clause
//
// Reading JSON: what we write comes back, and what is no JSON is told from it.

import Testing

@testable import Basics

@Suite("JSON reader") struct JSONReaderTests {
  @Test(
    "reads",
    arguments: [
      ("null", JSON.null), (" true ", .boolean(true)), ("false", .boolean(false)),
      ("0", .integer(Int64(0))), ("-12", .integer(Int64(-12))), ("1.5", .number(1.5)),
      ("1e3", .number(1000)),
      ("9223372036854775807", .integer(Int64.max)), ("1e400", .number(.infinity)),
      ("[]", .array([])), ("{ }", .object([])),
      ("[1,\n2 ]", .array([.integer(Int64(1)), .integer(Int64(2))])),
      (#"{"a":{"b":[null]}}"#, .object([("a", .object([("b", .array([.null]))]))])),
      (#""""#, .string("")), (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
      (#""\u00e9\ud83d\ude00é""#, .string("é😀é")),
    ])
  func reads(_ text: String, _ value: JSON) throws {
    let read = try #require(JSON(parsing: Array(text.utf8)))
    #expect(read == value)
    #expect(JSON(parsing: Array(value.text.utf8)) == read)
  }

  @Test(
    "refuses",
    arguments: [
      "", " ", "nul", "nulll", "1 2", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}",
      "{\"a\":1,}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\ud800\"", "\"\\ud800x\"",
      "\"a\nb\"", "+1", ".5", "-", "--1", "1.2.3", "'a'", "[1}", "NaN", "Infinity",
    ])
  func refuses(_ text: String) { #expect(JSON(parsing: Array(text.utf8)) == nil) }

  @Test func refusesWhatIsNotUTF8() {
    #expect(JSON(parsing: [UInt8(ascii: "\""), 0xFF, UInt8(ascii: "\"")]) == nil)
  }

  @Test func aDeepDocumentIsRefusedAndNotFallenInto() {
    func nested(_ depth: Int) -> [UInt8] {
      Array(String(repeating: "[", count: depth).utf8)
        + Array(String(repeating: "]", count: depth).utf8)
    }
    #expect(JSON(parsing: nested(64)) != nil)
    #expect(JSON(parsing: nested(65)) == nil)
    #expect(JSON(parsing: nested(1_000_000)) == nil)
  }
}
