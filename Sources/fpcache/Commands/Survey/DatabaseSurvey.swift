// SPDX-License-Identifier: BSD-2-Clause
//
// What the database reports about its queues and about the processes that serve them.

import Basics
import Listening
import PGQueue

/// What the database reports at one moment.
enum DatabaseSurvey: Equatable {
  case notAsked
  case failed(DatabaseError)
  case done(Answers)

  struct Answers: Equatable {
    var queues: [QueueSurvey]
    /// Nil when we may not read listen_for, or when it does not exist.
    var channels: [Channel]?
    var server: ServerSurvey
    /// The nodes that share the queues. Empty where one listener has the queues for itself, or where we may not read
    /// the nodes.
    var nodes: [NodeBacklog] = []
    /// Whether anything listens, as far as the role can see.
    var sight = ListenerSight.nobody
    /// The tables that the server did not let us read.
    var refused: [Refusal] = []
  }

  /// A table that could not be read.
  struct Refusal: Equatable {
    let table: String
    let reason: ServerError
    /// The statements that would give this role the permission to read it; nil where a permission is not what is
    /// missing.
    var grant: String?

    /// The reason, and what would change it.
    var words: String { "\(reason.explanation)\(grant.map { "; \($0)" } ?? "")" }
  }

  var answers: Answers? {
    if case .done(let answers) = self { answers } else { nil }
  }
}

/// Asks the database repeatedly over one connection, or over a new one when the connection is lost.
struct DatabaseReader {
  private let parameters: ConnectionParameters
  private let rules: SiteRules
  /// Whether the reader reports that it could not read the nodes.
  private let tellsNodes: Bool
  private let depth: QueueSurvey.Depth
  /// How long a look may take; nil where each answer has its own ``Connection/replyTimeout``.
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
    // Where one statement takes too long, there must be time left to ask for the rest.
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
      // A site without nodes does not need to hear that we may not read them, unless it asks for nothing else.
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

  /// Whether anything listens. A role that may delete from a queue could be the listener's, and then it sees its own
  /// sessions: the sessions that are hidden from it are not the listener's.
  private func sight(
    _ server: ServerSurvey, _ connection: Connection
  ) throws(DatabaseError) -> ListenerSight {
    let sessions = ListenerSessions(server)
    let sight = ListenerSight(sessions, isOwnRole: false)
    guard case .untold = sight, sessions.hiddenOthers > 0 else { return sight }
    return ListenerSight(
      sessions, isOwnRole: try TableRights.canServe(rules.tables, on: connection))
  }

  /// The same refusals, each with the statement that would let this role read the table.
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
