// SPDX-License-Identifier: BSD-2-Clause
//
// How much memory this process has asked for. libpq allocates room for a whole message after it has read its
// first five bytes. That can be two gigabytes, and libpq does not report it.

/// The process's address space, where the system reports its size (Linux).
package final class AddressSpace {
  private let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  private let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))

  deinit { if file >= 0 { close(file) } }

  package init() {}

  /// In bytes; nil where the system does not report it.
  package var size: Int? {
    guard file >= 0 else { return nil }
    var text = [UInt8](repeating: 0, count: 32)
    let count = pread(file, &text, text.count, 0)
    var pages = 0
    for byte in text.prefix(max(0, count)) {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
      pages = pages * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return pages > 0 ? pages * pageSize : nil
  }
}
