// SPDX-License-Identifier: BSD-2-Clause
//
// What nginx writes before each response that it caches (ngx_http_file_cache_header_t in
// src/http/ngx_http_cache.h): a C struct in the machine's byte order, "\nKEY: ", the key, a line end. The
// response's header follows, and its body begins where the struct says.
//
// The supported versions are 3 (since nginx 1.7.7 of 2014), 4 (between releases only) and 5 (since 1.11.10 of
// 2017), as 64-bit machines write them.

/// The head of a cache file of nginx.
package struct NginxHead: Equatable, Sendable {
  /// What the beginning of a file contains.
  package enum Reading: Equatable, Sendable {
    case head(NginxHead)
    /// A version newer than all that are supported here. nginx may serve the file.
    case foreign
    /// The file is cut off, or nginx did not write it. nginx does not serve it.
    case damaged
  }

  /// The offsets of a version's fields, in bytes from the start.
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

  /// A greater number is not a version; the file is something else.
  private static let highestVersion: UInt64 = 64

  /// This many bytes of a file are read first. They hold the head of all files except those with very long
  /// keys.
  package static let firstBytes = 1024

  /// The longest head that the format allows, in bytes, and where the body begins at the latest: both places are
  /// stored in 16 bits.
  package static let longest = 65_535

  package let version: UInt64
  /// The response is fresh until this time, in seconds since the epoch.
  package let validUntil: Int64
  /// The range of the key, in bytes from the start. It may extend beyond what was read.
  package let key: Range<Int>
  /// Where the response's header begins.
  package let headerStart: Int
  /// Where the response's body begins.
  package let bodyStart: Int
  /// The CRC-32 of the key, which nginx checks.
  package let crc: UInt32
  /// The hash that names this variant, when the response varies with request headers; otherwise nil.
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
    // After the checksum: milliseconds, the two starts, the length of the ETag.
    headerStart = Int(bytes.loadUnaligned(fromByteOffset: form.crc + 6, as: UInt16.self))
    bodyStart = Int(bytes.loadUnaligned(fromByteOffset: form.crc + 8, as: UInt16.self))
    let start = form.size + Self.mark.count
    // A line end follows the key.
    guard headerStart > start, bodyStart >= headerStart else { return nil }
    key = start..<(headerStart - 1)
    let varyLength = Int(bytes[form.varyLength])
    guard varyLength <= form.longestVary else { return nil }
    variant =
      varyLength == 0 ? nil : Array(bytes[form.variant..<(form.variant + MD5.digits / 2)])
  }

  /// The text before the key.
  package static let mark = Array("\nKEY: ".utf8)
}
