// SPDX-License-Identifier: BSD-2-Clause
//
// What each session is set to at its start, whatever ALTER ROLE or ALTER DATABASE have set.

import Basics

/// The settings of a session that the statements here rely on.
enum SessionSettings {
  /// One script for one round trip. Settings of the startup packet (`options`) would do as well, but a pooler
  /// refuses those.
  /// - Parameter version: the server's, as `PQserverVersion` gives it: 150004 is 15.4.
  static func script(version: CInt) -> String {
    settings.filter { version >= $0.since }.map { "SET \($0.name) = \($0.value)" }
      .joined(separator: "; ")
  }

  /// With the version that has brought it; 0 is as good as always.
  static let settings: [(name: String, value: String, since: CInt)] = [
    // Our own deadlines end what takes too long, and an idle listener is no mistake.
    ("statement_timeout", "0", 0), ("lock_timeout", "0", 0),
    ("idle_in_transaction_session_timeout", "0", 0), ("idle_session_timeout", "0", 140_000),
    ("transaction_timeout", "0", 170_000),
    // A lock that was not to be had must not end the session.
    ("exit_on_error", "off", 0),
    // Those who only read say so.
    ("default_transaction_read_only", "off", 0),
    ("default_transaction_deferrable", "off", 0),
    // docs/drain-protocol.md says why.
    ("default_transaction_isolation", "'read committed'", 0),
    // How values are written and read. The order of day and month stays as the role has it, for the site's queries.
    ("DateStyle", "'ISO'", 0), ("IntervalStyle", "'postgres'", 0), ("extra_float_digits", "1", 0),
    ("standard_conforming_strings", "on", 0),
    // Nobody reads them.
    ("client_min_messages", "error", 0),
  ]
}
