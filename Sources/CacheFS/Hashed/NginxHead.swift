// SPDX-License-Identifier: BSD-2-Clause
//
// What nginx writes before each response that it caches (ngx_http_file_cache_header_t in
// src/http/ngx_http_cache.h): a struct of C in the machine's own order, "\nKEY: ", the key, a line's end. The
// response's own header begins behind that, and its body where the struct says.
//
// The versions that are read are 3 (since nginx 1.7.7 of 2014), 4 (between releases only) and 5 (since 1.11.10 of 2017), as
// 64-bit machines write them.

/// The head of a cache file of nginx.
package struct NginxHead: Equatable, Sendable {
  /// What the beginning of a file turned out to be.
  package enum Reading: Equatable, Sendable {
    case head(NginxHead)
    /// Of a version that is newer than all that are known here: nginx may well serve it.
    case foreign
    /// Cut off or nothing of nginx's: nginx does not serve it.
    case damaged
  }

  /// Where the fields of a version lie, in bytes from the start.
  private struct Form {
    let size: Int
    let crc: Int
    let varyLength: Int
    let variant: Int
    let longestVary: Int
  }

  private static let forms: [UInt64: Form] = [
    3: Form(size: 144, crc: 32, varyLength: 85, variant: 128, longestVary: 42),
    4: Form(size: 160, crc: 48, varyLength: 101, variant: 144, longestVary: 42),
    5: Form(size: 336, crc: 48, varyLength: 187, variant: 316, longestVary: 128),
  ]

  /// A greater number is no version but something else altogether.
  private static let highestVersion: UInt64 = 64

  /// So much of a file is read at first: it holds the head of all but very long keys.
  package static let firstBytes = 1024

  /// The longest head that the format has, in bytes: where the response begins is told with 16 bits.
  package static let longest = 65_535

  package let version: UInt64
  /// Until when it is fresh, in seconds since the epoch.
  package let validUntil: Int64
  /// Where the key lies, in bytes from the start; maybe beyond what was read.
  package let key: Range<Int>
  /// Where the response's own header begins.
  package let headerStart: Int
  /// Where its body begins.
  package let bodyStart: Int
  /// The CRC-32 of the key, as nginx compares it.
  package let crc: UInt32
  /// The hash that names this variant where the response varies with headers of the request; nil else.
  package let variant: [UInt8]?

  /// Reads the beginning of a file.
  package static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
    guard bytes.count >= 8 else { return .damaged }
    let version = bytes.loadUnaligned(as: UInt64.self)
    guard let form = forms[version] else {
      return version > 5 && version <= highestVersion ? .foreign : .damaged
    }
    guard bytes.count >= form.size, let head = NginxHead(bytes, version, form) else {
      return .damaged
    }
    return .head(head)
  }

  private init?(_ bytes: UnsafeRawBufferPointer, _ version: UInt64, _ form: Form) {
    self.version = version
    validUntil = bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)
    crc = bytes.loadUnaligned(fromByteOffset: form.crc, as: UInt32.self)
    // Behind the checksum: milliseconds, the two starts, the length of the ETag.
    headerStart = Int(bytes.loadUnaligned(fromByteOffset: form.crc + 6, as: UInt16.self))
    bodyStart = Int(bytes.loadUnaligned(fromByteOffset: form.crc + 8, as: UInt16.self))
    let start = form.size + Self.mark.count
    // A line's end stands behind the key.
    guard headerStart > start, bodyStart >= headerStart else { return nil }
    key = start..<(headerStart - 1)
    let varyLength = Int(bytes[form.varyLength])
    guard varyLength <= form.longestVary else { return nil }
    variant =
      varyLength == 0 ? nil : Array(bytes[form.variant..<(form.variant + MD5.digits / 2)])
  }

  /// What stands before the key.
  package static let mark = Array("\nKEY: ".utf8)
}
