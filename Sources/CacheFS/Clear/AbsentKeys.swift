// SPDX-License-Identifier: BSD-2-Clause
//
// Keys whose folder does not exist, for as long as no entry is added to the folder above it. A queue of a million rows
// names each of its keys many times, and most of them have no page. While the queue's lock is held, one look at the
// folder of a category then does for thousands of ports.
//
// A folder that is added changes the time of the folder above (st_ctim). Two changes may get the same time, since
// that time is coarse: a second on some file systems. So only folders that had been at rest for some seconds prove
// anything, and only while the clock goes forward.

import Basics

/// The keys that earlier clears found to have no folder.
package struct AbsentKeys: Sendable {
  /// A folder in which the folders of some keys were missing.
  struct Place: Hashable, Sendable {
    /// The names on its path below the cache directory.
    let path: [[UInt8]]
    /// Its state, read before the first of them was looked for.
    let state: FolderState
  }

  /// The indices of keys whose folders were missing in a folder.
  struct Missing: Sendable {
    let place: Place
    var keys: [Int]
  }

  /// Stands for a key. Two hashes of 64 bits, both with the secret seed of this process: when a million keys are looked
  /// for, the probability that one of them has the same pair as another key is 2 to the power of -92.
  private struct Name: Hashable {
    let first: Int
    let second: Int

    init(_ key: CacheKey) {
      first = key.fingerprint
      var hasher = Hasher()
      hasher.combine(first)
      hasher.combine(key)
      second = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(first) }
  }

  /// Keeping a key takes 40 bytes.
  private static let most = 65_536
  /// Looking at a folder takes three calls to the kernel, and a missing folder one. So a folder must stand for a few keys.
  private static let fewest = 4
  private static let mostPlaces = 1024
  /// A clear of fewer keys does not look at the folders above them.
  static let worthwhile = 64
  /// File times are exact to a second or better.
  static let usualRest: Int64 = 2_000_000_000
  /// How much the clock may differ from its course, in nanoseconds.
  private static let tolerance: Int64 = 500_000_000

  private var places: [Place] = []
  /// For each key, the index of its place.
  private var names: [Name: Int32] = [:]
  private var reading = ClockReading()
  /// How long a folder must have been at rest, in nanoseconds.
  private let rest: Int64

  package init() { self.init(rest: Self.usualRest) }

  init(rest: Int64) { self.rest = rest }

  /// Forgets what may have changed, as of this moment.
  mutating func look(from root: Directory) {
    guard !places.isEmpty else {
      reading = ClockReading()
      return
    }
    var chain = OpenChain()
    let isStill = places.map { place in
      guard let folder = try? chain.open(place.path, from: root) else { return false }
      return folder.state() == place.state
    }
    // Last, so that the clock was steady when the states were read.
    guard reading.isSteady(within: Self.tolerance) else { return self = AbsentKeys(rest: rest) }
    guard isStill.contains(false) else { return }
    names = names.filter { isStill[Int($0.value)] }
    let moved = isStill.reduce(into: [Int32]()) { $0.append(($0.last ?? -1) + ($1 ? 1 : 0)) }
    names = names.mapValues { moved[Int($0)] }
    places = zip(places, isStill).filter(\.1).map(\.0)
  }

  /// Whether a key's folder did not exist when ``look(from:)`` was called.
  func contains(_ key: CacheKey) -> Bool { !names.isEmpty && names[Name(key)] != nil }

  /// Adds keys of a clear.
  /// - Parameter began: when that clear began, in nanoseconds since the epoch.
  mutating func add(_ missing: [Missing], of keys: [CacheKey], began: Int64) {
    let proofs = missing.filter { $0.place.state.changed < began - rest }
    for (place, parts) in Dictionary(grouping: proofs, by: \.place) {
      let found = parts.flatMap(\.keys)
      guard names.count + found.count <= Self.most else { return }
      let known = places.firstIndex(of: place)
      guard known != nil || (found.count >= Self.fewest && places.count < Self.mostPlaces) else {
        continue
      }
      if known == nil { places.append(place) }
      for key in found { names[Name(keys[key])] = Int32(known ?? places.count - 1) }
    }
  }
}

extension Clearer {
  /// The same as ``clear(_:)``, but does not look for the folders of keys that are known to be absent, and adds those
  /// that it finds to be absent.
  package func clear(_ keys: [CacheKey], skipping absent: inout AbsentKeys) -> [ClearReport] {
    guard dryRun == .no, keys.count >= AbsentKeys.worthwhile else { return clear(keys) }
    let began = currentTime()
    absent.look(from: root)
    let indices = keys.indices.filter { !absent.contains(keys[$0]) }
    let asked = indices.count == keys.count ? keys : indices.map { keys[$0] }
    var missing: [AbsentKeys.Missing] = []
    let part = clear(asked, whenAbsent: { missing = $0 })
    absent.add(missing, of: asked, began: began)
    guard indices.count < keys.count else { return part }
    var reports = [ClearReport](repeating: ClearReport(), count: keys.count)
    for (index, report) in zip(indices, part) { reports[index] = report }
    return reports
  }
}
