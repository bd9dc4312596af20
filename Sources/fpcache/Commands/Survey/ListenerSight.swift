// SPDX-License-Identifier: BSD-2-Clause
//
// Whether anything listens, as far as a role can see the sessions of the database.

import Basics
import PGQueue

/// What the sessions of the database show about its listeners.
enum ListenerSight: Equatable {
  /// At least one session listens.
  case listening
  /// fpcache listen is connected, but none of its sessions listens: it hears nothing and only polls.
  case polling
  /// There is no session that could be a listener.
  case nobody
  /// The role cannot see whether anything listens.
  /// - Parameters:
  ///   - reason: the reason, escaped for output.
  ///   - grant: the statement that would make it visible.
  case untold(reason: String, grant: String?)

  /// - Parameter isOwnRole: whether the role that asks is the listener's. Then it would see the listener's session,
  ///   under any application name. Another role cannot distinguish a hidden listener from other hidden sessions.
  init(_ sessions: ListenerSessions, isOwnRole: Bool) {
    let hidden = sessions.hidden + (isOwnRole ? 0 : sessions.hiddenOthers)
    if sessions.listening > 0 {
      self = .listening
    } else if !sessions.isTracked {
      self = .untold(reason: "track_activities is off", grant: nil)
    } else if hidden > 0 {
      self = .untold(
        reason: "permission denied for the statements of other roles",
        grant: sessions.grant.escaped)
    } else {
      self = sessions.deaf > 0 ? .polling : .nobody
    }
  }
}
