// SPDX-License-Identifier: BSD-2-Clause
//
// What one clear must do, and in which order: first the requested keys, then one key for each family whose
// files must be read.

/// The keys of one clear.
struct ClearPlan: Sendable {
  /// The requested keys, and one more for each sweep.
  let keys: [CacheKey]
  private(set) var sweeps: [KeySweep]
  /// The indices of the keys, in the best order for the work.
  let order: [Int]
  private let asked: Int
  /// Whether to note where the folders of keys are missing.
  let notesAbsence: Bool

  /// With no more keys than this, sorting is not needed.
  private static let fewKeys = 32

  /// - Parameter sweepsOnly: whether the keys themselves are already cleared.
  init(
    _ asked: [CacheKey], _ sweeps: [KeySweep], sweepsOnly: Bool = false, notesAbsence: Bool = false
  ) {
    self.asked = asked.count
    self.notesAbsence = notesAbsence
    self.sweeps = sweeps
    keys = asked + sweeps.map(\.whole)
    let swept = Array(asked.count..<keys.count)
    // Pages found by name go first; pages that need a search follow.
    order = sweepsOnly ? swept : Self.neighbours(asked) + swept
  }

  /// The indices of the keys, with keys below one folder next to each other. A long queue alternates between
  /// categories, and each change of category would cost two calls more than the key itself.
  private static func neighbours(_ keys: [CacheKey]) -> [Int] {
    guard keys.count > Self.fewKeys else { return Array(keys.indices) }
    var groups: [CacheKey.Neighbourhood: Int] = [:]
    var members: [[Int]] = []
    for (index, key) in keys.enumerated() {
      let neighbourhood = key.neighbourhood
      if let group = groups[neighbourhood] {
        members[group].append(index)
      } else {
        groups[neighbourhood] = members.count
        members.append([index])
      }
    }
    return members.flatMap { $0 }
  }

  /// The keys that a sweep looks for.
  func keys(of sweep: KeySweep) -> [CacheKey] { sweep.members.map { keys[$0] } }

  /// Limits each sweep to what has changed since the last search for its keys.
  /// - Returns: a function that records the end of this clear. It takes the reports, one for each of
  ///   ``keys``.
  mutating func recall(
    _ memory: SweepMemory, _ root: Directory, _ layout: Layout
  ) -> ([ClearReport]) -> Void {
    var notes: [(report: Int, keys: [CacheKey], note: ([CacheKey]) -> Void)] = []
    for place in sweeps.indices {
      var chain = OpenChain()
      let names = layout.rows[sweeps[place].whole.family].fixedFolders
      guard let folder = try? chain.open(names, from: root) else { continue }
      let wanted = keys(of: sweeps[place])
      sweeps[place].since = memory.bound(wanted, in: folder)
      notes.append((asked + place, wanted, memory.begin(in: folder)))
    }
    return { reports in
      for (index, keys, note) in notes
      where reports[index].failures.isEmpty && !reports[index].isPartial { note(keys) }
    }
  }

  /// The reports of the requested keys. Whatever a sweep could not read, or did not reach, may belong to any
  /// of its keys.
  /// - Parameter reports: one for each of ``keys``.
  func shared(_ reports: [ClearReport]) -> [ClearReport] {
    var own = Array(reports[..<asked])
    for (place, sweep) in sweeps.enumerated() {
      let report = reports[asked + place]
      for (number, member) in sweep.members.enumerated() {
        own[member].isPartial = own[member].isPartial || report.isPartial
        own[member].cutShort = own[member].cutShort ?? report.cutShort
        // One full list is enough: a tree of another owner fails at every folder.
        own[member].failures += number == 0 ? report.failures[...] : report.failures.prefix(1)
      }
    }
    return own
  }
}
