// SPDX-License-Identifier: BSD-2-Clause
//
// What survives the process of the keys that were cleared: the list of second clears, and the lines for other programs.

/// What survives the process of the keys that were cleared.
package struct ClearMemory {
  let settle: Settle?
  let events: ClearEvents?

  /// - Parameters:
  ///   - settle: the list of second clears; nil for none.
  ///   - events: the file that tells other programs; nil for none.
  package init(_ settle: Settle? = nil, _ events: ClearEvents? = nil) {
    (self.settle, self.events) = (settle, events)
  }
}
