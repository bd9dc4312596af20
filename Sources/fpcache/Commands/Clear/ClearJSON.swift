// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a clear in JSON, and the wording of its errors.

import Basics
import CacheFS
import SystemPackage

extension ClearSummary {
  /// The JSON document of the contract: keys are only ever added.
  func json(listing: Bool) -> JSON {
    var members: [(String, JSON)] = [
      ("version", .integer(1)),
      ("dry_run", .boolean(dryRun)),
      ("keys", .integer(keys)),
      ("files_removed", .integer(cleared.filesRemoved)),
      ("bytes_removed", .integer(cleared.bytesRemoved)),
      ("keys_without_match", .integer(keysWithoutMatch)),
      ("failures", .array(cleared.failures.map(\.json))),
    ]
    if let left {
      members += [("files_left", .integer(left.files)), ("bytes_left", .integer(left.bytes))]
    }
    if interruption != nil { members.append(("interrupted", .boolean(true))) }
    if listing {
      members.append(("removed", .array(cleared.removed.sorted().map { .string("\($0)") })))
    }
    return .object(members)
  }
}

extension PathFailure {
  var json: JSON {
    .object([
      ("path", .string("\(path)")),
      ("error", .string(error.symbol)),
      ("message", .string(reason)),
    ])
  }
}
