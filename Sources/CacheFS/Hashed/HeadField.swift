// SPDX-License-Identifier: BSD-2-Clause
//
// Fields in the head of a cache file other than its key. Files can be counted by them.

import Basics

/// A field that the head of a cache file shows.
package enum HeadField: String, CaseIterable, Sendable {
  /// The host that the key names.
  case host
  /// The status of the response, three digits.
  case status
  /// `fresh` or `expired`.
  case state

  /// Longer than any host (RFC 1035, section 2.3.4).
  private static let longestHost = 255

  /// - Parameter now: nanoseconds since the epoch.
  func value(in head: borrowing ReadHead, at now: Int64) -> [UInt8]? {
    guard case .head(let fields) = head.reading else { return nil }
    switch self {
    case .host: return head.key.flatMap(Self.host)
    case .status: return Self.status(head.response, isWhole: head.hasWholeResponse)
    case .state:
      return Array((fields.validUntil < now / 1_000_000_000 ? "expired" : "fresh").utf8)
    }
  }

  /// The host in keys such as `https://host/path`, `httphost/path` (the default of proxy_cache_key),
  /// `httpsGEThost/path` and `host/path`.
  static func host(_ key: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var rest = key[...]
    for scheme in ["https", "http"] where rest.starts(with: scheme.utf8) {
      rest = rest.dropFirst(scheme.utf8.count)
      break
    }
    if rest.starts(with: "://".utf8) { rest = rest.dropFirst(3) }
    rest = rest.drop { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    let host = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    guard (1...longestHost).contains(host.count), host.allSatisfy(isOfHost) else { return nil }
    return Array(host)
  }

  /// The bytes that a host with a port, or an address, may contain.
  private static func isOfHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "._-:[]".utf8.contains(byte)
    }
  }

  /// The status of a response's header, by nginx's own rules: that of `HTTP/1.1 200 OK`, as proxies send it and some
  /// uwsgi applications; or that of a line `Status: 404 Not Found`, as FastCGI, SCGI and uwsgi applications send it.
  /// Without such a line a `Location` means 302, and nothing means 200.
  /// - Parameter isWhole: whether the header was read to its end. What is missing could have said otherwise.
  static func status(_ response: some Collection<UInt8>, isWhole: Bool) -> [UInt8]? {
    guard !response.isEmpty else { return nil }
    let lines = FastCGIRecords.text(of: response).split(separator: 0x0A)
    if let first = lines.first, first.starts(with: "HTTP/".utf8) {
      return digits(first.drop { $0 != UInt8(ascii: " ") })
    }
    if let status = value(of: "status:", in: lines) { return digits(status) }
    guard isWhole else { return nil }
    return Array((value(of: "location:", in: lines) == nil ? "200" : "302").utf8)
  }

  /// What follows the name on the first line that begins with it.
  /// - Parameter name: in lower case.
  private static func value(of name: String, in lines: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
    let name = Array(name.utf8)
    return lines.first { $0.prefix(name.count).map { $0 | 0x20 }.elementsEqual(name) }?
      .dropFirst(name.count)
  }

  private static func digits(_ text: some Sequence<UInt8>) -> [UInt8]? {
    let digits = Array(text.drop { $0 == UInt8(ascii: " ") }.prefix(3))
    let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return digits.count == 3 && isNumber ? digits : nil
  }
}
