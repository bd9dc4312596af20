// SPDX-License-Identifier: BSD-2-Clause
//
// The distance between two names, for "did you mean".

/// How many letters are missing, added, wrong or swapped with their neighbour, ignoring case; nil beyond
/// `limit`. This is the optimal string alignment distance.
package func editDistance(_ left: [UInt8], _ right: [UInt8], atMost limit: Int) -> Int? {
  guard abs(left.count - right.count) <= limit else { return nil }
  let left = left.map(lowercase)
  let right = right.map(lowercase)
  var before = [Int](repeating: 0, count: right.count + 1)
  var above = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      let isSame = left[row] == right[column]
      var cost = min(above[column] + (isSame ? 0 : 1), above[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        cost = min(cost, before[column - 1] + 1)
      }
      current.append(cost)
    }
    if current.allSatisfy({ $0 > limit }) { return nil }
    (before, above) = (above, current)
  }
  return above[right.count] <= limit ? above[right.count] : nil
}

private func lowercase(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

/// The candidate that was probably meant. The shortest candidate that begins with the name wins. Otherwise it
/// is the candidate with the fewest edits: at most one for every three letters of the name, and always at least
/// one. Nil when no candidate is that near.
package func nearest(to name: [UInt8], among candidates: [[UInt8]]) -> [UInt8]? {
  // A word that was cut short, such as `--dry` for `--dry-run`. A single letter matches too many names.
  let cut = name.map(lowercase)
  let longer = candidates.filter { name.count > 1 && $0.map(lowercase).starts(with: cut) }
  if let shortest = longer.min(by: { $0.count < $1.count }) { return shortest }
  // A longer name is not a typing error, and the cost of a distance grows with the square of the length.
  let longest = 64
  guard name.count <= longest else { return nil }
  let limit = max(1, name.count / 3)
  let near = candidates.compactMap { candidate in
    editDistance(candidate, name, atMost: limit).map { (candidate, distance: $0) }
  }
  return near.min { $0.distance < $1.distance }?.0
}

/// What to try in place of an unknown name: `did you mean NAME?`, or `expected one of NAMES` when no candidate
/// is near.
package func suggestion(for name: String, among candidates: [String]) -> String {
  nearest(to: Array(name.utf8), among: candidates.map { Array($0.utf8) })
    .map { "did you mean \(String(decoding: $0, as: UTF8.self))?" }
    ?? "expected one of \(candidates.joined(separator: ", "))"
}
