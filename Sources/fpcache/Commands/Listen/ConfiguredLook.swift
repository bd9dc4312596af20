// SPDX-License-Identifier: BSD-2-Clause
//
// What the configuration makes of the look for missed notifications.

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
