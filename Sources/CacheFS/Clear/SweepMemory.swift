// SPDX-License-Identifier: BSD-2-Clause
//
// When each key was last searched in all of its family. A drain clears a batch, then clears it again under the
// queue's lock, and later clears the settle list again. The second and third walk only read folders that have
// changed since the first. The lock is therefore held for a moment only, however large the cache is.
//
// A file's name belongs to one key forever, so a file that did not belong to a key never will. Each file that
// is added to a folder changes the folder's ctime, which no process can set back. Times are those of the
// family's own file system.

import Synchronization

/// The walks that a clearer has made.
final class SweepMemory: Sendable {
  private struct Walk {
    /// By the file system's clock, in nanoseconds since the epoch.
    let began: Int64
    /// The same moment by this machine's clocks.
    let reading: ClockReading
    /// The family's own folder. A folder that takes its place later is a different one.
    let folder: FileIdentity
  }

  /// More keys are not remembered: the next walk then reads everything.
  private static let mostKeys = 10_000
  /// The tolerance for clocks that differ and for file times that lag behind, in nanoseconds.
  private static let margin: Int64 = 100_000_000

  private let walks = Mutex<[CacheKey: Walk]>([:])

  /// A walk that begins now; nil where the file system does not report its time.
  private static func walk(of folder: Directory) -> Walk? {
    let reading = ClockReading()
    guard let began = folder.fileSystemTime(), let status = try? folder.status() else { return nil }
    return Walk(began: began, reading: reading, folder: status.identity)
  }

  /// Folders that have not changed since this time are not read; nil means that all are read.
  func bound(_ keys: [CacheKey], in folder: Directory) -> Int64? {
    let identity = (try? folder.status())?.identity
    return walks.withLock { walks in
      var bound = Int64.max
      for key in keys {
        guard let walk = walks[key], walk.folder == identity,
          walk.reading.isSteady(within: Self.margin / 2)
        else { return nil }
        bound = min(bound, walk.began - Self.margin)
      }
      return bound
    }
  }

  /// Begins a walk of a folder. The returned function records the end of the walk for the keys that it
  /// searched.
  func begin(in folder: Directory) -> ([CacheKey]) -> Void {
    guard let walk = Self.walk(of: folder) else { return { _ in } }
    return { [self] keys in
      walks.withLock { walks in
        if walks.count + keys.count > Self.mostKeys { walks = [:] }
        for key in keys { walks[key] = walk }
      }
    }
  }

  /// Forgets all walks, because the cache directory is another one.
  func forget() { walks.withLock { $0 = [:] } }
}
