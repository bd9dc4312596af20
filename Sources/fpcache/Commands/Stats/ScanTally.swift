// SPDX-License-Identifier: BSD-2-Clause
//
// How far a walk of the tree is, told by the threads that walk and asked by the line of progress.

import Basics
import CacheFS
import Synchronization

/// The files of a walk so far, how fast they come, and where the walk is.
final class ScanTally: ScanObserver {
  private let start = ContinuousClock.now
  private let files = Atomic<Int>(0)
  private let folder = Mutex<ScannedFolder?>(nil)

  func scanned(_ count: Int, in folder: ScannedFolder) {
    files.add(count, ordering: .relaxed)
    // Another thread that tells its place just now tells it for us too.
    _ = self.folder.withLockIfAvailable { $0 = folder }
  }

  /// What there is to say now.
  var text: String {
    Self.text(
      files: files.load(ordering: .relaxed), seconds: start.duration(to: .now).seconds,
      folder: folder.withLock { $0?.path } ?? CachePath([]))
  }

  static func text(files: Int, seconds: Double, folder: CachePath) -> String {
    let rate = whole(Double(files) / max(seconds, 0.001))
    let place = folder.bytes.isEmpty ? "" : ", \(folder)"
    return "\(counted(files, "file")), \(grouped(rate))/s\(place)"
  }
}
