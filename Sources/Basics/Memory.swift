// SPDX-License-Identifier: BSD-2-Clause
//
// Returning unused memory to the system.

package enum Memory {
  /// Returns the memory that malloc(3) keeps for later use, including the memory of threads that have ended, and the
  /// code that has run: most of it only at the start. What runs again is read again, from the system's cache of files.
  /// A daemon calls it after its start and after work that took much memory.
  package static func giveBack() {
    #if os(Linux)
      fpc_give_memory_back()
    #endif
  }
}
