// SPDX-License-Identifier: BSD-2-Clause
//
// The environment variables that fpcache reads, and no others.

import Basics

/// The variables that are set and not empty.
func environment() -> [String: String] {
  var variables: [String: String] = [:]
  for name in ourVariables + pgVariables {
    if let value = getenv(name), value.pointee != 0 { variables[name] = String(cString: value) }
  }
  return variables
}

private let ourVariables = [
  "COLUMNS", "FPCACHE_CONFIG", "FPCACHE_DIR", "JOURNAL_STREAM", "NO_COLOR", "NOTIFY_SOCKET",
  "STATE_DIRECTORY", "TERM",
]

/// libpq's variables that name a database (PostgreSQL manual, 34.15).
let pgVariables = [
  "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE",
]
