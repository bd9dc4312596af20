// SPDX-License-Identifier: BSD-2-Clause
//
// Reads the head of a file that another process writes. It reads by descriptor, follows no link, never waits,
// and never reads more than a head may have.

import Basics
import SystemPackage

/// A head and the bytes that it was read from. It is valid during the call that receives it.
package struct ReadHead: ~Copyable {
  package let reading: NginxHead.Reading
  /// The bytes from the start of the file.
  package let bytes: UnsafeRawBufferPointer

  /// The key, or the part of it that was read; nil without a head.
  package var key: UnsafeBufferPointer<UInt8>? {
    guard case .head(let head) = reading else { return nil }
    let end = min(head.key.upperBound, bytes.count)
    guard end >= head.key.lowerBound else { return nil }
    return UnsafeBufferPointer(
      rebasing: bytes.bindMemory(to: UInt8.self)[head.key.lowerBound..<end])
  }

  /// Whether the whole head was read, and is laid out as nginx does it.
  var isWhole: Bool {
    guard case .head(let head) = reading, bytes.count >= head.headerStart else { return false }
    let mark = NginxHead.mark
    return bytes[(head.key.lowerBound - mark.count)..<head.key.lowerBound].elementsEqual(mark)
      && bytes[head.key.upperBound] == 0x0A
  }

  /// Whether a file with this head may have this name: the hash of its key, or that of its variant.
  func isNamed(_ name: [UInt8]) -> Bool {
    guard case .head(let head) = reading, let key else { return false }
    if let variant = head.variant, MD5.hexDigits(variant) == name { return true }
    return MD5.hex(Array(key)) == name
  }

  /// Whether the response's header was read to its end.
  var hasWholeResponse: Bool {
    if case .head(let head) = reading { bytes.count >= head.bodyStart } else { false }
  }

  /// The bytes of the response's header that were read.
  package var response: UnsafeRawBufferPointer.SubSequence {
    guard case .head(let head) = reading, head.headerStart < bytes.count else {
      return bytes[bytes.endIndex...]
    }
    return bytes[head.headerStart..<min(head.bodyStart, bytes.count)]
  }
}

extension Directory {
  /// Reads the head of the file `name` and passes it to `body`.
  /// - Parameters:
  ///   - response: how many bytes of the response's header to read.
  ///   - isWanted: receives the beginning of a key that is longer than the first read. When it returns false,
  ///     the rest is not read, and `body` gets that beginning.
  /// - Throws: the `Errno` of open(2) or pread(2); `ELOOP` for a link, `ESPIPE` for a fifo.
  func withHead<Result>(
    of name: CName, response: Int = 0,
    isWanted: (UnsafeBufferPointer<UInt8>) -> Bool = { _ in true },
    _ body: (borrowing ReadHead) -> Result
  ) throws(Errno) -> Result {
    let file = try openFile(name)
    return try withUnsafeTemporaryAllocation(
      byteCount: NginxHead.firstBytes, alignment: 8
    ) { (buffer) throws(Errno) -> Result in
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<(try file.read(into: buffer, at: 0))])
      let first = ReadHead(reading: NginxHead.read(bytes), bytes: bytes)
      guard case .head(let head) = first.reading,
        case let end = head.headerStart + min(response, head.bodyStart - head.headerStart),
        end > bytes.count, bytes.count == buffer.count, first.key.map(isWanted) ?? true
      else { return body(first) }
      return try file.withBytes(end) { body(ReadHead(reading: NginxHead.read($0), bytes: $0)) }
    }
  }
}

extension OpenedFile {
  /// Passes the first bytes of the file to `body`; fewer when the file is shorter.
  /// - Throws: the `Errno` of pread(2).
  fileprivate borrowing func withBytes<Result>(
    _ count: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(Errno) -> Result {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
    defer { buffer.deallocate() }
    return body(UnsafeRawBufferPointer(rebasing: buffer[..<(try read(into: buffer, at: 0))]))
  }
}
