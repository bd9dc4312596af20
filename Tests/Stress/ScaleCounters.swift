// SPDX-License-Identifier: BSD-2-Clause
//
// What a measurement of many nodes counts, at one moment: the server's own statistics, and processor
// time and switches of its processes and of the listeners from /proc (proc(5)).

import Foundation
import PGQueue
import TestSupport

/// Counters that only grow.
struct ScaleCounters {
  var changes = 0
  /// Transactions that have moved rows into the log.
  var moves = 0
  var cursors = 0
  var transactions = 0
  var walBytes = 0
  /// How often a listener's backend was put to work after a sleep.
  var wakes = 0
  /// Processor time in seconds: the listeners' backends, the whole server, the listeners, this
  /// process, and the whole machine.
  var backendTime = 0.0
  var serverTime = 0.0
  var listenerTime = 0.0
  var ownTime = 0.0
  var busyTime = 0.0

  init(
    _ session: Session, _ server: PostgresServer, _ listeners: [Daemon], changes: Int
  ) throws {
    self.changes = changes
    let numbers = try session.insist { connection in
      let row = try connection.query(Self.statement)
      return (0..<4).map { row.text(0, $0).flatMap { Int($0) } ?? 0 }
    }
    (transactions, walBytes, moves, cursors) = (numbers[0], numbers[1], numbers[2], numbers[3])
    let backends = try session.insist { connection in
      let rows = try connection.query(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'listening'")
      return (0..<rows.count).compactMap { rows.text($0, 0).flatMap { pid_t($0) } }
    }
    for backend in backends {
      backendTime += ProcessTime.of(backend) ?? 0
      wakes += ProcessTime.sleeps(backend)
    }
    serverTime = try ProcessTime.ofTree(server.processID)
    listenerTime = listeners.reduce(0) { $0 + (ProcessTime.of($1.pid) ?? 0) }
    ownTime = ProcessTime.of(getpid()) ?? 0
    busyTime = ProcessTime.ofMachine
  }

  /// The head is updated by each move, and by a trim now and then.
  private static let statement = """
    SELECT (SELECT xact_commit + xact_rollback FROM pg_stat_database \
    WHERE datname = current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, \
    coalesce((SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'fpcache_head'), 0), \
    coalesce((SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'fpcache_node'), 0)
    """

  static func - (after: Self, before: Self) -> Self {
    var difference = after
    difference.changes -= before.changes
    difference.moves -= before.moves
    difference.cursors -= before.cursors
    difference.transactions -= before.transactions
    difference.walBytes -= before.walBytes
    difference.wakes -= before.wakes
    difference.backendTime -= before.backendTime
    difference.serverTime -= before.serverTime
    difference.listenerTime -= before.listenerTime
    difference.ownTime -= before.ownTime
    difference.busyTime -= before.busyTime
    return difference
  }
}

/// Processor time from /proc, in seconds.
private enum ProcessTime {
  /// The ticks of /proc/PID/stat are 10 ms, more than an idle process needs in a minute. /proc/PID/schedstat counts
  /// nanoseconds, but only those of the first thread.
  static func of(_ pid: pid_t) -> Double? {
    guard let ticks = fields(pid).map({ sum($0, 11...12) }) else { return nil }
    let text = try? String(contentsOfFile: "/proc/\(pid)/schedstat", encoding: .utf8)
    let spent = text?.split(separator: " ").first.flatMap { Double($0) } ?? 0
    return max(ticks, spent / 1e9)
  }

  /// A process, its children that are there, and those that it has waited for.
  static func ofTree(_ pid: pid_t) throws -> Double {
    guard let own = fields(pid) else { throw SupportError("no /proc/\(pid)/stat") }
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc")
    let children = names.compactMap { pid_t($0) }.filter { fields($0)?[1] == "\(pid)" }
    let ended = sum(own, 13...14)
    return children.reduce(ended + (of(pid) ?? 0)) { $0 + (of($1) ?? 0) }
  }

  /// All processors but for what they were idle or waited for a disk.
  static var ofMachine: Double {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
      let line = text.split(separator: "\n").first
    else { return 0 }
    let numbers = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard numbers.count >= 8 else { return 0 }
    return (numbers[0...2].reduce(0, +) + numbers[5...7].reduce(0, +)) / ticks
  }

  /// How often a process has gone to sleep by itself, and so was woken.
  static func sleeps(_ pid: pid_t) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("voluntary_ctxt") })
    else { return 0 }
    return line.split(separator: "\t").last.flatMap { Int($0) } ?? 0
  }

  /// What follows the name in parentheses: state, parent, ...; utime is the twelfth.
  private static func fields(_ pid: pid_t) -> [Substring]? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 14 ? fields : nil
  }

  private static func sum(_ fields: [Substring], _ range: ClosedRange<Int>) -> Double {
    range.reduce(0) { $0 + (Double(fields[$1]) ?? 0) } / ticks
  }

  private static var ticks: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }
}
