// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener gets to know about its site.

import CacheFS
import PGQueue

/// The listener's part of a configuration file; read again on SIGHUP.
package struct ListenerSite {
  package let clearer: Clearer
  package let rules: SiteRules
  package let connection: ConnectionParameters
  package let settings: ListenerMachine.Settings
  /// What to look for once on each connection; nil for nothing.
  let missed: MissedLook?
  /// What to recheck at each interval; nil for nothing.
  package let recheck: RecheckPlan?
  /// What to compare the tree with; nil for nothing.
  package let scrub: ScrubPlan?
  /// What to prune; nil for nothing.
  package let prune: RegularPrunePlan?

  package init(
    clearer: Clearer,
    rules: SiteRules,
    connection: ConnectionParameters,
    settings: ListenerMachine.Settings,
    missed: MissedLook? = nil,
    recheck: RecheckPlan? = nil,
    scrub: ScrubPlan? = nil,
    prune: RegularPrunePlan? = nil
  ) {
    self.clearer = clearer
    self.rules = rules
    self.connection = connection
    self.settings = settings
    self.missed = missed
    self.recheck = recheck
    self.scrub = scrub
    self.prune = prune
  }
}
