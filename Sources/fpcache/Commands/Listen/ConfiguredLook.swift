// SPDX-License-Identifier: BSD-2-Clause
//
// Makes the plans of what the listener does by itself from the configuration: recheck and scrub, which run the site's
// own queries, and prune.

import CacheFS
import Listening
import PGQueue

extension Config {
  private func queryPlace(_ signals: Signals) -> QueryPlace {
    QueryPlace(
      layout: layout, rules: rules, connection: connection, stop: signals.stop.descriptor,
      wake: signals.wake
    ) {
      try? openCacheDirectory()
    }
  }

  func missedLook(_ signals: Signals) -> MissedLook? {
    MissedLook(verify.queries, timeout: verify.timeout, of: queryPlace(signals))
  }

  /// - Parameter settings: the configuration's settings; options take precedence over them.
  func recheckPlan(_ settings: ListenSettings, _ signals: Signals) -> RecheckPlan? {
    var limits = RecheckPlan.Limits()
    limits.interval = settings.recheckInterval ?? limits.interval
    limits.overlap = settings.recheckOverlap ?? limits.overlap
    limits.most = settings.recheckMost ?? limits.most
    limits.timeout = verify.timeout
    return RecheckPlan(verify.rechecks, limits, of: queryPlace(signals))
  }

  /// - Parameter settings: the configuration's settings; options take precedence over them.
  func scrubPlan(_ settings: ListenSettings, _ signals: Signals) -> ScrubPlan? {
    var limits = ScrubPlan.Limits()
    limits.interval = settings.scrubInterval ?? limits.interval
    limits.most = settings.scrubMost ?? limits.most
    limits.mode = settings.scrub ?? limits.mode
    limits.timeout = verify.timeout
    return ScrubPlan(verify.queries, limits, of: queryPlace(signals))
  }

  /// - Parameter settings: the configuration's settings; options take precedence over them.
  func prunePlan(
    _ settings: ListenSettings, _ signals: Signals, _ dryRun: DryRun
  ) -> RegularPrunePlan? {
    RegularPrunePlan(
      settings.prune, every: settings.pruneInterval ?? RegularPrunePlan.defaultInterval,
      wake: signals.wake
    ) { watch in
      guard let root = try? openCacheDirectory(remembersMounts: true) else { return nil }
      return Clearer(root, layout: layout, dryRun: dryRun, watch: watch)
    }
  }
}
