// SPDX-License-Identifier: BSD-2-Clause
//
// What of a message may be a password and is left out, and what must come through untouched.

import Testing

@testable import Basics
@testable import fpcache

@Suite("Secrets") struct SecretsTests {
  @Test(
    "are left out",
    arguments: [
      ("password=hunter2", "password=***"), ("PassWord=hunter2", "PassWord=***"),
      ("password = hunter2 x", "password =***"), ("sslpassword=hunter2", "sslpassword=***"),
      ("host=h password='hunter 2' user=u", "host=h password=***"),
      ("Unexpected argument 'password=hunter2'", "Unexpected argument 'password=***"),
      ("a\npassword=hunter2\nb", "a\npassword=***\nb"),
      ("postgresql://u:hunter2@h:1/d", "postgresql://u:***@h:1/d"),
      ("postgres://u:hun@ter:2@h/d", "postgres://u:***@h/d"),
      ("x: 'postgresql://:hunter2@/d' y", "x: 'postgresql://:***@/d' y"),
      ("postgresql://h/d?user=u&password=hunter2", "postgresql://h/d?user=u&password=***"),
      ("postgresql://u:hun/ter2@h/?password=hunter2", "postgresql://u:***@h/?password=***"),
      ("postgresql://h/d?p%61ssword=hunter2", "postgresql://h/d?p%61ssword=***"),
      ("password\t=\nhunter2\nx", "password\t=***\nx"), ("password='hun\nter2' x", "password=***"),
      ("password='hun\\'\nter2' x\ny", "password=***\ny"), ("x://u:hun\nter2@h", "x://u:***@h"),
      ("password=a password=b", "password=***"),
      ("password =\\\nhunter2 x\ny", "password =***\ny"),
      ("x://u:password\n=@h", "x://u:***"), ("x://a:password=b@c", "x://a:***"),
      ("password=a?p%61ssword=\n\nhunter2\nx", "password=***\nx"),
      ("a=b\npassword='hunter2", "a=b\npassword=***"),
    ])
  func leftOut(_ text: String, _ expected: String) {
    #expect(redacted(text) == expected)
  }

  @Test(
    "are known in an argument, in libpq's spellings too",
    arguments: [
      ("password=hunter2", true), ("--dsn=host=h password=hunter2", true),
      ("--dsn=postgresql://u:hunter2@h/d", true), ("postgresql://u@h/d?p%61ssword=hunter2", true),
      ("--dsn=postgresql://h/d?%70assword=x", true), ("host=h sslpassword = x", true),
      ("host=h user=u", false), ("--dsn=host=h user=u", false), ("--dsn=", false), ("=", false),
      ("postgresql://u@h/d?application_name=password", false), ("graphics/gimp", false),
      ("--settle=5", false), ("password=", false), ("postgresql://h/d?password=", false),
    ])
  func inArguments(_ argument: String, _ expected: Bool) {
    #expect(holdsPassword(argument) == expected)
  }

  @Test(
    "a terminal obeys nothing that is printed as an error",
    arguments: [
      ("a\u{1B}[31mb", "a\\x1b[31mb"), ("a\nb", "a\nb"), ("a\rb\tc\u{0}", "a\\x0db\\x09c\\x00"),
      ("\u{7F}", "\\x7f"), ("é\u{202E}x", "é\\xe2\\x80\\xaex"), ("\u{9B}31m", "\\xc2\\x9b31m"),
      ("\u{2028}", "\\xe2\\x80\\xa8"), ("plain \\ text", "plain \\ text"), ("", ""),
    ])
  func controls(_ text: String, _ expected: String) {
    #expect(withoutControls(text) == expected)
  }

  /// What we have painted stays, and what only looks a little like it does not.
  @Test func paintIsNotTakenForOrders() {
    let palette = Palette(isColored: true)
    let text =
      "\(palette.paint("fpcache:", .red)) \u{1B}[2J \(palette.paint("gimp", .bold))\u{1B}[3"
    #expect(
      Palette.aroundPaint(text, withoutControls)
        == "\u{1B}[31mfpcache:\u{1B}[0m \\x1b[2J \u{1B}[1mgimp\u{1B}[0m\\x1b[3")
    #expect(Palette.aroundPaint("é\u{7}", withoutControls) == "é\\x07")
  }

  @Test(
    "are not seen where there are none",
    arguments: [
      "", "\n", "a\n\nb\n", "password", "password=", "no password was given", "user@host: x",
      "postgresql://u@h/d", "postgresql://h:1/d", "http://a:b", "f.ini:2: PASSWORD: a single '%'",
      "graphics/py-pygeoapi", "\r\n", "é\u{301}\u{1F6A2}",
    ])
  func untouched(_ text: String) {
    #expect(redacted(text) == text)
  }
}
