// What of a message may be a password and is left out, and what must come through untouched.

import Testing

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
    ])
  func leftOut(_ text: String, _ expected: String) {
    #expect(redacted(text) == expected)
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
