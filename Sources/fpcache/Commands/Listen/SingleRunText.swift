// SPDX-License-Identifier: BSD-2-Clause
//
// The result of `listen --once`: its exit status, its text and its JSON.

import Basics
import Listening

extension SingleRun.Result {
  var status: ExitStatus {
    tally.failures + kept + left > 0
      || !(contended + withheld + unfinished + refused + missing + owed).isEmpty
      ? .incomplete : .done
  }

  /// What was done, and what was not.
  var text: String {
    var text = tally.text
    if kept > 0 { text += ", \(grouped(kept)) kept by the server" }
    if left > 0 { text += ", \(grouped(left)) still there" }
    if rechecked > 0 { text += ", \(grouped(rechecked)) rechecked" }
    if !contended.isEmpty { text += "; held by a writer: \(contended.joined(separator: ", "))" }
    if !withheld.isEmpty {
      text +=
        "; no events could be written for \(withheld.joined(separator: ", ")), whose rows stay"
    }
    if !unfinished.isEmpty {
      let verb = unfinished.count == 1 ? "was" : "were"
      text += "; stopped before \(unfinished.joined(separator: ", ")) \(verb) drained"
    }
    return text
  }

  func json(dryRun: Bool) -> JSON {
    .object([
      ("version", .integer(1)), ("dry_run", .boolean(dryRun)),
      ("rows", .integer(tally.rows)), ("keys", .integer(tally.keys)),
      ("files_removed", .integer(tally.files)), ("bytes_removed", .integer(tally.bytes)),
      ("rows_refused", .integer(tally.refused)), ("rows_failed", .integer(tally.failures)),
      ("queues_contended", .array(contended.map(JSON.string))),
      ("queues_withheld", .array(withheld.map(JSON.string))),
      ("queues_refused", .array(refused.map(JSON.string))),
      ("queues_missing", .array(missing.map(JSON.string))),
      ("keys_failed", .array(owed.map(JSON.string))),
      ("rows_kept", .integer(kept)), ("rows_left", .integer(left)),
      ("keys_rechecked", .integer(rechecked)),
      ("queues_unfinished", .array(unfinished.map(JSON.string))),
    ])
  }
}
