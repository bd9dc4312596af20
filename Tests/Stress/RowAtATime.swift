// SPDX-License-Identifier: BSD-2-Clause
//
// The comparison: a listener of the old shape. For each row it deletes the pages, then the row,
// then commits; it takes no lock and clears nothing twice. It has to show stale pages, or the
// table proves nothing about a listener that shows none.

import Foundation
import PGQueue
import Synchronization
import TestSupport

/// The old shape of listener, in a thread.
final class RowAtATimeSubject: Subject {
  private let life: RowAtATimeLife

  init(_ site: Site, tree: TemporaryTree) { life = RowAtATimeLife(site, tree) }

  func start() {
    Thread.detachNewThread { [life] in life.run() }
  }

  func killAndRestart() { life.killBetweenDeleteAndCommit() }

  /// It settles nothing: when the queue is empty it has done all that it ever does.
  var isSettled: Bool {
    get throws {
      if let failure = life.failure { throw failure }
      return true
    }
  }

  func stop() { life.end() }

  var drains: Int { life.drains }
}

/// What the thread and the cell share.
private final class RowAtATimeLife: Sendable {
  /// How often it looks without being notified: often, so that it is not judged for being late.
  private static let timer: Int32 = 50

  private struct Killed: Error {}

  private struct State {
    var isOver = false
    var hasEnded = false
    var isToBeKilled = false
    var drains = 0
    var failure: (any Error)?
  }

  private let site: Site
  private let tree: TemporaryTree
  private let state = Mutex(State())

  init(_ site: Site, _ tree: TemporaryTree) {
    self.site = site
    self.tree = tree
  }

  var drains: Int { state.withLock { $0.drains } }
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// Has it vanish at the next row whose pages are gone and whose deletion is not committed.
  func killBetweenDeleteAndCommit() { state.withLock { $0.isToBeKilled = true } }

  func end() {
    state.withLock { $0.isOver = true }
    while !state.withLock({ $0.hasEnded }) { pause(.milliseconds(1)) }
  }

  func run() {
    while !state.withLock({ $0.isOver }) {
      do {
        try live()
      } catch is Killed {
        // Its connections are gone, their transactions rolled back: it starts again.
      } catch {
        state.withLock { state in
          state.failure = state.failure ?? error
          state.isOver = true
        }
      }
    }
    state.withLock { $0.hasEnded = true }
  }

  private func live() throws {
    let parameters = ConnectionParameters([("dbname", site.database.listenerDSN)])
    let listening = try Connection(parameters)
    let working = try Connection(parameters)
    try listening.query("LISTEN port_updated")
    while !state.withLock({ $0.isOver }) {
      var descriptor = pollfd(fd: listening.socket, events: Int16(POLLIN), revents: 0)
      poll(&descriptor, 1, Self.timer)
      _ = try listening.takeNotifications()
      try drain(working)
    }
  }

  private func drain(_ working: Connection) throws {
    let rows = try working.query("SELECT id, category, port FROM cache_clearing_ports ORDER BY id")
    for row in 0..<rows.count {
      guard let id = rows.text(row, 0), let category = rows.text(row, 1),
        let port = rows.text(row, 2)
      else { continue }
      let pages = HotPort(category: category, name: port)
      unlink(tree.fullPath(pages.pagePath))
      unlink(tree.fullPath(pages.categoryPath))
      try working.script("BEGIN; DELETE FROM cache_clearing_ports WHERE id = \(id)")
      try dieIfAsked()
      try working.script("COMMIT")
    }
    if rows.count > 0 { state.withLock { $0.drains += 1 } }
  }

  private func dieIfAsked() throws {
    let isToBeKilled = state.withLock { state in
      defer { state.isToBeKilled = false }
      return state.isToBeKilled
    }
    if isToBeKilled { throw Killed() }
  }
}
