// SPDX-License-Identifier: BSD-2-Clause
//
// One of the site's queries asked on a real server: what it gives, and what makes it useless.

import CacheFS
import TestSupport
import Testing

@testable import Listening
@testable import PGQueue

@Suite struct FamilyChangesTests {
  private func ask(_ sql: String, mostKeys: Int = 10) throws -> (keys: Int?, problem: String?) {
    let database = try PostgresServer.shared.makeDatabase()
    let query = FamilyQuery(family: "packages", sql: sql, place: "f.ini:1")
    let changes = try FamilyChanges(
      query, .freshPorts, timeout: .seconds(10), mostKeys: mostKeys,
      on: Connection(ConnectionParameters([("dbname", database.listenerDSN)])))
    return (changes.table?.count, changes.problem)
  }

  @Test("as many keys as are allowed are kept; one more makes it useless")
  func mostKeys() throws {
    let sql = """
      SELECT 'net' AS category, 'p' || n % 10 AS port, now() AS changed_at FROM generate_series(1, 30) n
      """
    #expect(try ask(sql) == (10, nil))
    #expect(try ask(sql, mostKeys: 9) == (nil, "gives more than 9 keys"))
  }

  @Test("without the time, or with a column that is no field, it is useless")
  func columns() throws {
    #expect(try ask("SELECT 1 AS port") == (nil, "has no column changed_at"))
    let odd = try ask("SELECT 1 AS prt, now() AS changed_at")
    #expect(odd.keys == nil)
    #expect(odd.problem?.hasPrefix("has a column prt, which is not a field of packages; ") == true)
  }
}
