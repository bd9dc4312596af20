// SPDX-License-Identifier: BSD-2-Clause
//
// Statements that may wait for a lock in vain, as a block of PL/pgSQL: an error that is caught is not logged, and whoever
// tries every second while others hold a queue must not fill the server's log. It takes plpgsql, which every
// database has unless it was dropped.

import Basics

/// What becomes of such a block is told by settings of its transaction.
enum QuietBlock {
  private static let contended = "fpcache.contended"
  private static let count = "fpcache.count"

  /// `on` where a lock was not to be had, and how many rows the block came to.
  static let outcomeStatement = """
    SELECT pg_catalog.current_setting('\(contended)', true), pg_catalog.current_setting('\(count)', true)
    """

  /// The block. Its locks are kept when it ends, as those of a savepoint that is released; where one is not to be had,
  /// all is undone that it did.
  /// - Parameter statements: they may set `fpcache_count` and use `fpcache_one`.
  static func script(_ statements: [String]) -> String {
    let body = (statements + [set(count, "fpcache_count::pg_catalog.text")]).joined(separator: "; ")
    let block = """
      DECLARE fpcache_count pg_catalog.int8 = 0; fpcache_one pg_catalog.int8; BEGIN \(body); \
      EXCEPTION WHEN lock_not_available THEN \(set(contended, "'on'")); END
      """
    return "DO LANGUAGE plpgsql '\(block.replacing("'", with: "''"))'"
  }

  /// Statements that change rows, and what counts these.
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
