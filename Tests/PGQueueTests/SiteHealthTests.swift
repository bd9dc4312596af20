// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit asks the database about itself: tables and rights, who listens, the clock. On a real
// server, as the role that the site gives us.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct SiteHealthTests {
  private func connection(
    _ database: TestDatabase, as role: String = "listening", name: String = "tests"
  ) throws -> Connection {
    try Connection(
      ConnectionParameters([
        ("dbname", database.server.dsn(database.name, as: role)), ("application_name", name),
      ]))
  }

  // MARK: Rights

  @Test func theSitesRoleHasWhatItNeeds() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let rights = try TableRights.all(of: QueueTable.all, on: connection(database))
    #expect(
      rights.map(\.table) == [
        "cache_clearing_ports", "cache_clearing_dates", "cache_clearing_commits",
        "cache_clearing_files", "listen_for",
      ])
    #expect(rights.allSatisfy { $0.exists && $0.missing.isEmpty })
  }

  @Test func whatIsMissingIsTold() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      DROP TABLE cache_clearing_files;
      REVOKE DELETE ON cache_clearing_ports FROM listening;
      REVOKE ALL ON cache_clearing_dates, listen_for FROM listening;
      """)
    let rights = try TableRights.all(of: QueueTable.all, on: connection(database))
    #expect(
      rights == [
        TableRights(
          table: "cache_clearing_ports", exists: true, missing: ["DELETE"],
          grant: "GRANT DELETE ON cache_clearing_ports TO listening;"),
        TableRights(
          table: "cache_clearing_dates", exists: true, missing: ["SELECT", "DELETE"],
          grant: "GRANT SELECT, DELETE ON cache_clearing_dates TO listening;"),
        TableRights(table: "cache_clearing_commits", exists: true, missing: []),
        TableRights(table: "cache_clearing_files", exists: false, missing: []),
        TableRights(
          table: "listen_for", exists: true, missing: ["SELECT"],
          grant: "GRANT SELECT ON listen_for TO listening;"),
      ])
  }

  // MARK: Listeners

  @Test func whoeverListensIsSeen() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let audit = try connection(database)
    #expect(
      try ListenerSessions.count(on: audit)
        == ListenerSessions(listening: 0, hidden: 0, isTracked: true, role: "listening"))
    let bystander = try database.session(as: "listening")
    try bystander.sql("SELECT 'listen closely', 1 AS listen")
    #expect(try ListenerSessions.count(on: audit).listening == 0)
    let listener = try database.session(as: "listening")
    for statement in ["listen port_updated", "  LISTEN\n\"x y\"", "SELECT 1; LISTEN x"] {
      try listener.sql(statement)
      #expect(try ListenerSessions.count(on: audit).listening == 1, "\(statement)")
    }
    try listener.sql("SELECT 1")
    #expect(try ListenerSessions.count(on: audit).listening == 0)
  }

  /// A listener of another role shows its name, and not what it does.
  @Test func whatCannotBeSeenIsCounted() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let listener = try connection(database, as: "postgres", name: ApplicationName.listener)
    try listener.query("LISTEN x")
    let other = try connection(database, as: "postgres", name: "psql")
    try other.query("LISTEN x")
    let sessions = try ListenerSessions.count(on: connection(database))
    #expect(sessions.listening == 0 && sessions.hidden == 1)
    #expect(
      try ListenerSessions.count(on: connection(database, as: "postgres")).listening == 2)
    withExtendedLifetime((listener, other)) {}
  }

  @Test func otherDatabasesAreNoneOfOurs() throws {
    let other = try PostgresServer.shared.makeDatabase()
    let listener = try connection(other, name: ApplicationName.listener)
    try listener.query("LISTEN x")
    let database = try PostgresServer.shared.makeDatabase()
    let own = try connection(database)
    #expect(try ListenerSessions.count(on: own).listening == 0)
    withExtendedLifetime((listener, database)) {}
  }

  // MARK: The clock, and what may be done

  @Test func theServersClock() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let (seconds, roundTrip) = try connection(database).serverTime()
    let asked = try Double(database.sql("SELECT extract(epoch FROM now())")) ?? 0
    #expect(abs(asked - seconds) < 5 && roundTrip > .zero)
  }

  @Test func anAuditorChangesNothing() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let audit = try connection(database)
    try audit.makeAuditor()
    for statement in ["DELETE FROM cache_clearing_ports", "CREATE TEMP TABLE x ()"] {
      do throws(DatabaseError) {
        try audit.query(statement)
        if statement.hasPrefix("DELETE") { Issue.record("allowed: \(statement)") }
      } catch {
        guard case .refused(let reason) = error else { throw error }
        #expect(reason.sqlState == "25006")
      }
    }
  }
}
