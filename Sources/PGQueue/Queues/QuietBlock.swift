// SPDX-License-Identifier: BSD-2-Clause
//
// Statements that may wait for a lock in vain, as a block of PL/pgSQL. An error that is caught is not logged, and a
// listener that tries every second while others hold a queue must not fill the server's log. This needs plpgsql, which
// every database has unless it was dropped.

import Basics

/// Such a block reports its result in settings of its transaction.
enum QuietBlock {
  private static let contended = "fpcache.contended"
  private static let count = "fpcache.count"

  /// `on` when a lock was not available, and the number of rows that the block counted.
  static let outcomeStatement = """
    SELECT pg_catalog.current_setting('\(contended)', true), pg_catalog.current_setting('\(count)', true)
    """

  /// The block. Its locks are kept when it ends, like those of a released savepoint. If a lock is not available,
  /// everything that the block did is undone.
  /// - Parameter statements: they may set `fpcache_count` and use `fpcache_one`.
  static func script(_ statements: [String]) -> String {
    let body = (statements + [set(count, "fpcache_count::pg_catalog.text")]).joined(separator: "; ")
    let block = """
      DECLARE fpcache_count pg_catalog.int8 = 0; fpcache_one pg_catalog.int8; BEGIN \(body); \
      EXCEPTION WHEN lock_not_available THEN \(set(contended, "'on'")); END
      """
    return "DO LANGUAGE plpgsql '\(doublingQuotes(block))'"
  }

  /// Byte by byte: the places of 8,000 rows are a long text.
  private static func doublingQuotes(_ text: String) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 64)
    for byte in text.utf8 {
      bytes.append(byte)
      if byte == UInt8(ascii: "'") { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Statements that change rows, each with the code that counts these rows.
  static func counting(_ statements: [String]) -> [String] {
    statements.flatMap {
      [
        $0, "GET DIAGNOSTICS fpcache_one = ROW_COUNT",
        "fpcache_count = fpcache_count \(Builtin.plus) fpcache_one",
      ]
    }
  }

  private static func set(_ name: String, _ value: String) -> String {
    "PERFORM pg_catalog.set_config('\(name)', \(value), true)"
  }
}
