// What the database says of its queues and of those who serve them.

import PGQueue

/// The database's part of `stats`.
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
    /// What the server refused to tell: the table's name, and its words.
    var refused: [(table: String, reason: ServerError)] = []

    static func == (left: Self, right: Self) -> Bool {
      left.queues == right.queues && left.channels == right.channels
        && left.server == right.server && left.nodes == right.nodes
        && left.refused.elementsEqual(right.refused, by: ==)
    }
  }

  var answers: Answers? {
    if case .done(let answers) = self { answers } else { nil }
  }
}

/// Asks the database, again and again over one connection, or a new one when that is lost.
struct DatabaseReader {
  private let parameters: ConnectionParameters
  private let rules: SiteRules
  private var connection: Connection?

  init(_ parameters: ConnectionParameters, _ rules: SiteRules) {
    self.parameters = parameters
    self.rules = rules
  }

  mutating func read() -> DatabaseSurvey {
    do throws(DatabaseError) {
      let connection: Connection
      if let open = self.connection {
        connection = open
      } else {
        connection = try Connection(parameters)
      }
      self.connection = connection
      return .done(try answers(connection))
    } catch {
      connection = nil
      return .failed(error)
    }
  }

  private func answers(
    _ connection: Connection
  ) throws(DatabaseError) -> DatabaseSurvey.Answers {
    var answers = DatabaseSurvey.Answers(
      queues: try QueueSurvey.all(of: rules.tables, on: connection),
      server: try ServerSurvey(on: connection))
    for queue in answers.queues {
      if case .refused(let reason) = queue.outcome {
        answers.refused.append((queue.table.name, reason))
      }
    }
    do throws(DatabaseError) {
      answers.channels = try Channel.all(of: rules.events, on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      answers.refused.append(("listen_for", reason))
    }
    do throws(DatabaseError) {
      answers.nodes = try NodeBacklog.all(on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      // A site without nodes has no need to be told that it may not see them.
      if reason == .noHead { answers.refused.append(("nodes", reason)) }
    }
    return answers
  }
}
