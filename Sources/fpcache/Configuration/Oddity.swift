// SPDX-License-Identifier: BSD-2-Clause
//
// What is odd in a configuration without being an error.

import CacheFS

/// A place in a configuration file that the operator should check.
struct Oddity: Equatable, Sendable {
  /// `FILE:LINE`.
  let place: String
  /// What is odd; begins with the key. Never quotes a value, since one may be a password.
  let words: String
  var code = FindingCode.oddValue

  var finding: Finding { Finding(code, name: Array(place.utf8), .words(words)) }
}
