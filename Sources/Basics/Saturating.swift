// SPDX-License-Identifier: BSD-2-Clause
//
// Arithmetic on what others say: whoever writes the cache can say of a file without a byte that it
// has 2^63 of them, and date it as far from now as he likes. Too much is as much as there is, and no
// trap.

/// The sum, or what is nearest to it.
package func clampedSum(_ left: Int64, _ right: Int64) -> Int64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? (right < 0 ? .min : .max) : sum
}

/// The difference, or what is nearest to it.
package func clampedDifference(_ left: Int64, _ right: Int64) -> Int64 {
  let (difference, overflow) = left.subtractingReportingOverflow(right)
  return overflow ? (right < 0 ? .max : .min) : difference
}
