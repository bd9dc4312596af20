// SPDX-License-Identifier: BSD-2-Clause
//
// One test's own database on a throwaway server, and psql sessions on it. They are the writers and the observers of a
// test, separate from the code under test.

import Foundation

/// A database with the site's schema, dropped with its last reference.
public final class TestDatabase: Sendable, CustomStringConvertible {
  /// Its name, chosen at random.
  public let name: String
  /// The server it is on.
  public let server: PostgresServer

  init(name: String, server: PostgresServer) {
    self.name = name
    self.server = server
  }

  deinit {
    try? drop()
  }

  /// How the superuser reaches it.
  public var dsn: String { server.dsn(name) }

  /// How the role `listening` reaches it through the socket.
  public var listenerDSN: String { server.dsn(name, as: "listening") }

  /// How the role `listening` reaches it through 127.0.0.1, if the server listens there.
  public func loopbackDSN(password: String = PostgresServer.listenerPassword) -> String {
    "host=127.0.0.1 port=\(server.port) dbname=\(name) user=listening password=\(password)"
  }

  /// Runs statements as superuser on a separate connection, each committed by itself.
  /// - Returns: the result: one line per row, `|` between columns.
  /// - Throws: `SupportError` with the server's message at the first statement that fails.
  @discardableResult
  public func sql(_ sql: String) throws -> String {
    try server.sql(sql, in: name)
  }

  /// Replaces the small tables with the tables that the sample configuration queries, empty, and grants the listener's
  /// role the permissions that the sample names.
  public func makeFreshPorts() throws {
    try sql(
      String(contentsOfFile: SQLFiles.folder + "/freshports.sql", encoding: .utf8)
        + SampleConfiguration.grants.joined(separator: "\n"))
  }

  /// How many rows a table holds, for instance `cache_clearing_ports`.
  public func count(_ table: String) throws -> Int {
    Int(try sql("SELECT count(*) FROM \(table)")) ?? -1
  }

  /// The process ids of the server processes for a role's connections to this database.
  public func backends(of role: String = "listening") throws -> [pid_t] {
    try sql(
      """
      SELECT pid FROM pg_stat_activity
      WHERE datname = '\(name)' AND usename = '\(role)' AND pid <> pg_backend_pid() ORDER BY pid
      """
    ).split(separator: "\n").compactMap { pid_t($0) }
  }

  /// Opens a connection that stays open, for a transaction in steps.
  public func session(as role: String = "postgres") throws -> PsqlSession {
    try server.session(name, as: role)
  }

  /// Disconnects all clients and drops it; no error if it is gone.
  public func drop() throws {
    try server.sql(
      """
      SET client_min_messages = warning;
      UPDATE pg_database SET datallowconn = false WHERE datname = '\(name)';
      SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\(name)';
      DROP DATABASE IF EXISTS \(name);
      """)
  }

  /// Its name and the contents of its queues.
  public var description: String {
    let queues = ["ports", "dates", "commits", "files"].map { queue in
      "\(queue) \((try? count("cache_clearing_\(queue)")).map(String.init) ?? "?")"
    }
    return "database \(name): \(queues.joined(separator: ", "))"
  }
}
