// SPDX-License-Identifier: BSD-2-Clause
//
// What the configuration makes of the looks at the site's own queries.

import Basics
import Listening

extension MissedLook {
  /// - Parameter stop: readable once the program is to end.
  init?(_ config: Config, stop: CInt) {
    let place = Place(layout: config.layout, rules: config.rules, connection: config.connection) {
      try? config.openCacheDirectory()
    }
    self.init(config.verify.queries, timeout: config.verify.timeout, of: place, stop: stop)
  }
}

extension RecheckPlan {
  /// - Parameters:
  ///   - settings: those of the configuration, and before them the options'.
  ///   - stop: readable once the program is to end.
  init?(_ config: Config, _ settings: ListenSettings, stop: CInt) {
    var limits = Limits()
    limits.interval = settings.recheckInterval ?? limits.interval
    limits.overlap = settings.recheckOverlap ?? limits.overlap
    limits.most = settings.recheckMost ?? limits.most
    limits.timeout = config.verify.timeout
    self.init(
      config.verify.rechecks, limits, of: (config.layout, config.rules, config.connection),
      stop: stop
    ) {
      try? config.openCacheDirectory()
    }
  }
}
