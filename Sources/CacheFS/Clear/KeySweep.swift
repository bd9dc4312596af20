// SPDX-License-Identifier: BSD-2-Clause
//
// Keys of a hashed family whose files no name tells: patterns of keys, and variants of pages. All of one clear are sought
// in one walk, which reads the head of each file.
//
// Between the look at a file and its removal nginx may put a newer one in its place. That one goes, and costs a request
// that misses: a name belongs to one key for ever, so nothing of another key can come into its place. To look
// again would leave a moment, too, and a page that was made of what was there before the change might stay.

import Basics
import SystemPackage

/// What one walk of a hashed family looks for.
struct KeySweep: Sendable {
  /// All of the family: what the walk goes by.
  let whole: CacheKey
  /// The places of its keys among those of the clear.
  private(set) var members: [Int] = []
  /// From which time on a folder must have changed to be looked into, in nanoseconds since the epoch.
  var since: Int64?
  private var exact: [[UInt8]: Int] = [:]
  private var globs: [(glob: KeyGlob, index: Int)] = []

  /// So many files that cannot be read are told of by each thread.
  static let mostFailures = 100

  /// One for each hashed family that some keys need it of.
  /// - Parameter anyhow: the places of keys for which variants are sought though the site says that there are none;
  ///   where some are given, no others are.
  static func all(
    of keys: [CacheKey], _ layout: Layout, anyhow: Set<Int> = []
  ) -> [KeySweep] {
    var sweeps: [Int: KeySweep] = [:]
    for (index, key) in keys.enumerated() {
      guard let hashed = key.hashed,
        anyhow.isEmpty ? hashed.glob != nil || hashed.mayVary : anyhow.contains(index)
      else { continue }
      let whole = CacheKey(family: key.family, bindings: [])
      sweeps[key.family, default: KeySweep(whole: whole)].add(hashed, index)
    }
    return sweeps.sorted { $0.key < $1.key }.map(\.value)
  }

  private init(whole: CacheKey) { self.whole = whole }

  private mutating func add(_ key: HashedKey, _ index: Int) {
    members.append(index)
    if let glob = key.glob { globs.append((glob, index)) } else { exact[key.text] = index }
  }

  /// Whether the rest of a key that begins so need be read.
  func mayOwn(_ beginning: UnsafeBufferPointer<UInt8>) -> Bool {
    !exact.isEmpty || globs.contains { $0.glob.mayMatch(beginning) }
  }

  /// The place of the key that a file belongs to; nil for others.
  func owner(of key: UnsafeBufferPointer<UInt8>) -> Int? {
    if !exact.isEmpty, let index = exact[Array(key)] { return index }
    return globs.first { $0.glob.matches(key) }?.index
  }
}

extension ClearWorker {
  /// The sweep of a place among the keys; nil for the keys that were asked for.
  private func sweep(_ index: Int) -> KeySweep? {
    let place = index - (keys.count - sweeps.count)
    return place >= 0 ? sweeps[place] : nil
  }

  /// Whether a folder holds nothing that its sweep has not seen before.
  func isSeen(_ index: Int, _ folder: OpenFolder) -> Bool {
    guard let since = sweep(index)?.since, let changed = try? folder.directory.changeTime() else {
      return false
    }
    return changed < since
  }

  /// The key that a file in a sweep's folder belongs to, by its head; where there is no sweep, the one in hand.
  mutating func owner(
    of name: CName, _ length: Int, _ type: EntryType, _ index: Int, _ folder: OpenFolder
  ) -> Int? {
    guard let sweep = sweep(index) else { return index }
    // Links, sockets and fifos are none that nginx has made.
    guard type == .file else { return nil }
    do throws(Errno) {
      let (owner, isForeign) = try folder.directory.withHead(of: name, isWanted: sweep.mayOwn) {
        ($0.key.flatMap(sweep.owner), $0.reading == .foreign)
      }
      if isForeign { throw .isForeign }
      return owner
    } catch {
      switch error {
      // Gone, or a link by now.
      case .noSuchFileOrDirectory, .tooManySymbolicLinkLevels: break
      default:
        let path = Self.path(of: name, length, folder)
        report(index) {
          if $0.failures.count < KeySweep.mostFailures {
            $0.failures.append(PathFailure(path: path, error: error))
          }
        }
      }
      return nil
    }
  }

  /// Whether the name is that of a file that nginx has not finished: it goes to its place by rename(2), and would be
  /// missed there. What it was made of is older than the clear at most by the time that the listener waits before
  /// it clears a second time.
  mutating func isBeingWritten(_ name: CName, _ length: Int, _ row: PlacedRow) -> Bool {
    guard matcher.hashed(row.family) != nil else { return false }
    return length != MD5.digits
  }

  /// Notes a page that varies where none should, before it goes.
  mutating func noteVariants(of name: CName, _ index: Int, _ folder: OpenFolder) {
    guard let hashed = keys[index].hashed, !hashed.mayVary else { return }
    let varies = try? folder.directory.withHead(of: name) { head in
      if case .head(let head) = head.reading { head.variant != nil } else { false }
    }
    if varies == true { report(index) { $0.hasVariants = true } }
  }
}
