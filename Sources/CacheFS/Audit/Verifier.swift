// SPDX-License-Identifier: BSD-2-Clause
//
// The audit of the tree: walk, judge, look again. It changes nothing.

import Basics
import SystemPackage

/// How two clocks differ: the database's, which gives the time of a change, and the file system's, which gives
/// the time when a page was written.
package struct ClockComparison: Equatable, Sendable {
  /// How far the database's clock is ahead, in nanoseconds.
  package var lead: Int64
  /// When the database was queried, by its own clock, in nanoseconds since the epoch.
  package var asked: Int64
  /// How much times may differ without meaning: the resolution of the clocks, and the time that the query
  /// took. In nanoseconds.
  package var allowance: Int64

  package init(lead: Int64 = 0, asked: Int64 = 0, allowance: Int64 = 1_000_000_000) {
    self.lead = lead
    self.asked = asked
    self.allowance = allowance
  }
}

/// What an audit looks for.
package struct VerifyQuery: Sendable {
  /// The codes to look for.
  package var codes: Set<FindingCode>
  /// Pages modified before this time have expired; nanoseconds since the epoch.
  package var modifiedBefore: Int64?
  /// The size, in bytes, below which a page of a family is a stub; by the family's name.
  package var leastSizes: [String: Int64]
  /// The user who must be able to delete what is in the tree.
  package var actor: Actor
  /// When the content of the pages was last changed; at most one table for each family.
  package var changes: [ChangeTable]
  package var clocks: ClockComparison
  /// The current time of the file system, in nanoseconds since the epoch.
  package var now: Int64

  package init(
    codes: Set<FindingCode> = Set(FindingCode.allCases), modifiedBefore: Int64? = nil,
    leastSizes: [String: Int64] = [:], actor: Actor = .current, changes: [ChangeTable] = [],
    clocks: ClockComparison = ClockComparison(), now: Int64 = currentTime()
  ) {
    self.codes = codes
    self.modifiedBefore = modifiedBefore
    self.leastSizes = leastSizes
    self.actor = actor
    self.changes = changes
    self.clocks = clocks
    self.now = now
  }
}

/// Audits the tree below a cache directory.
package struct Verifier: Sendable {
  let scanner: Scanner
  let query: VerifyQuery

  package init(_ scanner: Scanner, _ query: VerifyQuery) {
    self.scanner = scanner
    self.query = query
  }

  /// The findings, by path, and the number of files checked.
  /// - Parameter review: may remove or add suspicions between the two looks.
  package func audit(
    review: (inout [Finding]) -> Void = { _ in }
  ) -> (findings: [Finding], files: Int) {
    let (query, layout) = (self.query, scanner.layout)
    let namings = NameTeller(layout)
    let judges = scanner.scan { EntryJudge(query, layout, namings) }
    var suspects = judges.flatMap(\.suspects) + readOnlyMounts(judges)
    review(&suspects)
    suspects.sort(by: Finding.precedes)
    var secondLook = SecondLook(scanner.root, query)
    secondLook.wait(for: suspects)
    let findings = suspects.filter { secondLook.confirms($0) } + missingDirectories()
    return (findings.sorted(by: Finding.precedes), judges.reduce(0) { $0 + $1.files })
  }

  /// One finding for each read-only mount, at its highest folder.
  private func readOnlyMounts(_ judges: [EntryJudge]) -> [Finding] {
    var mounts: [(path: CachePath, Ownership)] = []
    // A folder is sorted before everything in it.
    for folder in judges.flatMap(\.readOnlyFolders).sorted(by: { $0.path < $1.path })
    where !mounts.contains(where: { folder.path.bytes.starts(with: $0.path.bytes) }) {
      mounts.append(folder)
    }
    return mounts.map { path, ownership in
      Finding(
        .notClearable, CachePath(Array(path.bytes.dropLast())).orDot,
        .denied(Denial(.readOnlyMount, query.actor, ownership)))
    }
  }

  /// The configured folders that the tree does not have, each with a folder that may be meant.
  private func missingDirectories() -> [Finding] {
    guard query.codes.contains(.missingDirectory) else { return [] }
    let configured = Layout(scanner.layout.families.filter(\.isConfigured))
    return configured.missingFolders(in: scanner.root).map { folder in
      let nearby = scanner.layout.folder(near: folder, in: scanner.root)
      return Finding(.missingDirectory, folder, nearby.map { .nearby($0.bytes) } ?? .none)
    }
  }
}
