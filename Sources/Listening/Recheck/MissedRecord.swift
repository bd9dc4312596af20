// SPDX-License-Identifier: BSD-2-Clause
//
// How much was missed, by family, until the operator acknowledges it. A forgotten trigger is a task, and neither a
// restart nor the repair itself completes it.
//
//   since 1579609496123456789
//   ports 12 3
//
// Only the listener writes `missed`, and its counts only grow. An acknowledgement copies the file to `acknowledged`. So
// it does not need the listener, and nothing that is missed meanwhile is lost.

import Basics
import CacheFS
import Logging
import SystemPackage

/// What was missed since a listener began to count.
package struct MissedCounts: Equatable, Sendable {
  package struct Family: Equatable, Sendable {
    /// Changed keys that were in no queue.
    package var keys = 0
    /// Pages that a scrub found to be out of date.
    package var pages = 0

    package init(keys: Int = 0, pages: Int = 0) { (self.keys, self.pages) = (keys, pages) }
  }

  /// When the count began, in nanoseconds since the epoch: it distinguishes one count from another.
  let since: Int64
  package private(set) var families: [String: Family] = [:]

  init(since: Int64 = currentTime()) { self.since = since }

  mutating func add(keys: Int = 0, pages: Int = 0, of family: String) {
    let old = families[family] ?? Family()
    families[family] = Family(
      keys: Int(clampedSum(Int64(old.keys), Int64(keys))),
      pages: Int(clampedSum(Int64(old.pages), Int64(pages))))
  }

  /// What remains after subtracting what was acknowledged.
  func outstanding(beside acknowledged: MissedCounts?) -> [String: Family] {
    let done = acknowledged?.since == since ? acknowledged?.families ?? [:] : [:]
    var left: [String: Family] = [:]
    for (name, all) in families {
      let known = done[name] ?? Family()
      let family = Family(
        keys: max(0, all.keys - known.keys), pages: max(0, all.pages - known.pages))
      if family != Family() { left[name] = family }
    }
    return left
  }

  var text: String {
    "since \(since)\n"
      + families.sorted { $0.key < $1.key }
      .map { "\($0.key) \($0.value.keys) \($0.value.pages)\n" }.joined()
  }

  /// Nil for a text of another form.
  init?(text: String) {
    var lines = text.split(separator: "\n")[...]
    guard let head = lines.popFirst()?.split(separator: " "), head.count == 2, head[0] == "since",
      let since = Int64(head[1])
    else { return nil }
    self.since = since
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 3, let keys = Int(words[1]), let pages = Int(words[2]), keys >= 0,
        pages >= 0
      else { return nil }
      families[String(words[0])] = Family(keys: keys, pages: pages)
    }
  }
}

/// The counts on disk, in the state directory.
package struct MissedFiles {
  private let counts: FilePath
  private let acknowledged: FilePath

  package init(stateDirectory: FilePath) {
    counts = stateDirectory.appending("missed")
    acknowledged = stateDirectory.appending("acknowledged")
  }

  var shownName: String { escape(Array(counts.string.utf8)) }
  /// The path of the acknowledgement, safe to display.
  package var acknowledgedName: String { escape(Array(acknowledged.string.utf8)) }

  /// What was missed; nil without a file.
  /// - Throws: the `Errno` of the failure; `EBADMSG` for a file of another form, which says nothing of what was missed.
  func read() throws(Errno) -> MissedCounts? { try Self.read(counts) }

  private static func read(_ path: FilePath) throws(Errno) -> MissedCounts? {
    let bytes: [UInt8]
    do throws(Errno) {
      bytes = try FileReader.ours.read(path.string)
    } catch .noSuchFileOrDirectory {
      return nil
    }
    guard let counts = MissedCounts(text: String(decoding: bytes, as: UTF8.self)) else {
      throw Errno(rawValue: EBADMSG)
    }
    return counts
  }

  /// What was missed and not acknowledged, by family; nil where the listener has written nothing.
  /// - Throws: the `Errno` of the failure.
  package func outstanding() throws(Errno) -> [String: MissedCounts.Family]? {
    let done = try Self.read(acknowledged)
    return try read()?.outstanding(beside: done)
  }

  func write(_ new: MissedCounts) throws(Errno) { try AtomicFile(counts.string).write(new.text) }

  /// Acknowledges all that was missed so far.
  /// - Throws: the `Errno` of the failure.
  package func acknowledge() throws(Errno) {
    guard let known = try read() else { throw .noSuchFileOrDirectory }
    try AtomicFile(acknowledged.string).write(known.text)
  }
}

/// The counts in the listener's memory.
package final class MissedRecord {
  private let files: MissedFiles
  private let dryRun: DryRun
  private let logger: Logger
  private var counts: MissedCounts
  private var hasToldOfFile = false
  /// What was not acknowledged at the last look.
  private(set) var outstanding: [String: MissedCounts.Family] = [:]

  package init(_ files: MissedFiles, dryRun: DryRun, _ logger: Logger) {
    self.files = files
    self.dryRun = dryRun
    self.logger = logger
    do throws(Errno) {
      counts = try files.read() ?? MissedCounts()
    } catch {
      counts = MissedCounts()
      logger.warning("missed: \(files.shownName): \(error); counting from now on")
    }
    refresh()
  }

  /// Reads whether the operator has acknowledged what was missed.
  func refresh() {
    guard !counts.families.isEmpty else { return }
    // A file that cannot be read acknowledges nothing.
    let left = ((try? files.outstanding()) ?? nil)
    outstanding = hasToldOfFile || left == nil ? counts.outstanding(beside: nil) : left ?? [:]
  }

  func add(keys: Int = 0, pages: Int = 0, of family: String) {
    counts.add(keys: keys, pages: pages, of: family)
    guard dryRun == .no else { return }
    do throws(Errno) {
      try files.write(counts)
      hasToldOfFile = false
    } catch {
      if !hasToldOfFile {
        logger.warning(
          """
          missed: \(files.shownName): \(error); a restart forgets what was missed. Name another folder with --state-dir
          """)
      }
      hasToldOfFile = true
    }
    refresh()
  }
}
