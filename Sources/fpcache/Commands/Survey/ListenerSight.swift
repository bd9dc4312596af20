// SPDX-License-Identifier: BSD-2-Clause
//
// Whether anything listens, as far as a role may see the sessions of the database.

import Basics
import PGQueue

/// What the sessions of the database show of its listeners.
enum ListenerSight: Equatable {
  /// A session listens.
  case listening
  /// fpcache listen is connected and no session of it listens: it hears nothing and only polls.
  case polling
  /// No session that could be a listener.
  case nobody
  /// - Parameters:
  ///   - reason: fit to be shown.
  ///   - grant: the statement that would show it.
  case untold(reason: String, grant: String?)

  /// - Parameter isOwnRole: whether the role that asks is the listener's: then that would show itself, whatever
  ///   it calls itself. Another role cannot tell a hidden listener from other hidden sessions.
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
