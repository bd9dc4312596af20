// SPDX-License-Identifier: BSD-2-Clause
//
// A listing whose entries are removed meanwhile, in a folder that others may write to. Some file systems put a
// new entry after all others. When others write faster than the caller removes, the listing would never end.
// Listing is much faster than either, so when others are seen to write, the rest is listed first.

import Basics
import SystemPackage

extension Directory {
  /// Names and types that were listed and must still be visited, some 30 bytes each.
  private struct Found {
    private var bytes: [UInt8] = []
    private var entries: [(length: Int16, type: EntryType)] = []

    mutating func append(_ name: CName, _ length: Int, _ type: EntryType) {
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: name, count: length + 1))
      entries.append((Int16(clamping: length), type))
    }

    func visit(until isStopped: () -> Bool, _ body: (CName, Int, EntryType) -> Void) {
      bytes.withUnsafeBytes { bytes in
        var start = 0
        for (number, entry) in entries.enumerated() {
          if number % 500 == 0, isStopped() { return }
          guard let base = bytes.baseAddress else { return }
          let name = (base + start).assumingMemoryBound(to: CChar.self)
          body(name, Int(entry.length), entry.type)
          start += Int(entry.length) + 1
        }
      }
    }
  }

  /// Like ``list(_:_:_:)``, for a `body` that removes entries.
  /// - Parameters:
  ///   - isStopped: whether to stop before the end; called from time to time in a folder of many entries.
  ///   - isWrittenTo: whether the body has met files that others wrote meanwhile.
  /// - Returns: the number of kernel calls.
  /// - Throws: the `Errno` of lseek(2) or getdents64(2).
  func listToRemove(
    _ buffer: UnsafeMutableRawBufferPointer, _ turn: ListingTurn, until isStopped: () -> Bool,
    whenWrittenTo isWrittenTo: () -> Bool, _ body: (CName, Int, EntryType) -> Void
  ) throws(Errno) -> Int {
    if turn == .again { try rewind() }
    var calls = 1
    while try listNext(buffer, body) {
      calls += 1
      if calls > 2, isStopped() { break }
      guard isWrittenTo() else { continue }
      var rest = Found()
      while try listNext(buffer, { rest.append($0, $1, $2) }) {
        calls += 1
        if calls > 2, isStopped() { break }
      }
      rest.visit(until: isStopped, body)
      break
    }
    return Self.counted(calls)
  }
}
