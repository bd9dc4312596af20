// SPDX-License-Identifier: BSD-2-Clause
//
// The progress of a walk of the tree. The threads that walk report it, and the line of progress reads it.

import Basics
import CacheFS
import Synchronization

/// The files of a walk so far, the rate, and the current folder.
final class ScanTally: ScanObserver {
  private let start = ContinuousClock.now
  private let files = Atomic<Int>(0)
  private let folder = Mutex<ScannedFolder?>(nil)

  func scanned(_ count: Int, in folder: ScannedFolder) {
    files.add(count, ordering: .relaxed)
    // If another thread reports its folder at this moment, that is enough.
    _ = self.folder.withLockIfAvailable { $0 = folder }
  }

  /// The current progress as text.
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
