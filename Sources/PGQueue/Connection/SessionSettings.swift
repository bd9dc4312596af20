// SPDX-License-Identifier: BSD-2-Clause
//
// The settings that each session gets at its start, whatever ALTER ROLE or ALTER DATABASE have set.

import Basics

/// The settings of a session that the statements here rely on.
enum SessionSettings {
  /// One script for one round trip. Settings in the startup packet (`options`) would also work, but a pooler refuses
  /// them.
  /// - Parameter version: the server's version, as `PQserverVersion` gives it: 150004 is 15.4.
  static func script(version: CInt) -> String {
    settings.filter { version >= $0.since }.map { "SET \($0.name) = \($0.value)" }
      .joined(separator: "; ")
  }

  /// Each with the version that introduced it; 0 means all supported versions.
  static let settings: [(name: String, value: String, since: CInt)] = [
    // Our own deadlines end what takes too long, and an idle listener is not an error.
    ("statement_timeout", "0", 0), ("lock_timeout", "0", 0),
    ("idle_in_transaction_session_timeout", "0", 0), ("idle_session_timeout", "0", 140_000),
    ("transaction_timeout", "0", 170_000),
    // A lock that is not available must not end the session.
    ("exit_on_error", "off", 0),
    // A session that only reads asks for it explicitly.
    ("default_transaction_read_only", "off", 0),
    ("default_transaction_deferrable", "off", 0),
    // docs/drain-protocol.md says why.
    ("default_transaction_isolation", "'read committed'", 0),
    // How values are written and read. The order of day and month stays as the role has it, for the site's queries.
    ("DateStyle", "'ISO'", 0), ("IntervalStyle", "'postgres'", 0), ("extra_float_digits", "1", 0),
    ("standard_conforming_strings", "on", 0),
    // These messages are not read.
    ("client_min_messages", "error", 0),
  ]
}
