// SPDX-License-Identifier: BSD-2-Clause
//
// The matchers of a clearer, kept between clears: to make one copies every pattern of the layout, which takes longer than
// to clear the page of one key.

/// Lends matchers. Each thread of a clear needs its own.
final class MatcherPool: Sendable {
  private let layout: Layout
  private let idle = Locked<[Matcher]>([])

  init(_ layout: Layout) { self.layout = layout }

  /// A matcher that no other thread uses until it is given back.
  func take() -> Matcher { idle.withLock { $0.popLast() } ?? Matcher(layout) }

  func giveBack(_ matchers: [Matcher]) { idle.withLock { $0 += matchers } }
}
