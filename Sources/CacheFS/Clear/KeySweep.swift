// SPDX-License-Identifier: BSD-2-Clause
//
// A search for keys of a hashed family whose files no name identifies: patterns of keys, and variants of pages.
// One walk, which reads the head of each file, searches for all keys of a clear.
//
// Between reading a file and removing it, nginx may put a newer file in its place. Then the newer file is
// removed, and one request misses. A name belongs to one key forever, so a file of another key can never be in
// its place. Another look before the removal would leave a gap too, and a page made before the change might
// stay.

import Basics
import SystemPackage

/// What one walk of a hashed family looks for.
struct KeySweep: Sendable {
  /// The key of the whole family, which the walk uses.
  let whole: CacheKey
  /// The indices of its keys among those of the clear.
  private(set) var members: [Int] = []
  /// A folder that has not changed since this time is not read; in nanoseconds since the epoch.
  var since: Int64?
  private var exact: [[UInt8]: Int] = [:]
  private var globs: [(glob: KeyGlob, index: Int)] = []

  /// Each thread reports at most this many files that cannot be read.
  static let mostFailures = 100

  /// One sweep for each hashed family for which some keys need it.
  /// - Parameter anyhow: the indices of keys whose variants are searched although the site says that there
  ///   are none. If it is not empty, only these keys are searched.
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

  /// Whether the rest of a key with this beginning must be read.
  func mayOwn(_ beginning: UnsafeBufferPointer<UInt8>) -> Bool {
    !exact.isEmpty || globs.contains { $0.glob.mayMatch(beginning) }
  }

  /// The index of the key that a file belongs to; nil for other files.
  func owner(of key: UnsafeBufferPointer<UInt8>) -> Int? {
    if !exact.isEmpty, let index = exact[Array(key)] { return index }
    return globs.first { $0.glob.matches(key) }?.index
  }
}

extension ClearWorker {
  /// The sweep of a key's index; nil for the requested keys.
  private func sweep(_ index: Int) -> KeySweep? {
    let place = index - (keys.count - sweeps.count)
    return place >= 0 ? sweeps[place] : nil
  }

  /// Whether the sweep has already seen everything in a folder.
  func isSeen(_ index: Int, _ folder: OpenFolder) -> Bool {
    guard let since = sweep(index)?.since, let changed = try? folder.directory.changeTime() else {
      return false
    }
    return changed < since
  }

  /// The key that a file in a sweep's folder belongs to, according to its head; without a sweep, the current
  /// key.
  mutating func owner(
    of name: CName, _ length: Int, _ type: EntryType, _ index: Int, _ folder: OpenFolder
  ) -> Int? {
    guard let sweep = sweep(index) else { return index }
    // nginx does not create links, sockets or fifos.
    guard type == .file else { return nil }
    do throws(Errno) {
      let (owner, isForeign) = try folder.directory.withHead(of: name, isWanted: sweep.mayOwn) {
        ($0.key.flatMap(sweep.owner), $0.reading == .foreign)
      }
      if isForeign { throw .isForeign }
      return owner
    } catch {
      switch error {
      // It is gone, or is now a link.
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

  /// Whether the name is that of a file that nginx has not finished. nginx moves it to its place with
  /// rename(2), where the walk would miss it. Its content may be older than the clear, by at most the time
  /// that the listener waits before its second clear.
  mutating func isBeingWritten(_ name: CName, _ length: Int, _ row: PlacedRow) -> Bool {
    guard matcher.hashed(row.family) != nil else { return false }
    return length != MD5.digits
  }

  /// Records a page that varies where none should, before the page is removed.
  mutating func noteVariants(of name: CName, _ index: Int, _ folder: OpenFolder) {
    guard let hashed = keys[index].hashed, !hashed.mayVary else { return }
    let varies = try? folder.directory.withHead(of: name) { head in
      if case .head(let head) = head.reading { head.variant != nil } else { false }
    }
    if varies == true { report(index) { $0.hasVariants = true } }
  }
}
