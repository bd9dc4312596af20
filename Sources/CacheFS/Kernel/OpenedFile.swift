// SPDX-License-Identifier: BSD-2-Clause
//
// An open file of the cache. A file that a writer puts in its place meanwhile is a different one.

import Basics
import SystemPackage

/// A descriptor of a file, closed at the end of its owner's scope.
struct OpenedFile: ~Copyable {
  private let descriptor: CInt

  fileprivate init(_ descriptor: CInt) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Reads from an offset until the buffer is full or the file ends.
  /// - Returns: how many bytes were read.
  /// - Throws: the `Errno` of pread(2).
  borrowing func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let count = try retrying {
        pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

extension Directory {
  /// Opens a file of this folder for reading. It never waits, whatever the type of the file.
  /// - Throws: the `Errno` of openat(2); `ELOOP` for a link.
  func openFile(_ name: CName) throws(Errno) -> OpenedFile {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    return OpenedFile(try retrying { openat(descriptor, name, flags) })
  }
}
