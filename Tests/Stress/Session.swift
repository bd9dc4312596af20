// SPDX-License-Identifier: BSD-2-Clause
//
// One thread's connection to the database, made anew after it was lost: in the soak the server is
// restarted under everybody's hands.

import Foundation
import PGQueue
import TestSupport

/// A connection that comes back.
final class Session {
  private let dsn: String
  private var connection: Connection?

  init(_ dsn: String) { self.dsn = dsn }

  /// Does something on the connection.
  /// - Returns: nil when the connection was lost or could not be made; whatever transaction was
  ///   open is rolled back then.
  /// - Throws: what the server refuses, and what `body` throws.
  func perform<Value>(_ body: (Connection) throws -> Value) throws -> Value? {
    do {
      let connection = try self.connection ?? Connection(ConnectionParameters([("dbname", dsn)]))
      self.connection = connection
      return try body(connection)
    } catch let error as DatabaseError {
      connection = nil
      switch error {
      case .unreachable, .lost: return nil
      case .noLibrary: throw SupportError(error.explanation)
      case .refused(let reason): throw SupportError("\(reason.sqlState): \(reason.message)")
      case .badConnectionString: throw SupportError("not a connection string: \(dsn)")
      }
    }
  }

  /// Does it however long the server needs to come back.
  /// - Throws: `SupportError` when it does not within a minute.
  func insist<Value>(_ body: (Connection) throws -> Value) throws -> Value {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      if let value = try perform(body) { return value }
      guard .now < deadline else { throw SupportError("no connection for a minute: \(dsn)") }
      pause(.milliseconds(20))
    }
  }
}
