// SPDX-License-Identifier: BSD-2-Clause
//
// A writer that holds a queue: pages of the rows that can be seen go at once, the rows follow
// when the writer ends, and the log has one line of it.

import Testing

@testable import TestSupport

@Suite struct ContentionTests {
  @Test("while a writer holds the queue, pages go and rows stay; when it ends, the rows go")
  func writer() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 3, days: 1)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: ")
    let writer = try database.session()
    _ = try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (9, 'held', 'up')")

    try incident.queue(in: database)
    _ = try database.sql("NOTIFY port_updated; NOTIFY date_updated")
    try eventually("the pages go", details: "\(listener)") { try incident.remainingPages() == [] }
    try listener.waitForLog(containing: "a writer holds the rest")
    #expect(try database.count("cache_clearing_ports") == 3)
    // Other writers are let in between our tries.
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (8, 'let', 'in')")

    _ = try writer.sql("COMMIT")
    try eventually("the rows go", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(listener.lines.count { $0.contains("a writer holds the rest") } == 1, "\(listener)")
  }

  @Test("terminated connections and a restarted server: nothing is lost, one line each way")
  func restart() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let incident = try IncidentTree(ports: 2, days: 0)
    try incident.register(in: database)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: ")
    for mode in [PostgresServer.StopMode.fast, .immediate] {
      let mark = listener.lines.count
      try server.stop(mode)
      try listener.waitForLog(containing: "will retry until it answers", after: mark)
      try server.start()
      try listener.waitForLog(containing: "database: reconnected after", after: mark)
      try listener.waitForLog(containing: "drained: ", after: mark)
      let lines = listener.lines.dropFirst(mark)
      #expect(lines.count { $0.contains("will retry until it answers") } == 1, "\(listener)")

      let port = incident.ports[0]
      let page = IncidentTree.portPages(port)[0]
      try incident.tree.write(page, bytes: 10)
      _ = try database.sql("UPDATE ports SET version = version || 'x' WHERE name = '\(port.port)'")
      try eventually("the page goes", details: "\(listener)") { !incident.tree.exists(page) }
    }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
