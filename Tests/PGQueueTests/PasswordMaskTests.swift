// SPDX-License-Identifier: BSD-2-Clause
//
// Pieces of a password that libpq takes for a port, a host or a database: not in what is told.

import Testing

@testable import PGQueue

@Suite struct PasswordMaskTests {
  /// Passwords as people type them into a URI, without percent-encoding.
  private static let passwords = [
    "s3cr3t/w0rd", "p@ssw0rd", "hunter2/@abcd", "abcd@efgh@ijkl", "wxyz?abcd/efgh", "qwer#ty/uiop",
    "a/b/c/d4567", "@leading1", "/leading1", "trail1ng/", "trail1ng@", "1234/5678", "12:34/s3cr",
    "k%2Fl3tt3r/x", "p%61ss/w%30rd", "[brack3t]/", "s3cr3t/w0rd@x/y", "com,ma/s3cret", "m=n&o/pqrs",
    "über/geheim", "sp ace/w0rd",
  ]
  private static let hosts = ["127.0.0.1", "h.invalid", "[::1]", "127.0.0.1:1,[::1]:2", ""]

  /// All that libpq says when it is given a connection string.
  private static func words(_ uri: String) -> String {
    do throws(DatabaseError) {
      _ = try Connection(
        ConnectionParameters([("dbname", uri), ("connect_timeout", "2")]), timeout: .seconds(2))
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "no piece of a malformed password longer than three bytes is in what is told",
    arguments: passwords)
  func pieces(_ password: String) {
    for scheme in ["postgresql", "postgres"] {
      for host in Self.hosts {
        let (before, after) = ("\(scheme)://u", "@\(host)/fpdb")
        let told = Array(Self.words("\(before):\(password)\(after)").utf8)
        let open = [Array(before.utf8), Array(after.utf8)]
        for text in [password, password.removingPercent] {
          let bytes = Array(text.utf8)
          for start in bytes.indices.dropLast(3) {
            let piece = Array(bytes[start..<start + 4])
            if open.contains(where: { $0.contains(piece) }) { continue }
            #expect(
              !told.contains(piece),
              "\(String(decoding: piece, as: UTF8.self)) of \(password) in \(String(decoding: told, as: UTF8.self))"
            )
          }
        }
      }
    }
  }

  @Test(
    "what is no password is told as it is",
    arguments: [
      "postgresql://u:s3cr3t@h.invalid:5432/d", "postgresql://u@h.invalid/d?user=a@b",
      "postgresql://h.invalid:5432/d", "postgresql://a.invalid:5432,b.invalid:5433/d",
      "postgresql://[::1]:5432/d", "postgresql:///d?host=/nowhere", "host=h password=hunter2",
      "mydb",
    ])
  func untouched(_ uri: String) {
    let mask = PasswordMask(ConnectionParameters([("dbname", uri)]))
    let text = "\(uri) s3cr3t hunter2 h.invalid 5432 could not connect"
    #expect(mask.hide(text) == text)
  }

  @Test func anUnreadableListOfKeywordsIsHiddenWhole() {
    let mask = PasswordMask(ConnectionParameters([("dbname", "host=h password=my secret")]))
    #expect(mask.hide("missing \"=\" after \"secret\"") == "missing \"=\" after \"***\"")
  }

  @Test("a message keeps what stands around")
  func around() {
    let mask = PasswordMask(ConnectionParameters([("dbname", "postgresql://u:s3cr3t/w0rd@h/d")]))
    #expect(
      mask.hide("invalid integer value \"s3cr3t\" for connection option \"port\"")
        == "invalid integer value \"***\" for connection option \"port\"")
    #expect(mask.hide("host \"w0rd@h\", sec") == "host \"***@h\", sec")
  }
}

extension String {
  /// With `%61` read as `a`.
  fileprivate var removingPercent: String {
    var bytes: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
