// SPDX-License-Identifier: BSD-2-Clause
//
// The steps at which a test may kill the listener. Release builds do not contain this code.

import Basics

/// A step of a drain, or of writing the settle file.
enum CrashPoint: String, CaseIterable {
  case selected, cleared, locked, clearedAgain, settleTorn, settled, retired, finished
  case settleCompacted, settledAgain
  /// The steps of a line of the events file.
  case eventsTorn, eventsWritten
  /// The steps of a recheck.
  case changesFound, changesCleared, changesSettled, boundWritten
  /// The steps that only a listener with nodes reaches.
  case tokenDrawn, tokenRenewed, tokenKept
  case registered, emptied, moved, logRead, logCleared, advanced

  #if DEBUG
    private static let chosen = getenv("FPCACHE_CRASH_AT").map { String(cString: $0) }

    var isChosen: Bool { Self.chosen == rawValue }

    /// Dies here, as by SIGKILL, when the environment asks for it.
    func reach() {
      if isChosen { kill(getpid(), SIGKILL) }
    }
  #else
    @inline(__always) var isChosen: Bool { false }
    @inline(__always) func reach() {}
  #endif
}
