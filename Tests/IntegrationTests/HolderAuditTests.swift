// SPDX-License-Identifier: BSD-2-Clause
//
// An audit names the transaction that holds a queue.

import Basics
import CacheFS
import Listening
import Testing

@testable import TestSupport
@testable import fpcache

@Suite struct HolderAuditTests {
  private static let queue = "cache_clearing_ports"

  private let database: TestDatabase

  init() throws {
    let server = try PostgresServer(settings: ["max_prepared_transactions": "2"])
    database = try server.makeDatabase(shape: .plain)
  }

  private func addRow(age seconds: Int) throws {
    try database.sql(
      """
      DELETE FROM cache_clearing_ports;
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        VALUES (1, 'net', 'a', localtimestamp - interval '\(seconds) seconds')
      """)
  }

  private static let write =
    "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (2, 'net', 'b')"

  /// What an audit says of holders.
  private func audit(as role: String, after patience: Duration) throws -> Audit {
    let dsn = database.server.dsn(database.name, as: role)
    let config = try Config.resolve(flags: Config.Flags(dsn: dsn), environment: [:], files: .real)
    let audit = try DatabaseAudit(config, [.heldQueue], QueueLimits())
    audit.holdPatience = patience
    try audit.begin()
    var suspects: [Finding] = []
    try audit.end(&suspects, elapsed: .seconds(60))
    return Audit(
      findings: audit.findings, files: nil, dryRun: false, namesDatabase: true,
      notChecked: audit.notChecked)
  }

  /// Without the times, which are the server's.
  private func lines(_ audit: Audit) -> [String] {
    audit.lines(all: true).map { $0.replacing(#/at \d{4}-\d\d-\d\dT[0-9:]*Z/#, with: "at TIME") }
  }

  @Test("a session is named, with the time where the role may see it; nobody where no row waits")
  func session() throws {
    let writer = try database.session()
    let process = try writer.sql("SET application_name = 'slow'; SELECT pg_backend_pid()")
    try writer.sql("BEGIN; \(Self.write)")
    #expect(try lines(audit(as: "postgres", after: .zero)) == ["clean"])
    try addRow(age: 0)
    let name = "process \(process) (slow, role postgres)"
    let heading =
      "held-queue (warning): 1: is a queue that a transaction has held for more than a minute"
    let remedy = "\(name): end it, or run SELECT pg_terminate_backend(\(process))"
    let audit = try audit(as: "postgres", after: .zero)
    #expect(
      lines(audit) == [
        heading,
        "  \(Self.queue): is held by \(name), in a transaction that began at TIME; "
          + "its rows stay until that ends",
        "  remedy for \(Self.queue): \(remedy)", "1 finding",
      ])
    #expect(audit.nagios.state == .warning)
    #expect(audit.nagios.output.hasPrefix("FPCACHE WARNING - held-queue=1; \(remedy) | "))
    #expect(try lines(self.audit(as: "postgres", after: QueueHold.patience)) == ["clean"])

    // The role may not see when the transaction began: the row says how long it has waited.
    #expect(try lines(self.audit(as: "listening", after: QueueHold.patience)) == ["clean"])
    try addRow(age: 90)
    #expect(
      try lines(self.audit(as: "listening", after: QueueHold.patience)).dropFirst().first
        == "  \(Self.queue): is held by \(name); its rows stay until that ends")
    try writer.sql("COMMIT")
    #expect(try lines(self.audit(as: "listening", after: .zero)) == ["clean"])
  }

  @Test("a prepared transaction is named, and rather than a session that came later")
  func prepared() throws {
    try addRow(age: 0)
    try database.sql("BEGIN; \(Self.write); PREPARE TRANSACTION 'for|gotten'")
    let writer = try database.session()
    try writer.sql("BEGIN; \(Self.write)")
    let name = "the prepared transaction \"for|gotten\" of role postgres"
    let audit = try audit(as: "postgres", after: .zero)
    #expect(
      lines(audit).dropFirst().first
        == "  \(Self.queue): is held by \(name), prepared at TIME; its rows stay until that ends")
    #expect(
      audit.nagios.output.hasPrefix(
        "FPCACHE WARNING - held-queue=1; the prepared transaction \"for/gotten\" of role postgres: "
          + "run COMMIT PREPARED or ROLLBACK PREPARED | "))
    let json = try Command.fpcache([
      "verify", "--only", "held-queue", "--format", "json", "--dsn", database.listenerDSN,
    ])
    #expect(json.status == 0 && json.stdout.contains("\"findings\":[]"), "\(json)")
    try database.sql("ROLLBACK PREPARED 'for|gotten'")
  }
}
