// SPDX-License-Identifier: BSD-2-Clause
//
// Returning unused memory to the system.

package enum Memory {
  /// Returns the memory that malloc(3) keeps for later use, including the memory of threads that have ended.
  /// A daemon calls it after work that took much memory.
  package static func giveBack() {
    #if os(Linux)
      fpc_give_memory_back()
    #endif
  }
}
