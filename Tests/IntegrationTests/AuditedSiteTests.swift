// SPDX-License-Identifier: BSD-2-Clause
//
// An audit of a whole site: nothing is found where nothing is wrong, everything where everything is,
// and nothing is changed by looking. `make audit` does the same with a hundred thousand files.

import Foundation
import Testing

@testable import TestSupport

@Suite struct AuditedSiteTests {
  @Test("a site in order, every shape of name old and new: clean, and unchanged")
  func clean() throws {
    let site = try AuditedSite(files: 3000, database: PostgresServer.shared.makeDatabase())
    try site.base.give(to: .unprivileged)
    let listener = try site.listener()
    let before = try site.base.snapshot()
    let rows = try site.rows()
    let result = try site.verify(["--format", "json", "--max-backlog", "0", "--stale-after", "1d"])
    let document = try AuditDocument(result)
    #expect(result.status == 0, "\(result)")
    #expect(document.findings.isEmpty && document.notChecked.isEmpty, "\(result)")
    #expect(document.files == site.files && document.databaseError == nil)
    #expect(document.clockDifferenceSeconds.map(abs) ?? 99 < 1)
    #expect(try site.base.snapshot().differences(from: before) == [])
    #expect(try site.rows() == rows)
    withExtendedLifetime(listener) {}
  }

  @Test("the same with faults of every kind: all found, none invented, nothing changed")
  func faults() throws {
    let site = try AuditedSite(files: 3000, database: PostgresServer.shared.makeDatabase())
    let faults = try PlantedFaults(68, in: site)
    let before = try site.base.snapshot()
    let rows = try site.rows()
    let result = try site.verify(faults.arguments + ["--format", "json"])
    let document = try AuditDocument(result)
    #expect(document.differences(from: faults.expected) == [], "\(result.stderr)")
    #expect(Set(document.counts.keys) == Set(faults.expected.keys))
    #expect(result.status == 1)
    #expect(try site.base.snapshot().differences(from: before) == [])
    #expect(try site.rows() == rows)
  }
}

extension AuditedSite {
  /// Somebody who listens, and does nothing else.
  func listener() throws -> PsqlSession? {
    let session = try database?.session(as: "listening")
    try session?.sql("LISTEN port_updated")
    return session
  }

  /// Everything that the queues hold.
  func rows() throws -> String {
    try ["ports", "dates", "files"].map { queue in
      try database?.sql("SELECT * FROM cache_clearing_\(queue) ORDER BY 1") ?? ""
    }.joined(separator: "\n")
  }
}
