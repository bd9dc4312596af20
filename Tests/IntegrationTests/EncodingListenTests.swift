// SPDX-License-Identifier: BSD-2-Clause
//
// A listener on a database of no encoding, as the site's is, to which any role may send any bytes.

import Testing

@testable import TestSupport

@Suite struct EncodingListenTests {
  @Test(
    "bytes that are not UTF-8, in payloads and in listen_for, cost neither the connection nor time")
  func oddBytes() throws {
    let database = try PostgresServer.shared.makeDatabase(encoding: "SQL_ASCII")
    let odd = "convert_from('\\xe9', 'SQL_ASCII')"
    try database.sql(
      """
      ALTER ROLE listening IN DATABASE \(database.name) SET client_encoding = 'UTF8';
      INSERT INTO listen_for (name, script_name) VALUES ('odd' || \(odd), 'listen_vuxml');
      """)
    let tree = try TemporaryTree()
    try tree.write("news/page", bytes: 1)
    let listener = try Daemon.listen(on: tree, database, ["--settle", "0"])
    try listener.waitForLog(containing: "drained: ")
    for day in 1...5 {
      let page = "daily/2020/01/0\(day).daily.head"
      try tree.write(page, bytes: 1)
      try database.sql(
        """
        BEGIN; INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-0\(day)');
        SELECT pg_notify('port_updated', \(odd)); NOTIFY date_updated; COMMIT
        """)
      try eventually("\(page) goes", details: "\(listener)") { !tree.exists(page) }
    }
    try tree.write("news/page", bytes: 1)
    try database.sql("SELECT pg_notify('odd' || \(odd), \(odd))")
    try eventually("the odd channel is heard", details: "\(listener)") {
      !tree.exists("news/page")
    }
    #expect(!listener.lines.contains { $0.contains("connection lost") }, "\(listener)")
    #expect(listener.lines.contains { $0.contains(#"odd\xe9"#) }, "\(listener)")
  }
}
