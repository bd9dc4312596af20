// SPDX-License-Identifier: BSD-2-Clause
//
// Why the listener cannot start or continue, for the callers that end the program with it.

/// One failure of the engine: a kind for the program, a message for people.
package struct ListeningError: Error, Equatable {
  package enum Kind: Sendable {
    /// A setting is wrong.
    case badSetting
    /// Another process uses something that this process needs for itself alone.
    case taken
    /// The configuration cannot be applied.
    case configuration
    /// The database is unreachable, or the connection was lost.
    case noDatabase
    /// The cache directory does not exist.
    case noCacheDirectory
  }

  package let kind: Kind
  /// What failed, where, and what to try; safe to display.
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
