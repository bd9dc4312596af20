// SPDX-License-Identifier: BSD-2-Clause
//
// Databases whose text is of whatever encoding, and of none: bytes come and go as they are.

import Testing

@testable import PGQueue
@testable import TestSupport

@Suite struct EncodingTests {
  /// An e with an accent in LATIN1, which is no UTF-8 and which SQL_ASCII takes as it takes anything.
  private static let odd: [UInt8] = [0x63, 0xE9]

  @Test(
    "names of channels, payloads and rows that are not UTF-8", arguments: ["SQL_ASCII", "LATIN1"])
  func bytes(_ encoding: String) throws {
    let database = try PostgresServer.shared.makeDatabase(encoding: encoding)
    // Whatever the role would have converted.
    let byte = encoding == "LATIN1" ? "chr(233)" : "convert_from('\\xe9', 'SQL_ASCII')"
    try database.sql(
      """
      ALTER ROLE listening IN DATABASE \(database.name) SET client_encoding = 'UTF8';
      INSERT INTO listen_for (name, script_name) VALUES ('c' || \(byte), 'listen_vuxml');
      """)
    let connection = try Connection(
      ConnectionParameters([("dbname", database.listenerDSN + " client_encoding=UTF8")]))
    let channels = try Channel.all(of: SiteEvent.all, on: connection)
    let channel = try #require(channels.last)
    #expect(channel.name == Self.odd)
    try connection.listen(to: channel.name)
    try connection.listen(to: Array("port_updated".utf8))
    connection.ownPayload = Array("ours".utf8)
    try database.sql(
      """
      SET client_encoding = '\(encoding)';
      SELECT pg_notify('port_updated', \(byte)), pg_notify('c' || \(byte), \(byte)), pg_notify('port_updated', 'ours')
      """)
    try eventually("all three have come") {
      try connection.takeNotifications().map(\.channel)
        == [Array("port_updated".utf8), Self.odd, Array("port_updated".utf8)]
    }
    #expect(try connection.query("SELECT 1").text(0, 0) == "1")
  }
}
