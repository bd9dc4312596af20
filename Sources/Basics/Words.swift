// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers, sizes and lists as people read them.

/// A count with its noun: `1 file`, `2 files`.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

/// A number for people: without a fraction when it is whole.
package func plain(_ number: Double) -> String {
  Int(exactly: number).map { "\($0)" } ?? "\(number)"
}

/// A whole number with its thousands grouped.
package func grouped(_ number: some BinaryInteger) -> String {
  var text = ""
  for (index, digit) in String(number.magnitude).reversed().enumerated() {
    if index > 0, index.isMultiple(of: 3) { text.append(",") }
    text.append(digit)
  }
  return (number < 0 ? "-" : "") + String(text.reversed())
}

/// `a`, `a and b`, `a, b and c`.
package func listed(_ parts: [String], _ conjunction: String) -> String {
  guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
  return parts.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}

/// A size for people, in powers of a thousand, truncated and not rounded up: `70 bytes`, `1.3 KB`, `71 KB`.
package func sizeText(_ bytes: Int64) -> String {
  guard bytes >= 1000 else { return counted(Int(bytes), "byte") }
  var tenths = bytes / 100
  var units = ["KB", "MB", "GB", "TB"][...]
  while tenths >= 10_000, units.count > 1 {
    tenths /= 1000
    units.removeFirst()
  }
  let number = tenths >= 100 ? grouped(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
  return "\(number) \(units.first ?? "")"
}

/// A part from 0 to 1 in percent. A part above 0 is never shown as 0.
package func percent(_ part: Double) -> String {
  if part == 0 { return "0 %" }
  if part > 0, part < 0.001 { return "<0.1 %" }
  return part < 0.0995 ? "\(fixed(part * 100, 1)) %" : "\(fixed(part * 100, 0)) %"
}

/// A number with a fixed number of decimals.
package func fixed(_ number: Double, _ decimals: Int) -> String {
  var factor = 1.0
  for _ in 0..<decimals { factor *= 10 }
  guard number.isFinite, abs(number) * factor < 1e15 else { return "\(number)" }
  let digits = String(Int64((abs(number) * factor).rounded()))
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
  let sign = number < 0 && padded.contains { $0 != "0" } ? "-" : ""
  guard decimals > 0 else { return sign + padded }
  return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
}

/// The number without its fraction, clamped to a range that fits an integer.
package func whole(_ number: Double) -> Int64 {
  Int64(max(-1e15, min(number.isNaN ? 0 : number, 1e15)))
}
