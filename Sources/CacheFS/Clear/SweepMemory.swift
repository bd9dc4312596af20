// SPDX-License-Identifier: BSD-2-Clause
//
// When each key was last looked for in all of its family. A drain clears a batch, then the same batch again under the
// queue's lock, and the settle list once more: the second walk and the third need look only into the folders that have changed
// since the first, so that the lock is held for a moment, however large the cache.
//
// A file's name belongs to one key for ever, so a file that was none of a key's is never one later. Whatever comes
// into a folder changes the folder's ctime, which nobody can set back. Times are those of the family's own file system.

import Basics
import Synchronization

/// The walks that a clearer has made.
final class SweepMemory: Sendable {
  private struct Walk {
    /// By the file system's clock, in nanoseconds since the epoch.
    let began: Int64
    /// By this machine's clock and by one that nobody sets, at the same moment.
    let clock: Int64
    let moment: ContinuousClock.Instant
    /// The family's own folder: what stands in its place later is another.
    let folder: FileIdentity
  }

  /// More are not remembered: the next walk looks at everything.
  private static let mostKeys = 10_000
  /// What clocks may differ by, and times of files be behind them, in nanoseconds.
  private static let margin: Int64 = 100_000_000

  private let walks = Mutex<[CacheKey: Walk]>([:])

  /// A walk that begins now; nil where the file system does not tell the time.
  private static func walk(of folder: Directory) -> Walk? {
    let (clock, moment) = (currentTime(), ContinuousClock.now)
    guard let began = folder.fileSystemTime(), let status = try? folder.status() else { return nil }
    return Walk(began: began, clock: clock, moment: moment, folder: status.identity)
  }

  /// Whether somebody has set the clock since.
  private static func isClockSteady(_ walk: Walk) -> Bool {
    let passed = walk.moment.duration(to: .now).components
    let expected = passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000
    let difference = clampedDifference(currentTime() - walk.clock, expected)
    return difference > -margin / 2 && difference < margin / 2
  }

  /// From which time on folders must have changed to be looked into; nil for all of them.
  func bound(_ keys: [CacheKey], in folder: Directory) -> Int64? {
    let identity = (try? folder.status())?.identity
    return walks.withLock { walks in
      var bound = Int64.max
      for key in keys {
        guard let walk = walks[key], walk.folder == identity, Self.isClockSteady(walk) else {
          return nil
        }
        bound = min(bound, walk.began - Self.margin)
      }
      return bound
    }
  }

  /// Begins a walk of a folder; what it returns notes its end for the keys that it has looked for.
  func begin(in folder: Directory) -> ([CacheKey]) -> Void {
    guard let walk = Self.walk(of: folder) else { return { _ in } }
    return { [self] keys in
      walks.withLock { walks in
        if walks.count + keys.count > Self.mostKeys { walks = [:] }
        for key in keys { walks[key] = walk }
      }
    }
  }

  /// The cache directory is another one.
  func forget() { walks.withLock { $0 = [:] } }
}
