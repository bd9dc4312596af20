// SPDX-License-Identifier: BSD-2-Clause
//
// JSON documents as text: order kept, every string escaped as RFC 8259 wants it, and numbers that
// other programs can read. Foundation's reader is the other program.

import Foundation
import Testing

@testable import Basics

@Suite("JSON") struct JSONTests {
  @Test("values")
  func values() {
    #expect(JSON.null.text == "null")
    #expect(JSON.boolean(true).text == "true")
    #expect(JSON.boolean(false).text == "false")
    #expect(JSON.integer(0).text == "0")
    #expect(JSON.integer(Int64.min).text == "-9223372036854775808")
    #expect(JSON.integer(Int64.max).text == "9223372036854775807")
    #expect(JSON.number(0.5).text == "0.5")
    #expect(JSON.number(.infinity).text == "null")
    #expect(JSON.number(.nan).text == "null")
    #expect(JSON.array([]).text == "[]")
    #expect(JSON.object([]).text == "{}")
    #expect(JSON.array([.null, .integer(1), .array([.string("")])]).text == "[null,1,[\"\"]]")
  }

  @Test("members stay in the order of the contract")
  func order() {
    let document = JSON.object([
      ("version", .integer(1)), ("b", .null), ("a", .object([("z", .integer(2)), ("y", .null)])),
    ])
    #expect(document.text == #"{"version":1,"b":null,"a":{"z":2,"y":null}}"#)
    #expect(
      JSON.object([("a", .null), ("b", .null)]) != JSON.object([("b", .null), ("a", .null)]))
  }

  @Test(
    "strings are escaped",
    arguments: [
      ("", #""""#), ("plain", #""plain""#), ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#),
      ("a/b", #""a/b""#), ("\n\r\t", #""\n\r\t""#), ("\u{0}\u{1}\u{1F}", #""\u0000\u0001\u001f""#),
      ("\u{8}\u{C}\u{7F}", #""\u0008\u000c\u007f""#), ("é ü 日本", #""é ü 日本""#),
      ("\u{1F6A2}", "\"\u{1F6A2}\""), ("\r\n", #""\r\n""#), ("\"\u{301}", "\"\\\"\u{301}\""),
      (#"\x0a"#, #""\\x0a""#),
    ])
  func strings(_ string: String, _ text: String) {
    #expect(JSON.string(string).text == text)
    #expect(JSON.object([(string, .null)]).text == "{\(text):null}")
  }

  @Test("every scalar below U+0300 comes back from another program's reader")
  func comesBack() throws {
    for value in UInt32(0)..<0x300 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let string = "a\(Character(scalar))b"
      let text = JSON.array([.string(string)]).text
      #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
      let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String]
      #expect(read?.first?.unicodeScalars.elementsEqual(string.unicodeScalars) == true)
    }
  }

  @Test("numbers come back", arguments: [0.1, -0.0, 1e300, 1e16, 123_456_789.125])
  func numbers(_ number: Double) throws {
    let text = JSON.array([.number(number)]).text
    let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Double]
    #expect(read == [number])
  }
}
