// SPDX-License-Identifier: BSD-2-Clause
//
// What stat(2) says of a file in a form that can be compared: which file it is, and when.

import Basics

/// What the names of one file have in common (st_dev and st_ino).
package struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}

/// A time in nanoseconds since the epoch, or the nearest that there is: a file's time may lie
/// beyond the year 2262.
@inline(__always)
func nanoseconds(_ seconds: Int64, _ rest: Int64) -> Int64 {
  let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
  let (sum, isTooLarge) = product.addingReportingOverflow(rest)
  return isTooLong || isTooLarge ? (seconds < 0 ? .min : .max) : sum
}
