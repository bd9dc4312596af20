// SPDX-License-Identifier: BSD-2-Clause
//
// Which key also clears what another key clears: a family, or a port of it, covers each of its pages.

import Basics

extension Layout {
  /// The name of the key's family.
  package func familyName(of key: CacheKey) -> String { rows[key.family].name }

  /// The key's values for people, as `www/nginx`; nil for a whole family.
  package func valuesText(of key: CacheKey) -> String? {
    key.bindings.isEmpty ? nil : key.bindings.map { escape($0.value) }.joined(separator: "/")
  }

  /// A number for the key that does not depend on the order of its fields. It is valid in this process only.
  package func coverFingerprint(of key: CacheKey) -> Int { fingerprint(key, key.bindings.indices) }

  /// The fingerprints of all keys that clear at least what this key does: keys that bind the same fields or
  /// fewer.
  package func coveringFingerprints(of key: CacheKey) -> [Int] {
    let places = Array(key.bindings.indices)
    // No family has this many fields. A hostile layout must not cost a million hashes.
    guard places.count <= 8 else { return [coverFingerprint(of: key), fingerprint(key, [])] }
    return (0..<(1 << places.count)).map { chosen in
      fingerprint(key, places.filter { chosen & 1 << $0 != 0 })
    }
  }

  private func fingerprint(_ key: CacheKey, _ places: some Sequence<Int>) -> Int {
    places.reduce(rows[key.family].name.hashValue) { sum, place in
      var hasher = Hasher()
      hasher.combine(key.bindings[place].field)
      hasher.combine(key.bindings[place].value)
      return sum &+ hasher.finalize()
    }
  }
}
