// SPDX-License-Identifier: BSD-2-Clause
//
// An audit again and again while committers, renderers and a listener are at work: whatever it says
// there is false, but for the faults that are planted to see whether it is blind.

import ArgumentParser
import Foundation
import PGQueue
import TestSupport

struct AuditLive: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live",
    abstract: "Audits while renderers and a listener are at work: no false accusation.")
  @Option(help: "How long.") var minutes = 10.0
  @Option(help: "How many changes a second, or nearly.") var rate = 20.0
  @Option(help: "What the choices grow from.") var seed: UInt64 = 1

  func run() throws {
    guard try AuditLiveRun(rate: rate, seed: seed).run(for: minutes) else {
      throw ExitCode.failure
    }
  }
}

/// Audits at work.
private final class AuditLiveRun {
  private static let settle = Duration.seconds(1)
  private static let writers = 4
  private static let visitors = 3
  /// Between two looks whether the audit sees anything at all.
  private static let controlInterval = Duration.seconds(20)
  /// The listener makes its connections anew this often, as at a change of its configuration.
  private static let reloadInterval = Duration.seconds(15)
  /// A port that was changed an hour ago and whose row was lost, and one that never was.
  private static let lost = "ports/stress/lost/Detail.Part1.head.PageSize100.PageNum1.html"
  private static let ghost = "ports/stress/ghost/Detail.Part1.head.PageSize100.PageNum1.html"

  private let site: Site
  private let listener: FpcacheSubject
  private let base: TemporaryTree
  private let deeds = Deeds()
  private let writers: Crew
  private let visitors: Crew
  private var audits = 0
  private var files = 0
  private var controls = 0
  private var complaints = 0

  init(rate: Double, seed: UInt64) throws {
    let site = try Site(
      PostgresServer.shared.makeDatabase(), ports: 8, days: 2, news: true)
    self.site = site
    try Self.prepare(site.database)
    base = try TemporaryTree()
    try base.write("fpcache.ini", text: Self.configuration)
    listener = try FpcacheSubject(site, settle: Self.settle)
    let deeds = deeds
    let pace = Duration.milliseconds(Int64(Double(Self.writers) * 1000 / rate))
    writers = Crew(Self.writers) {
      Writer(site, deeds, pace: pace, SeededGenerator(seed, stream: 100 + $0))
    }
    visitors = Crew(Self.visitors) {
      Visitor(site, deeds, renderMilliseconds: 20, SeededGenerator(seed, stream: 200 + $0))
    }
  }

  /// Times of change, as a site has them: those of the transaction's start.
  private static func prepare(_ database: TestDatabase) throws {
    try database.sql(
      """
      ALTER TABLE ports ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
      ALTER TABLE commit_log ADD COLUMN date_added timestamptz NOT NULL DEFAULT now();
      CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.changed_at = now(); RETURN NEW; END $$;
      CREATE TRIGGER note_change BEFORE UPDATE ON ports
        FOR EACH ROW EXECUTE FUNCTION note_change();
      INSERT INTO ports (category_id, name, version, changed_at)
        VALUES (1, 'lost', '1', now() - interval '1 hour');
      GRANT SELECT ON ports, categories, commit_log TO listening;
      """)
  }

  private static let configuration = """
    [verify]
    PORTS = SELECT c.name AS category, p.name AS port, p.changed_at
      FROM ports p JOIN categories c ON c.id = p.category_id
    CATEGORIES = SELECT c.name AS category, max(p.changed_at) AS changed_at
      FROM ports p JOIN categories c ON c.id = p.category_id GROUP BY 1
    DAILY = SELECT to_char(commit_date, 'YYYY') AS year, to_char(commit_date, 'MM') AS month,
      to_char(commit_date, 'DD') AS day, max(date_added) AS changed_at FROM commit_log GROUP BY 1, 2, 3
    NEWS = SELECT max(changed_at) AS changed_at FROM ports
    """

  /// - Returns: whether nobody was accused who is right, and everybody who is not.
  func run(for minutes: Double) throws -> Bool {
    defer {
      writers.dismiss()
      visitors.dismiss()
    }
    try listener.start()
    let length = Duration.milliseconds(Int64(minutes * 60_000))
    let began = ContinuousClock.now
    // The listener has to be there before it can be missed.
    try eventually("the listener listens") {
      try site.database.backends().count == 2
    }
    visitors.work()
    writers.work()
    // Without a commit no query can say anything of days, and the audit says just that.
    try eventually("a commit is made") {
      try site.database.count("commit_log") > 0
    }
    var nextControl = Self.controlInterval
    var nextReload = Self.reloadInterval
    while began.duration(to: .now) < length {
      try judge([])
      let elapsed = began.duration(to: .now)
      if elapsed > nextReload {
        listener.signal(SIGHUP)
        nextReload = elapsed + Self.reloadInterval
      }
      if elapsed > nextControl {
        try control()
        nextControl = elapsed + Self.controlInterval
      }
    }
    try writers.rest()
    try visitors.rest()
    print(
      """
      \(Int(began.duration(to: .now).seconds)) s: \(audits) audits of \(files / max(1, audits)) files \
      on average, while there were \(deeds.changes) changes, \(deeds.renders) renders and \
      \(listener.drains) drains
      \(controls) planted faults, each to be found
      """)
    try listener.stop()
    print(complaints == 0 ? "SOUND: no false accusation." : "UNSOUND: \(complaints) complaints.")
    return complaints == 0 && audits > 0 && deeds.changes > 0 && deeds.renders > 0
  }

  /// Audits once, and compares what is found with what is wrong.
  private func judge(_ faults: [String]) throws {
    let result = try Command.fpcache(
      [
        "verify", "--config", base.fullPath("fpcache.ini"), "--cache-dir", site.tree.path, "--dsn",
        site.database.listenerDSN, "--format", "json", "--max-backlog", "1000", "--stale-after",
        "1d",
      ])
    let document = try AuditDocument(result)
    audits += 1
    files += document.files ?? 0
    let found = document.findings.map { "\($0.code) \($0.path)" }.sorted()
    guard found == faults, document.notChecked.isEmpty, document.databaseError == nil else {
      complaints += 1
      return complain("WRONG: expected \(faults)\n\(result.stdout)\(result.stderr)")
    }
  }

  /// Two pages that are wrong among all that are right.
  private func control() throws {
    for page in [Self.lost, Self.ghost] {
      try site.tree.write(page, bytes: 100)
      try site.tree.setAge(page, .seconds(7200))
    }
    try judge(["orphan \(Self.ghost)", "stale \(Self.lost)"])
    controls += 2
    for page in [Self.lost, Self.ghost] {
      site.tree.remove((page as NSString).deletingLastPathComponent)
    }
  }
}
