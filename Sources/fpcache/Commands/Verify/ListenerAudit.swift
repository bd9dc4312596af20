// SPDX-License-Identifier: BSD-2-Clause
//
// Which processes listen, as far as the role of an audit can see, and which role the listener has.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// What the sessions of the database show about its listeners.
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

  /// Looks for a listener, and checks what its role may do.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func lookForListener() throws(DatabaseError) {
    guard wants(.noListener) || wants(.noPermission) else { return }
    isListenersRole = try TableRights.canServe(config.rules.tables, on: connection)
    listener = try ListenerAudit(on: connection, isOwnRole: isListenersRole)
    if wants(.noPermission) { try judgeListenersRights() }
  }

  /// Looks again where no listener was seen.
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

  /// Checks the permissions of the listener's role, as far as that role is known. A permission that the monitor's own
  /// role lacks is not the listener's problem.
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

  /// The listener's role may differ from ours. Its status file says what the server refuses to it.
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

  /// The pages that the listener had to find by itself. They are counted in its state directory, which outlives the
  /// process; where that holds nothing, in its status file.
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

  /// The pages that the listener refused to clear by itself.
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

  /// A listener that is connected but does not drain is not healthy. A listener that has proved its health is running,
  /// whether or not we can see its sessions.
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
  /// The misses that are not acknowledged, as the listener last recorded them.
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
