// SPDX-License-Identifier: BSD-2-Clause
//
// Why the listener cannot begin or go on, for those who end the program with it.

/// One failure of the engine: its kind for a program, its message for people.
package struct ListeningError: Error, Equatable {
  package enum Kind: Sendable {
    /// What a setting says is wrong.
    case badSetting
    /// Another process uses what this one needs for itself.
    case taken
    /// The configuration cannot be taken up.
    case configuration
    /// The database cannot be reached, or was lost.
    case noDatabase
    /// The cache directory is not there.
    case noCacheDirectory
  }

  package let kind: Kind
  /// What, where, and what to try; fit to be shown.
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
