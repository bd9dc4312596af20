// SPDX-License-Identifier: BSD-2-Clause
//
// Reading and writing by descriptor, and reading a whole file through a seam: real by default, a dictionary in
// tests.

import SystemPackage

/// Reads a file, as a seam: real by default, a dictionary in tests.
package struct FileReader: Sendable {
  /// The file's bytes.
  package var read: @Sendable (String) throws(Errno) -> [UInt8]

  package static let real = FileReader { (path) throws(Errno) in
    try FileDescriptorBox(path, .anything).readAll()
  }

  /// Reads fpcache's own files, which are always plain files. In a world-writable folder another user could
  /// put a pipe in their place, and reading it would block.
  /// - Throws: `EPERM` when it is not a plain file, `ELOOP` for a link.
  package static let ours = FileReader { (path) throws(Errno) in
    try FileDescriptorBox(path, .plainFile).readAll()
  }
}

/// A file open for reading. It is closed when the last reference goes.
private final class FileDescriptorBox {
  /// Larger than any configuration file. A device named by mistake must not fill the memory.
  private static let longestFile = 1 << 20
  private let descriptor: CInt

  /// What may stand at the path.
  enum Kind {
    case plainFile
    case anything
  }

  init(_ path: String, _ kind: Kind) throws(Errno) {
    let links = kind == .plainFile ? O_NOFOLLOW : 0
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | links)
    if descriptor < 0 { throw Errno(rawValue: errno) }
    var status = stat()
    if kind == .plainFile {
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw .notPermitted
      }
    }
    // Opening must not wait for a pipe's writer, but reading must: `--config <(...)`.
    _ = fcntl(descriptor, F_SETFL, O_RDONLY)
  }

  deinit { close(descriptor) }

  func readAll() throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = try readSome(descriptor, into: &chunk)
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      if bytes.count > Self.longestFile { throw .fileTooLarge }
    }
  }
}

/// Writes all bytes. It waits where the descriptor is non-blocking.
/// - Throws: the `Errno` of write(2).
package func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) throws(Errno) {
  var rest = bytes
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if written > 0 {
      rest = rest.dropFirst(written)
      continue
    }
    switch Errno(rawValue: errno) {
    case .interrupted: continue
    case .resourceTemporarilyUnavailable:
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = poll(&wait, 1, -1)
    case let error: throw error
    }
  }
}

/// Reads the available bytes, at most as many as the chunk holds.
/// - Returns: how many bytes; 0 at the end.
/// - Throws: the `Errno` of read(2).
package func readSome(_ descriptor: CInt, into chunk: inout [UInt8]) throws(Errno) -> Int {
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count >= 0 { return count }
    let error = Errno(rawValue: errno)
    if error != .interrupted { throw error }
  }
}
