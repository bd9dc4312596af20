// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener is told of its site.

import CacheFS
import PGQueue

/// What a configuration file makes of the listener; read again on SIGHUP.
package struct ListenerSite {
  package let clearer: Clearer
  package let rules: SiteRules
  package let connection: ConnectionParameters
  package let settings: ListenerMachine.Settings
  /// What to look for once on each connection; nil for nothing.
  let missed: MissedLook?
  /// What to look for each interval; nil for nothing.
  package let recheck: RecheckPlan?
  /// What to compare the tree with; nil for nothing.
  package let scrub: ScrubPlan?

  package init(
    clearer: Clearer,
    rules: SiteRules,
    connection: ConnectionParameters,
    settings: ListenerMachine.Settings,
    missed: MissedLook? = nil,
    recheck: RecheckPlan? = nil,
    scrub: ScrubPlan? = nil
  ) {
    self.clearer = clearer
    self.rules = rules
    self.connection = connection
    self.settings = settings
    self.missed = missed
    self.recheck = recheck
    self.scrub = scrub
  }
}
