// SPDX-License-Identifier: BSD-2-Clause
//
// Cache files as nginx writes them, in each version of the format. They are written here from nginx's own source,
// field by field, and not by the code under test.

import Foundation

/// One cache file, which a test can change.
public struct NginxFile: Sendable {
  public var version: UInt64 = 5
  public var key: [UInt8]
  public var validUntil: Int64 = 4_000_000_000
  /// The names of request headers that the response varies with.
  public var vary = ""
  /// The hash of the variant; 16 bytes.
  public var variant = [UInt8](repeating: 0, count: 16)
  public var response = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
  public var body = "<p>hello</p>\n"

  public init(_ key: String) { self.key = Array(key.utf8) }

  /// ngx_http_file_cache_header_t of 64-bit machines: 59 bytes before the ETag (43 in version 3, which lacks two
  /// times), the ETag and the names of Vary with a length byte each, and the variant, padded to a multiple of 8 bytes.
  public var bytes: [UInt8] {
    let room = version >= 5 ? 128 : 42
    let times = version == 3 ? [validUntil, 0, 0] : [validUntil, 0, 0, 0, 0]
    let fixed = 8 + times.count * 8 + 4 + 2 + 2 + 2
    var size = fixed + 1 + room + 1 + room + 16
    size += (8 - size % 8) % 8
    let headerStart = size + 6 + key.count + 1
    var file = Self.little(version)
    for time in times { file += Self.little(time) }
    file += Self.little(UInt32(0x1234_5678)) + Self.little(UInt16(0))
    file += Self.little(UInt16(truncatingIfNeeded: headerStart))
    file += Self.little(UInt16(truncatingIfNeeded: headerStart + response.utf8.count))
    file += [0] + [UInt8](repeating: 0, count: room)
    file += [UInt8(vary.utf8.count)] + Array(vary.utf8)
    file += [UInt8](repeating: 0, count: room - vary.utf8.count) + variant
    file += [UInt8](repeating: 0, count: size - file.count)
    return file + Array("\nKEY: ".utf8) + key + [0x0A] + Array(response.utf8) + Array(body.utf8)
  }

  private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  /// Where nginx puts the file of a hash below its folder, by levels=1:2.
  public static func path(_ hash: String) -> String {
    let digits = Array(hash)
    return "\(digits[31])/\(String(digits[29...30]))/\(hash)"
  }

  /// The hash of a key, as md5sum(1) prints it.
  public static func hash(_ key: [UInt8]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/md5sum")
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(key))
    try input.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return String(text.prefix(32))
  }

  /// Writes the file where nginx would, below a folder of a tree.
  /// - Parameter hash: for a variant, its own hash.
  /// - Returns: the path in the tree.
  @discardableResult
  public func write(in tree: TemporaryTree, _ folder: String, hash: String? = nil) throws -> String
  {
    let path = "\(folder)/\(Self.path(try hash ?? Self.hash(key)))"
    try tree.write(path, content: bytes)
    return path
  }
}
