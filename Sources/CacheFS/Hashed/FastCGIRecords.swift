// SPDX-License-Identifier: BSD-2-Clause
//
// nginx stores a FastCGI response as it came: in records (FastCGI specification 1.0, section 3.3). Each has a head of 8
// bytes: the version, which is 1, its type, the request's number in two bytes, the length of its content in two, that
// of its padding, and one that is not used.

/// Reads the header of a response that may be in FastCGI's records.
enum FastCGIRecords {
  private static let version: UInt8 = 1
  /// The application's answer.
  private static let stdout: UInt8 = 6
  /// What the application complains about, such as a warning of PHP. It may come first, and end without a line end.
  private static let stderr: UInt8 = 7
  private static let headLength = 8

  /// The text of the answer, without records and without what was written to standard error; the bytes themselves when
  /// they are no records. The last record may be cut off.
  static func text(of response: some Collection<UInt8>) -> [UInt8] {
    let bytes = Array(response)
    guard bytes.first == version, bytes.count > 1, [stdout, stderr].contains(bytes[1]) else {
      return bytes
    }
    var text: [UInt8] = []
    var rest = bytes[...]
    while rest.count > headLength, rest.first == version {
      let head = Array(rest.prefix(headLength))
      rest = rest.dropFirst(headLength)
      let length = Int(head[4]) << 8 | Int(head[5])
      if head[1] == stdout { text += rest.prefix(length) }
      rest = rest.dropFirst(length + Int(head[6]))
    }
    return text
  }
}
