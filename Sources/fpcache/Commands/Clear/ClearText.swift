// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a clear for people: one sentence that says what was removed, of what, and how much.

import Basics
import CacheFS

extension ClearSummary {
  /// Each path that was listed, then the summary.
  func lines(_ palette: Palette) -> [String] {
    cleared.removed.sorted().map(\.description) + [sentence(palette)]
  }

  private func sentence(_ palette: Palette) -> String {
    if case .oldest(let families) = subject { return pruneSentence(families, palette) }
    if let interruption, interruption.keysGiven == 0 { return "interrupted" }
    guard keys > 0 || interruption != nil || newsFiles > 0 else {
      return "nothing to clear: standard input had no keys"
    }
    var clauses = [removal]
    if keysWithoutMatch > 0, keysWithoutMatch < keys {
      let nothing = "\(named(keysWithoutMatch)) matched nothing"
      clauses.append(palette.paint(nothing, .yellow))
    }
    if !cleared.failures.isEmpty {
      let failed = "\(grouped(cleared.failures.count)) could not be removed"
      clauses.append(palette.paint(failed, .red))
    }
    if let interruption {
      let reached =
        interruption.keysGiven == 1
        ? "" : " after \(grouped(keys)) of \(named(interruption.keysGiven))"
      clauses.append(palette.paint("interrupted" + reached, .yellow))
    }
    return clauses.joined(separator: "; ")
  }

  /// `removed 3 pages of graphics/py-pygeoapi and 1 category page, 71 KB`.
  private var removal: String {
    let ownFiles = cleared.filesRemoved - companionFiles - newsFiles
    let verb = dryRun ? "would remove" : "removed"
    guard cleared.filesRemoved > 0 else {
      return cleared.failures.isEmpty ? "no page of \(owner) in the cache" : "\(verb) nothing"
    }
    var parts = ownFiles == 0 ? [] : ["\(counted(ownFiles, "page")) of \(owner)"]
    if companionFiles > 0 { parts.append(counted(companionFiles, "category page")) }
    if newsFiles > 0 { parts.append(counted(newsFiles, "news page")) }
    let none = ownFiles == 0 ? "no page of \(owner); " : ""
    return "\(none)\(verb) \(listed(parts, "and")), \(sizeText(cleared.bytesRemoved))"
  }

  /// What the removed pages belong to.
  private var owner: String {
    if subject == .news { return "the news" }
    let given = interruption?.keysGiven ?? keys
    return onlyKey.map { escape($0) } ?? named(given)
  }

  /// A number of keys, with the word for their kind.
  private func named(_ number: Int) -> String {
    switch subject {
    case .dates: counted(number, "date")
    case .news: counted(number, "family")
    case .everything, .oldest: number == 1 ? "1 family" : "\(grouped(number)) families"
    case .family(let family): "\(counted(number, "key")) of \(family.escaped)"
    case .ports where taken.categories == 0: counted(number, "port")
    case .ports where taken.others > 0: counted(number, "key")
    case .ports: number == 1 ? "1 category" : "\(grouped(number)) categories"
    }
  }
}
