// SPDX-License-Identifier: BSD-2-Clause
//
// The incident that fpcache was made for, as an audit would have told it on its first day: nobody
// listens, what was queued waits, the pages are stale, and the news folder is one that nobody has.
// `make audit` does it with all the 20,508 rows.

import Foundation
import Testing

@testable import TestSupport

@Suite struct VerifyIncidentTests {
  @Test("what the incident's first day would have looked like")
  func firstDay() throws {
    let incident = try IncidentTree(ports: 60, days: 10)
    let database = try PostgresServer.shared.makeDatabase()
    try incident.queue(in: database)
    try database.sql(
      """
      UPDATE cache_clearing_ports SET date_added = '2020-01-20 12:00Z'::timestamptz;
      UPDATE cache_clearing_dates SET date_added = '2020-01-20 12:00Z'::timestamptz;
      """)
    let base = try TemporaryTree()
    let file = base.fullPath("fp-listen.ini")
    try base.write(
      "fp-listen.ini",
      text: """
        [dirs]
        BASEDIR = \(base.path)
        NEWS_CACHE_DIR = '%(BASEDIR)s/cache/new/*'
        """)
    func verify(_ arguments: [String]) throws -> CommandResult {
      try Command.fpcache(
        ["verify", "--config", file, "--cache-dir", incident.tree.path]
          + ["--dsn", database.listenerDSN, "--max-backlog", "50"] + arguments, in: incident.tree)
    }
    let text = try verify([])
    #expect(
      text.stdout == """
        misplaced (warning): 2: is named like a page that lies in another folder
          news/index-html-head-pagesize100-pagenum1-html: is named like a page of news, which lies in another folder
          news/news.rss2.0.head.xml: is named like a page of news, which lies in another folder
          remedy: if the configuration names the right folder, remove it by hand and find the program that wrote it
        pending (critical): 245: has waited for more than a minute to be cleared
        \(try first(5, of: incident).joined(separator: "\n"))
          and 240 more (-v lists all)
          remedy: check that fpcache listen runs, or run fpcache listen --once
        backlog (critical): 1: has too many rows waiting, or a row waiting for too long
          cache_clearing_ports: has 60 rows waiting; 50 are allowed
          remedy: check that fpcache listen runs, or run fpcache listen --once
        no-listener (critical): 1: has no listener on its channels
          listen_for: has no listener on its channels: no session of the role listening or of \
        another visible role
          remedy: start fpcache listen and read its log
        missing-dir (critical): 1: is a configured folder that does not exist
          new: is a configured folder that does not exist; did you mean news?
          remedy: correct the configuration, or create the folder
        quoted-value (notice): 1: is in quotes, which are ignored
          \(file):3: NEWS_CACHE_DIR is in quotes, which are ignored
          remedy: nothing to do; remove the quotes if no other program needs them
        251 findings in 254 files

        """)
    #expect(text.status == 1 && text.stderr.isEmpty)
    let nagios = try verify(["--format", "nagios"])
    let line = nagios.firstLine.replacing(#/_oldest=[1-9]\d*s/#, with: "_oldest=Ns")
    #expect(
      line == """
        FPCACHE CRITICAL - misplaced=2 pending=245 backlog=1 no-listener=1 missing-dir=1 quoted-value=1 \
        | findings=251;;;0 files=254;;;0 critical=248;;;0 warning=2;;;0 notice=1;;;0 cache_clearing_ports=60;;50;0 \
        cache_clearing_dates=10;;50;0 cache_clearing_commits=0;;50;0 cache_clearing_files=0;;50;0 \
        cache_clearing_ports_oldest=Ns;;;0 cache_clearing_dates_oldest=Ns;;;0 \
        cache_clearing_commits_oldest=0s;;;0 cache_clearing_files_oldest=0s;;;0
        """)
    #expect(nagios.status == 2)
    // Every page that was stale, and none other.
    let pending = try AuditDocument(verify(["--format", "json", "--only", "pending"]))
    #expect(
      pending.subjects["pending"] == Set(incident.stalePages.filter { !$0.hasPrefix("news/") }))
  }

  private func first(_ count: Int, of incident: IncidentTree) throws -> [String] {
    incident.stalePages.prefix(count).map { page in
      "  \(page): has waited in cache_clearing_ports since 2020-01-20T12:00:00Z to be cleared"
    }
  }
}
