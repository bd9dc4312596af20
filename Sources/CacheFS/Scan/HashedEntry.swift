// SPDX-License-Identifier: BSD-2-Clause
//
// What the walk reads from the head of a file of a hashed family.

import Basics
import SystemPackage

extension ScannedEntry {
  /// The value of a field in the path, or else in the file's head; nil when neither has one.
  /// - Parameter now: nanoseconds since the epoch.
  func value(of field: String, at now: Int64, _ matcher: inout Matcher) -> [UInt8]? {
    guard let family = classification.family, let hashed = matcher.hashed(family) else {
      return matcher.value(of: field, file: name, at: folder.place)
    }
    let wanted = field == hashed.keyField.name ? nil : HeadField(rawValue: field)
    guard wanted != nil || field == hashed.keyField.name else { return nil }
    let response = wanted == .status ? NginxHead.longest : 0
    return withHead(response: response) { head in
      wanted.map { $0.value(in: head, at: now) } ?? head.key.map { Array($0) }
    } ?? nil
  }

  /// Passes the file's head to `body`, when the entry is a file that can be read.
  func withHead<Result>(
    response: Int = 0, _ body: (borrowing ReadHead) -> Result
  ) -> Result? {
    status.type == .file ? try? readHead(response: response, body) : nil
  }

  /// Passes the file's head to `body`.
  /// - Throws: the `Errno` of open(2) or pread(2).
  func readHead<Result>(
    response: Int = 0, _ body: (borrowing ReadHead) -> Result
  ) throws(Errno) -> Result {
    let directory = folder.directory
    return try Directory.withCName(Array(name)) { (name) throws(Errno) in
      try directory.withHead(of: name, response: response, body)
    }
  }
}
