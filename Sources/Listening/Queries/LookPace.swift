// SPDX-License-Identifier: BSD-2-Clause
//
// How long the looks leave the server and the disk alone.

/// The pauses between looks of one kind.
enum LookPace {
  /// How soon to try again after a look that could not run.
  private static let retry = Duration.seconds(600)

  /// How long to rest after a look: looks of more than a second take at most a tenth of the time, however expensive
  /// the site's queries are.
  static func rest(after look: Duration) -> Duration { look > .seconds(1) ? look * 9 : .zero }

  /// How long to wait after a look that could not run: the server or the cache directory was away.
  static func waitAfterFailure(_ interval: Duration) -> Duration { min(interval, retry) }
}
