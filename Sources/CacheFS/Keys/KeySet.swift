// SPDX-License-Identifier: BSD-2-Clause
//
// Keys that are cleared together.

/// Keys to be cleared together. Each key is in the set once, however often it is added.
package struct KeySet {
  package private(set) var keys: [CacheKey] = []
  private var indices: [CacheKey: Int] = [:]

  package init() {}

  /// Reserves room for this many more keys.
  package mutating func reserve(_ count: Int) {
    keys.reserveCapacity(keys.count + count)
    indices.reserveCapacity(indices.count + count)
  }

  /// Adds keys and returns the indices of their reports.
  package mutating func add(_ wanted: [CacheKey]) -> [Int] {
    wanted.map { Self.place($0, &indices[$0], &keys) }
  }

  /// The key's index. The key is looked up once, whether it is new or not.
  private static func place(_ key: CacheKey, _ index: inout Int?, _ keys: inout [CacheKey]) -> Int {
    let place = index ?? keys.count
    if index == nil { keys.append(key) }
    index = place
    return place
  }
}
