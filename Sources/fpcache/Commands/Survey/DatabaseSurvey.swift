// SPDX-License-Identifier: BSD-2-Clause
//
// What the database says of its queues and of those who serve them.

import Basics
import Listening
import PGQueue

/// What the database says at one moment.
enum DatabaseSurvey: Equatable {
  case notAsked
  case failed(DatabaseError)
  case done(Answers)

  struct Answers: Equatable {
    var queues: [QueueSurvey]
    /// Nil when we may not read listen_for, or there is none.
    var channels: [Channel]?
    var server: ServerSurvey
    /// The nodes that share the queues; none where a listener has them for itself, or where we may
    /// not know.
    var nodes: [NodeBacklog] = []
    /// Whether anything listens, as far as the role may see.
    var sight = ListenerSight.nobody
    /// What the server refused to tell.
    var refused: [Refusal] = []
  }

  /// A table that could not be read.
  struct Refusal: Equatable {
    let table: String
    let reason: ServerError
    /// The statements that would let this role read it; nil where that is not what is missing.
    var grant: String?

    /// Why, and what would change that.
    var words: String { "\(reason.explanation)\(grant.map { "; \($0)" } ?? "")" }
  }

  var answers: Answers? {
    if case .done(let answers) = self { answers } else { nil }
  }
}

/// Asks the database, again and again over one connection, or a new one when that is lost.
struct DatabaseReader {
  private let parameters: ConnectionParameters
  private let rules: SiteRules
  /// Whether it is told that the nodes could not be looked at.
  private let tellsNodes: Bool
  private let depth: QueueSurvey.Depth
  /// How long a look may take; nil where each answer has ``Connection/replyTimeout`` of its own.
  private let deadline: StopDeadline?
  private let statementTimeout: Duration?
  private var connection: Connection?

  init(
    _ parameters: ConnectionParameters, _ rules: SiteRules, tellsNodes: Bool,
    depth: QueueSurvey.Depth = .full, patience: Duration? = nil
  ) {
    self.parameters = parameters
    self.rules = rules
    self.tellsNodes = tellsNodes
    self.depth = depth
    deadline = patience.map { StopDeadline(patience: $0) }
    // So that there is time to ask for the rest where one statement takes too long.
    statementTimeout = patience.map { $0 / 3 }
  }

  mutating func read() -> DatabaseSurvey {
    deadline?.begin()
    do throws(DatabaseError) {
      let connection: Connection
      if let open = self.connection {
        connection = open
      } else {
        connection = try Connection(parameters, stop: deadline)
        try connection.makeAuditor(statementTimeout: statementTimeout)
      }
      self.connection = connection
      return .done(try answers(connection))
    } catch {
      connection = nil
      return .failed(error)
    }
  }

  private typealias Refusal = DatabaseSurvey.Refusal

  private func answers(
    _ connection: Connection
  ) throws(DatabaseError) -> DatabaseSurvey.Answers {
    var answers = DatabaseSurvey.Answers(
      queues: try QueueSurvey.all(of: rules.tables, depth, on: connection),
      server: try ServerSurvey(on: connection))
    for queue in answers.queues {
      if case .refused(let reason) = queue.outcome {
        answers.refused.append(Refusal(table: queue.table.name, reason: reason))
      }
    }
    do throws(DatabaseError) {
      // A site without queues and events has no listen_for either.
      if !rules.isSilent {
        answers.channels = try Channel.all(of: rules.events, on: connection)
      }
    } catch {
      guard case .refused(let reason) = error else { throw error }
      answers.refused.append(Refusal(table: "listen_for", reason: reason))
    }
    do throws(DatabaseError) {
      answers.nodes = try NodeBacklog.all(on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      // A site without nodes has no need to be told that it may not see them, unless that is all it asks for.
      if reason == .noHead {
        answers.refused.append(Refusal(table: "nodes", reason: reason))
      } else if tellsNodes {
        answers.refused.append(Refusal(table: "fpcache_node", reason: reason))
      }
    }
    answers.sight = try sight(answers.server, connection)
    if answers.refused.contains(where: \.reason.isPermissionDenied) {
      answers.refused = try granted(answers.refused, connection)
    }
    return answers
  }

  /// Whether anything listens. A role that may delete from a queue could be the listener's, and sees its own
  /// sessions: those that are hidden from it are none of the listener's.
  private func sight(
    _ server: ServerSurvey, _ connection: Connection
  ) throws(DatabaseError) -> ListenerSight {
    let sessions = ListenerSessions(server)
    let sight = ListenerSight(sessions, isOwnRole: false)
    guard case .untold = sight, sessions.hiddenOthers > 0 else { return sight }
    return ListenerSight(
      sessions, isOwnRole: try TableRights.canServe(rules.tables, on: connection))
  }

  /// The same, each with what would let this role read it.
  private func granted(
    _ refused: [Refusal], _ connection: Connection
  ) throws(DatabaseError) -> [Refusal] {
    let rights = try TableRights.all(of: rules.tables, to: .read, on: connection)
    let nodes = try TableRights.ofNodes(on: connection)
    return refused.map { refusal in
      guard refusal.reason.isPermissionDenied else { return refusal }
      let tables =
        refusal.table == "fpcache_node" ? nodes : rights.filter { $0.table == refusal.table }
      let grants = tables.compactMap(\.shownGrant)
      return Refusal(
        table: refusal.table, reason: refusal.reason,
        grant: grants.isEmpty ? nil : grants.joined(separator: " "))
    }
  }
}
