// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a prune for people: what was removed, and what remains.

import Basics
import CacheFS

extension ClearSummary {
  /// `removed 1,200 pages of tiles, 14 MB; 8,800 pages remain, 100 MB`.
  func pruneSentence(_ families: [String], _ palette: Palette) -> String {
    let owner = listed(families, "and")
    let tallied = left.map { "\(counted($0.files, "page")), \(sizeText($0.bytes))" }
    var clauses: [String] = []
    if cleared.filesRemoved > 0 {
      clauses.append(
        "\(dryRun ? "would remove" : "removed") \(counted(cleared.filesRemoved, "page")) of \(owner), "
          + sizeText(cleared.bytesRemoved))
      if let left {
        let verb = dryRun ? "would remain" : left.files == 1 ? "remains" : "remain"
        clauses.append("\(counted(left.files, "page")) \(verb), \(sizeText(left.bytes))")
      }
    } else if !cleared.failures.isEmpty || interruption != nil {
      clauses.append("removed nothing")
    } else {
      clauses.append(
        "nothing to remove: "
          + (tallied.map { "\(owner): \($0)" } ?? "no page of \(owner) is so old"))
    }
    if !cleared.failures.isEmpty {
      let failed = "\(grouped(cleared.failures.count)) could not be removed"
      clauses.append(palette.paint(failed, .red))
    }
    if interruption != nil { clauses.append(palette.paint("interrupted", .yellow)) }
    return clauses.joined(separator: "; ")
  }
}
