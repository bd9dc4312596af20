// SPDX-License-Identifier: BSD-2-Clause
//
// Saturating arithmetic for untrusted sizes and times; it never traps. A process that writes the cache can give
// an empty file a size of 2^63 bytes, and any date.

/// The sum, or the nearest value that fits.
package func clampedSum(_ left: Int64, _ right: Int64) -> Int64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? (right < 0 ? .min : .max) : sum
}

/// The difference, or the nearest value that fits.
package func clampedDifference(_ left: Int64, _ right: Int64) -> Int64 {
  let (difference, overflow) = left.subtractingReportingOverflow(right)
  return overflow ? (right < 0 ? .max : .min) : difference
}
