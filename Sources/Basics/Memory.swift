// SPDX-License-Identifier: BSD-2-Clause
//
// What the process holds of the machine's memory.

package enum Memory {
  /// Gives back what malloc(3) keeps for the next time: threads that are long gone have left theirs.
  /// For a daemon, when what took much is over.
  package static func giveBack() {
    #if os(Linux)
      fpc_give_memory_back()
    #endif
  }
}
