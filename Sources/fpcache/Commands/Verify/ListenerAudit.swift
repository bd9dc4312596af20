// SPDX-License-Identifier: BSD-2-Clause
//
// Who listens, as far as the role of an audit may see, and what role the listener has.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// What the sessions of the database say of its listeners.
struct ListenerAudit {
  let sessions: ListenerSessions
  let sight: ListenerSight

  /// - Throws: ``DatabaseError``.
  init(on connection: Connection, isOwnRole: Bool) throws(DatabaseError) {
    sessions = try ListenerSessions.count(on: connection)
    sight = ListenerSight(sessions, isOwnRole: isOwnRole)
  }

  var words: String {
    "has no listener on its channels: no session of the role \(sessions.role.escaped) "
      + "or of another visible role"
  }
}

extension DatabaseAudit {
  var hasNoListener: Bool {
    switch listener?.sight {
    case .nobody, .polling: wants(.noListener)
    case .listening, .untold, nil: false
    }
  }

  /// Looks who listens, and what that role may do.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func lookForListener() throws(DatabaseError) {
    guard wants(.noListener) || wants(.noPermission) else { return }
    isListenersRole = try TableRights.canServe(config.rules.tables, on: connection)
    listener = try ListenerAudit(on: connection, isOwnRole: isListenersRole)
    if wants(.noPermission) { try judgeListenersRights() }
  }

  /// Looks once more where nobody was seen.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func judgeListener() throws(DatabaseError) {
    if hasNoListener {
      let second = try ListenerAudit(on: connection, isOwnRole: isListenersRole)
      listener = second
      if hasNoListener { return tell(.noListener, "listen_for", .words(second.words)) }
    }
    if case .untold(let reason, let grant)? = listener?.sight {
      leaveOut("pg_stat_activity", [.noListener], reason, grant)
    }
    judgeStatusFile()
  }

  // MARK: What the listener may do

  /// Asked of the role that the listener has, as far as that is known: what a monitor's own role may not do is
  /// no fault of the listener's.
  private func judgeListenersRights() throws(DatabaseError) {
    let sessions = listener?.sessions
    var roles: [String?] = sessions?.listeners ?? []
    if roles.isEmpty, let role = config.configuredRole { roles = [role] }
    if roles.isEmpty, isListenersRole { roles = [nil] }
    guard !roles.isEmpty else {
      return leaveOut(
        "listen_for", [.noPermission],
        "the listener's role is unknown, and \(sessions?.role.escaped ?? "") has no DELETE permission "
          + "on any queue; run this as the listener's role")
    }
    for role in roles {
      for table in try TableRights.all(of: config.rules.tables, for: role, on: connection)
      where !table.missing.isEmpty {
        tell(
          .noPermission, table.table,
          .advised(
            "lacks \(table.missing.joined(separator: " and ")) for the listener's role",
            remedy: table.shownGrant ?? FindingCode.noPermission.remedy))
      }
    }
  }

  /// The listener's role may be another than ours: what the server refuses it stands in its status file.
  func tellRefusals() {
    guard let status = StatusFile.read(config.listen.statusFile).status, status.isAlive else {
      return
    }
    for queue in status.refused {
      let isKnown = findings.contains {
        $0.subject == .name(Array(queue.utf8)) && [.noPermission, .missingTable].contains($0.code)
      }
      if !isKnown {
        tell(.noPermission, queue, .words("is refused to the listener; see its log"))
      }
    }
  }

  /// What the listener had to find by itself: counted in its state directory, which outlives it, and where that
  /// holds nothing, in its status file.
  func tellMissed() {
    guard wants(.missed) else { return }
    let status = StatusFile.read(config.listen.statusFile).status
    var missed: [String: MissedCounts.Family]?
    do throws(Errno) {
      missed = try MissedFiles(stateDirectory: config.listen.stateFolder).outstanding()
    } catch {
      leaveOut(
        escape(Array(config.listen.stateFolder.string.utf8)), [.missed],
        "the listener's state directory cannot be read: \(error)")
    }
    for (family, count) in missed ?? status?.missed ?? [:] where count != MissedCounts.Family() {
      tell(.missed, family, .words(count.words))
    }
    if let status, status.isAlive { tellRefused(status) }
  }

  /// What the listener did not clear unasked.
  private func tellRefused(_ status: ListenerStatus) {
    for family in status.recheck?.families ?? [] where family.refused > 0 {
      tell(
        .missed, family.family.escaped,
        .advised(
          "has \(counted(family.refused, "key")) changed at once, more than RECHECK_MOST: none of them was cleared",
          remedy: "run fpcache clear \(family.family.escaped), or raise RECHECK_MOST"))
    }
    for family in status.scrub?.families ?? [] where family.refused > 0 {
      tell(
        .missed, family.family.escaped,
        .advised(
          "has \(counted(family.refused, "page")) out of date; all families together had more than SCRUB_MOST: "
            + "none was cleared",
          remedy:
            "run fpcache verify --only stale,orphan; then run it with --fix, correct the query, or "
            + "raise SCRUB_MOST"))
    }
  }

  /// A listener that is connected and does not drain does not pass for healthy; one that has
  /// proved its health is there, whether we may see its sessions or not.
  private func judgeStatusFile() {
    guard let path = config.listen.statusFile,
      let proof = (try? Ownership(of: FilePath(path)))?.modified
    else { return }
    let polls = pollInterval * Self.pollsWithoutProof
    guard Double(clampedDifference(currentTime(), proof)) / 1e9 > polls.seconds else {
      return notChecked.removeAll { $0.codes == [.noListener] }
    }
    tell(
      .noListener, "listen_for",
      .words(
        "has a listener that has not reported healthy since \(timestamp(proof)) "
          + "(\(escape(Array(path.utf8))))"))
  }
}

extension ListenerStatus {
  /// What was missed and not acknowledged, as the listener last knew it.
  fileprivate var missed: [String: MissedCounts.Family] {
    var counts: [String: MissedCounts.Family] = [:]
    for family in recheck?.families ?? [] {
      counts[family.family.escaped, default: .init()].keys = family.missed
    }
    for family in scrub?.families ?? [] {
      counts[family.family.escaped, default: .init()].pages = family.missed
    }
    return counts
  }
}

extension MissedCounts.Family {
  /// A predicate of the family.
  fileprivate var words: String {
    let changed = keys > 0 ? ["\(counted(keys, "changed key")) that no queue announced"] : []
    let found = pages > 0 ? ["\(counted(pages, "page")) that a scrub found out of date"] : []
    return "has \((changed + found).joined(separator: " and ")), not acknowledged yet"
  }
}
