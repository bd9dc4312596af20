// SPDX-License-Identifier: BSD-2-Clause
//
// Keys that are cleared together.

/// Keys to be cleared together, each once however often it is asked for.
package struct KeySet {
  package private(set) var keys: [CacheKey] = []
  private var indices: [CacheKey: Int] = [:]

  package init() {}

  /// Makes room for so many keys more.
  package mutating func reserve(_ count: Int) {
    keys.reserveCapacity(keys.count + count)
    indices.reserveCapacity(indices.count + count)
  }

  /// Adds keys and tells where their reports will stand.
  package mutating func add(_ wanted: [CacheKey]) -> [Int] {
    wanted.map { Self.place($0, &indices[$0], &keys) }
  }

  /// The key's place, which is looked up once whether it is new or not.
  private static func place(_ key: CacheKey, _ index: inout Int?, _ keys: inout [CacheKey]) -> Int {
    let place = index ?? keys.count
    if index == nil { keys.append(key) }
    index = place
    return place
  }
}
