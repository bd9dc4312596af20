// SPDX-License-Identifier: BSD-2-Clause
//
// The channels that the site asks the listener to listen to: the table listen_for.

/// A row of listen_for.
package struct Channel: Hashable, Sendable {
  /// The site's choice: an identifier, to be quoted. Bytes as the database holds them, in any encoding.
  package let name: [UInt8]
  package let scriptName: String
  /// Nil for an unknown script_name.
  package let event: SiteEvent?

  /// - Parameter events: the events of the site.
  package init(name: [UInt8], scriptName: String, events: [SiteEvent] = SiteEvent.all) {
    self.name = name
    self.scriptName = scriptName
    event = events.first { $0.scriptName == scriptName }
  }

  /// - Parameters:
  ///   - name: in UTF-8.
  ///   - events: the events of the site.
  package init(name: String, scriptName: String, events: [SiteEvent] = SiteEvent.all) {
    self.init(name: Array(name.utf8), scriptName: scriptName, events: events)
  }

  /// The longest identifier, in bytes (NAMEDATALEN less its NUL). The server cuts longer ones short, in LISTEN and in
  /// NOTIFY.
  static let longestName = 63

  /// Whether a notification with this name is for the channel.
  package func isNamed(_ name: [UInt8]) -> Bool {
    // Byte by byte, as the server compares and cuts: a cut may separate a letter from its accent.
    self.name == name
      || (self.name.count > Self.longestName && self.name.starts(with: name)
        && name.count > Self.longestName - 4)
  }

  /// Reads listen_for; rows without a name are skipped.
  /// - Throws: ``DatabaseError``.
  package static func all(
    of events: [SiteEvent], on connection: Connection
  ) throws(DatabaseError) -> [Channel] {
    let rows = try connection.query("SELECT name, script_name FROM listen_for ORDER BY id")
    return (0..<rows.count).compactMap { row in
      rows[row, 0].map {
        Channel(name: $0, scriptName: rows.text(row, 1) ?? "", events: events)
      }
    }
  }
}

extension [Channel] {
  /// The queues that these channels announce.
  package var announced: Set<QueueTable> { Set(flatMap { $0.event?.queues ?? [] }) }
}
