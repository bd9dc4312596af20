// SPDX-License-Identifier: BSD-2-Clause
//
// What one clear has to do, in which order: the keys that were asked for, and behind them one for each family whose
// files must be looked into.

/// The keys of one clear.
struct ClearPlan: Sendable {
  /// Those asked for, and one more for each sweep.
  let keys: [CacheKey]
  private(set) var sweeps: [KeySweep]
  /// The places of the keys, in the order in which they are best taken up.
  let order: [Int]
  private let asked: Int

  /// So many keys need not be put in order.
  private static let fewKeys = 32

  /// - Parameter sweepsOnly: whether the keys themselves have been cleared.
  init(_ asked: [CacheKey], _ sweeps: [KeySweep], sweepsOnly: Bool = false) {
    self.asked = asked.count
    self.sweeps = sweeps
    keys = asked + sweeps.map(\.whole)
    let swept = Array(asked.count..<keys.count)
    // What is found by name goes before what has to be looked for.
    order = sweepsOnly ? swept : Self.neighbours(asked) + swept
  }

  /// The places of keys, those below one folder next to each other: a long queue names its categories
  /// by turns, and each change of the category would cost two calls more than the key itself.
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

  /// Has each sweep look only into what has changed since its keys were looked for the last time.
  /// - Returns: what notes the end of this clear, given its reports, one for each of ``keys``.
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

  /// The reports of the keys that were asked for. What a sweep could not see, or did not come to, may be of each of
  /// its keys.
  /// - Parameter reports: one for each of ``keys``.
  func shared(_ reports: [ClearReport]) -> [ClearReport] {
    var own = Array(reports[..<asked])
    for (place, sweep) in sweeps.enumerated() {
      let report = reports[asked + place]
      for (number, member) in sweep.members.enumerated() {
        own[member].isPartial = own[member].isPartial || report.isPartial
        own[member].cutShort = own[member].cutShort ?? report.cutShort
        // Once in full is enough: a tree of another owner fails at every folder.
        own[member].failures += number == 0 ? report.failures[...] : report.failures.prefix(1)
      }
    }
    return own
  }
}
