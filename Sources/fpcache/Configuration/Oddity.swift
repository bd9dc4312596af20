// SPDX-License-Identifier: BSD-2-Clause
//
// What is odd in a configuration, and no error.

import CacheFS

/// A place in a configuration file that wants a second look of a person's.
struct Oddity: Equatable, Sendable {
  /// `FILE:LINE`.
  let place: String
  /// What is odd; begins with the key. Never quotes a value, since one may be a password.
  let words: String
  var code = FindingCode.oddValue

  var finding: Finding { Finding(code, name: Array(place.utf8), .words(words)) }
}
