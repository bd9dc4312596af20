// SPDX-License-Identifier: BSD-2-Clause
//
// How much the listener holds on to: memory, descriptors and connections, looked at once a second
// for each of its processes; a listener that grows will be found full one day.

import Foundation
import PGQueue
import Synchronization
import TestSupport

/// What a process held at one moment.
struct Sample: Sendable {
  /// VmRSS, in KiB.
  let memory: Int
  let descriptors: Int
  /// Rows of pg_stat_activity; nil while the server was away.
  let connections: Int?

  /// From /proc(5); nil when there is no such process, or no /proc.
  init?(_ pid: pid_t, _ session: Session) {
    guard
      let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let memory = line.split(whereSeparator: \.isWhitespace).compactMap({ Int($0) }).first,
      let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
    else { return nil }
    self.memory = memory
    self.descriptors = descriptors.count
    let count: Int?? = try? session.perform { connection in
      try connection.query(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE usename = 'listening' AND datname = current_database()
        """
      ).text(0, 0).flatMap { Int($0) }
    }
    connections = count ?? nil
  }
}

/// Takes samples in a thread of its own until it is told to end.
final class Sampler: Sendable {
  private struct State {
    var pid: pid_t?
    var isOver = false
    var hasEnded = false
    var incarnations: [[Sample]] = []
  }

  private static let interval = Duration.seconds(1)
  private let state = Mutex(State())

  init(_ site: Site) {
    let dsn = site.database.dsn
    Thread.detachNewThread { [self] in
      let session = Session(dsn)
      while !state.withLock({ $0.isOver }) {
        if let pid = state.withLock({ $0.pid }), let sample = Sample(pid, session) {
          add(sample, pid)
        }
        pause(Self.interval)
      }
      state.withLock { $0.hasEnded = true }
    }
  }

  /// From now on, this is the listener's process.
  func watch(_ pid: pid_t?) {
    state.withLock { state in
      guard pid != state.pid else { return }
      state.pid = pid
      state.incarnations.append([])
    }
  }

  private func add(_ sample: Sample, _ pid: pid_t) {
    state.withLock { state in
      guard state.pid == pid, !state.incarnations.isEmpty else { return }
      state.incarnations[state.incarnations.count - 1].append(sample)
    }
  }

  /// Ends it.
  /// - Returns: the samples of each process, in their order.
  func finish() -> [[Sample]] {
    state.withLock { $0.isOver = true }
    while !state.withLock({ $0.hasEnded }) { pause(.milliseconds(10)) }
    return state.withLock { $0.incarnations }
  }
}

/// What the samples of one process come to.
struct Growth {
  /// A process sampled for less than this long says nothing of growth, in seconds.
  static let shortest = 60
  /// Between its first and its last fifth, a process may grow by this much, in KiB: the
  /// allocator's arenas fill up for a while.
  static let tolerance = 2048

  let samples: [Sample]

  var isJudged: Bool { samples.count >= Self.shortest }

  /// What grew; nil when nothing did.
  var complaint: String? {
    guard isJudged else { return nil }
    let fifth = samples.count / 5
    let (early, late) = (samples.prefix(fifth), samples.suffix(fifth))
    let memory = median(late.map(\.memory)) - median(early.map(\.memory))
    if memory > Self.tolerance { return "memory grew by \(memory) KiB" }
    let descriptors = median(late.map(\.descriptors)) - median(early.map(\.descriptors))
    if descriptors > 0 { return "\(descriptors) descriptors more" }
    let connections = median(late.compactMap(\.connections))
    if connections > 2 { return "\(connections) connections, and it needs 2" }
    return nil
  }

  var line: String {
    let verdict = complaint ?? (isJudged ? "steady" : "too short to tell")
    return "\(pad("\(samples.count) s", 8))  \(Self.row(samples.map(\.memory), 24))"
      + "  \(Self.row(samples.map(\.descriptors), 14))"
      + "  \(Self.row(samples.compactMap(\.connections), 11))  \(verdict)"
  }

  static let heading =
    "\(pad("sampled", 8))  \(pad("VmRSS in KiB", 24))  \(pad("descriptors", 14))"
    + "  \(pad("connections", 11))  first/median/last/max"

  private static func row(_ values: [Int], _ width: Int) -> String {
    guard let first = values.first, let last = values.last, let most = values.max() else {
      return pad("-", width)
    }
    return pad("\(first)/\(median(values))/\(last)/\(most)", width)
  }
}

private func median(_ values: [Int]) -> Int {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
