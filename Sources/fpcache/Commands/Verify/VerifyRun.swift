// SPDX-License-Identifier: BSD-2-Clause
//
// One audit from its settings to its findings. It checks the configuration, the database, the tree and the database
// again, then fixes.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// One audit: its settings and its work.
struct VerifyRun {
  let config: Config
  let codes: Set<FindingCode>
  let actor: Actor
  /// The cache directory, opened; without it the tree is not walked.
  var root: Directory?
  var asksDatabase = true
  var staleAfter: Age?
  var limits = QueueLimits()
  /// Whether the operator asked for the codes by name. Then a check that cannot be done is reported.
  var isExplicit = false
  /// Removes what is found; nil when fixing was not asked for.
  var fixer: Clearer?
  var dryRun = false
  /// Whether to acknowledge the misses.
  var acknowledges = false

  init(config: Config, codes: Set<FindingCode>, actor: Actor) {
    self.config = config
    self.codes = codes
    self.actor = actor
  }

  func audit() -> Audit {
    let began = ContinuousClock.now
    var database: DatabaseAudit?
    var databaseError: DatabaseError?
    var changes: [ChangeTable] = []
    if asksDatabase, codes.contains(where: { $0.needs.contains(.database) }) {
      do throws(DatabaseError) {
        let audit = try DatabaseAudit(config, codes, limits)
        try audit.begin()
        changes = try audit.changes()
        database = audit
      } catch {
        databaseError = error
      }
    }
    var (findings, files) = look(changes, database, &databaseError)
    if let database, databaseError == nil {
      do throws(DatabaseError) {
        try database.end(&findings, elapsed: began.duration(to: .now))
      } catch {
        databaseError = error
      }
    }
    findings += database?.findings ?? []
    findings += config.oddities.filter { codes.contains($0.code) }
    if let fixer { findings = fixer.fix(findings) }
    var notAcknowledged: NotChecked?
    if acknowledges { notAcknowledged = acknowledge(&findings) }
    var audit = Audit(
      findings: findings.sorted(by: Finding.precedes), files: files, dryRun: dryRun,
      databaseError: databaseError, namesDatabase: config.namesDatabase)
    audit.notChecked = (database?.notChecked ?? []) + [notAcknowledged].compactMap { $0 }
    if isExplicit { audit.notChecked += unasked(database, databaseError) }
    audit.queues = database?.queues ?? []
    audit.clockDifference = changes.isEmpty ? nil : database.map { tenths($0.clocks.lead) }
    audit.limits = limits
    return audit
  }

  /// Acknowledges the misses, but not those that still wait for a decision.
  /// - Returns: why the acknowledgement cannot be written; nil where it was written, or nothing was missed.
  private func acknowledge(_ findings: inout [Finding]) -> NotChecked? {
    let missed = findings.indices.filter { index in
      guard findings[index].code == .missed, case .words = findings[index].evidence else {
        return false
      }
      return true
    }
    guard !missed.isEmpty else { return nil }
    let files = MissedFiles(stateDirectory: config.listen.stateFolder)
    do throws(Errno) {
      if !dryRun { try files.acknowledge() }
    } catch {
      return NotChecked(
        subject: files.acknowledgedName, codes: [.missed],
        reason: "not acknowledged: \(error); run it as the listener's user, with its STATE_DIR")
    }
    for index in missed { findings[index] = findings[index].fixed(.acknowledged) }
    return nil
  }

  // MARK: The tree

  private func look(
    _ changes: [ChangeTable], _ database: DatabaseAudit?, _ failure: inout DatabaseError?
  ) -> (findings: [Finding], files: Int?) {
    guard let root, codes.needTree else { return ([], nil) }
    var query = VerifyQuery(codes: codes, actor: actor, changes: changes)
    // Ages are measured by the clock that stamps the files.
    query.now = root.fileSystemTime() ?? currentTime()
    query.modifiedBefore = staleAfter.map { $0.before(query.now) }
    query.leastSizes = config.verify.leastSizes
    if let database { query.clocks = database.clocks }
    var lost: DatabaseError?
    let verifier = Verifier(Scanner(root, layout: config.layout), query)
    var (findings, files) = verifier.audit { suspects in
      do throws(DatabaseError) {
        try database?.review(&suspects, root)
      } catch {
        // Without a way to excuse these suspects, they are not reported either.
        suspects.removeAll { $0.code == .stale || $0.code == .orphan }
        lost = error
      }
    }
    failure = failure ?? lost
    if codes.contains(.notClearable), let (folder, denial) = barrier {
      findings.append(
        Finding(.notClearable, CachePath(Array(folder.string.utf8)), .denied(denial)))
    }
    return (findings, files)
  }

  private var barrier: (folder: FilePath, Denial)? {
    actor.barrier(onTheWayTo: config.cacheDirectory)
  }

  // MARK: What was asked for by name and cannot be looked for

  private func unasked(
    _ database: DatabaseAudit?, _ databaseError: DatabaseError?
  ) -> [NotChecked] {
    var reasons: [(code: FindingCode, reason: String)] = []
    if codes.contains(.expired), staleAfter == nil {
      reasons.append((.expired, "--stale-after is not given"))
    }
    if codes.contains(.stub), config.verify.leastSizes.isEmpty {
      reasons.append((.stub, "no FAMILY_STUB in [verify] of the configuration"))
    }
    for code in FindingCode.allCases where code.needs.contains(.database) && codes.contains(code) {
      if !asksDatabase {
        reasons.append((code, "--no-database"))
      } else if let databaseError, !config.namesDatabase {
        reasons.append((code, databaseError.explanation))
      } else if code == .backlog, limits.isUnlimited {
        reasons.append(
          (code, "neither --max-backlog nor --max-wait is given"))
      } else if code == .stale || code == .orphan, config.verify.queries.isEmpty {
        reasons.append((code, "no query in [verify] of the configuration"))
      }
    }
    let unasked = reasons.map {
      NotChecked(subject: NotChecked.option, codes: [$0.code], reason: $0.reason)
    }
    let nodeCodes = [FindingCode.nodeLag, .nodeLost].filter(codes.contains)
    guard let (reason, grant) = database?.nodesRefused, config.listen.node == nil else {
      return unasked
    }
    return unasked
      + nodeCodes.map {
        NotChecked(subject: NotChecked.option, codes: [$0], reason: reason, grant: grant)
      }
  }

  /// Seconds, to a tenth. Smaller differences are the resolution of clocks. Never minus zero.
  private func tenths(_ nanoseconds: Int64) -> Double {
    (Double(nanoseconds) / 1e8).rounded() / 10 + 0
  }
}

extension Set<FindingCode> {
  /// Whether some of the codes need the cache directory.
  var needTree: Bool { contains { $0.needs.contains(.tree) } }
}
