// SPDX-License-Identifier: BSD-2-Clause
//
// What the configuration makes of the looks at the site's own queries.

import Listening

extension Config {
  /// - Parameter stop: readable once the program is to end.
  private func queryPlace(stop: CInt) -> QueryPlace {
    QueryPlace(layout: layout, rules: rules, connection: connection, stop: stop) {
      try? openCacheDirectory()
    }
  }

  func missedLook(stop: CInt) -> MissedLook? {
    MissedLook(verify.queries, timeout: verify.timeout, of: queryPlace(stop: stop))
  }

  /// - Parameter settings: those of the configuration, and before them the options'.
  func recheckPlan(_ settings: ListenSettings, stop: CInt) -> RecheckPlan? {
    var limits = RecheckPlan.Limits()
    limits.interval = settings.recheckInterval ?? limits.interval
    limits.overlap = settings.recheckOverlap ?? limits.overlap
    limits.most = settings.recheckMost ?? limits.most
    limits.timeout = verify.timeout
    return RecheckPlan(verify.rechecks, limits, of: queryPlace(stop: stop))
  }
}
