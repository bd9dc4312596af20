// SPDX-License-Identifier: BSD-2-Clause
//
// What goes wrong on a site, done on purpose: to the listener's connections, to the server, to the
// listener itself, to the queue's lock and to the disk. Each fault is made good again before the
// next one, and the listener has to be found at work after it.

import Foundation
import PGQueue
import TestSupport

/// A fault that the soak can make.
enum Fault: String, CaseIterable, Sendable {
  case terminateListening = "LISTEN backend terminated"
  case terminateWorking = "working backend terminated"
  case restartFast = "server restarted, fast"
  case restartImmediate = "server restarted, immediate"
  case heldLock = "a writer holds the queue"
  case undeletable = "a page cannot be deleted"
  case hangup = "SIGHUP"
  case freeze = "SIGSTOP, SIGCONT"
  case kill = "SIGKILL, started again"
  case terminate = "SIGTERM, started again"

  /// Whether the listener's process ends by it.
  var endsListener: Bool { self == .kill || self == .terminate }

  /// Whether the listener has to connect anew after it.
  var endsConnections: Bool {
    switch self {
    case .heldLock, .undeletable, .freeze: false
    default: true
    }
  }
}

/// Makes faults.
struct FaultMaker {
  let site: Site
  let listener: FpcacheSubject
  /// How long a lock is held, a page undeletable, or the listener frozen.
  private static let lastingMilliseconds = 1000.0...4000.0
  /// The listener waits up to 30 s between two tries to connect.
  private static let recoveryTimeout = Duration.seconds(60)

  /// Makes a fault, makes it good, and waits until the listener has its connections.
  func make(_ fault: Fault, _ random: inout SeededGenerator) throws {
    let before = try Set(site.database.backends())
    let lasting = random.duration(milliseconds: Self.lastingMilliseconds)
    switch fault {
    case .terminateListening: try terminateBackend("LIKE")
    case .terminateWorking: try terminateBackend("NOT LIKE")
    case .restartFast: try site.database.server.restart(.fast)
    case .restartImmediate: try site.database.server.restart(.immediate)
    case .heldLock: try holdLock(lasting)
    case .undeletable: try makeUndeletable(lasting, &random)
    case .hangup: listener.signal(SIGHUP)
    case .freeze:
      listener.signal(SIGSTOP)
      pause(lasting)
      listener.signal(SIGCONT)
    case .kill: try listener.killAndRestart()
    case .terminate:
      try listener.stop()
      try listener.start()
    }
    guard fault.endsConnections else { return }
    try eventually(
      timeout: Self.recoveryTimeout, "the listener has new connections after: \(fault.rawValue)",
      details: listener.log
    ) {
      let now = try Set(site.database.backends())
      return now.count == 2 && now.isDisjoint(with: before)
    }
  }

  /// The listening connection's last statement is its last LISTEN for as long as it lives.
  private func terminateBackend(_ comparison: String) throws {
    try site.database.sql(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE usename = 'listening' AND datname = current_database()
        AND query \(comparison) 'LISTEN %'
      """)
  }

  /// A transaction that has put a row into the queue and takes its time.
  private func holdLock(_ time: Duration) throws {
    let session = Session(site.database.dsn)
    try session.insist { connection in
      try connection.script("BEGIN; \(site.lateChange)")
      pause(time)
      try connection.script("COMMIT")
    }
  }

  /// The listener runs under an ordinary account, or this does.
  private func makeUndeletable(_ time: Duration, _ random: inout SeededGenerator) throws {
    let page = site.pages[Int.random(in: site.pages.indices, using: &random)]
    let folder = (page.path as NSString).deletingLastPathComponent
    try site.tree.setMode(folder, 0o555)
    pause(time)
    try site.tree.setMode(folder, 0o775)
  }
}
