// SPDX-License-Identifier: BSD-2-Clause
//
// Parts of stat(2) in a form that can be compared: which file it is, and its times.

import Basics

/// What all names of one file share (st_dev and st_ino).
package struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}

/// A time in nanoseconds since the epoch, or the nearest value that fits: a file's time may lie after the year
/// 2262.
@inline(__always)
func nanoseconds(_ seconds: Int64, _ rest: Int64) -> Int64 {
  let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
  let (sum, isTooLarge) = product.addingReportingOverflow(rest)
  return isTooLong || isTooLarge ? (seconds < 0 ? .min : .max) : sum
}
