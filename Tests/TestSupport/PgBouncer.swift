// SPDX-License-Identifier: BSD-2-Clause
//
// PgBouncer in transaction mode before a throwaway server: a pooler that accepts a LISTEN but passes on no
// notification.

import Foundation

/// A running PgBouncer. It ends with its last reference.
public final class PgBouncer: Sendable {
  /// Whether PgBouncer is installed on this machine.
  public static let isInstalled = findProgram("pgbouncer") != nil

  private let folder: String
  private let daemon: Daemon

  /// Starts it and waits until it accepts connections.
  public init(before server: PostgresServer) throws {
    guard let program = findProgram("pgbouncer") else {
      throw SupportError("no pgbouncer. Try: apt-get install pgbouncer")
    }
    folder = try Scratch.makeFolder("bouncer")
    try Account.unprivileged.take(folder)
    try PgBouncer.write(
      """
      [databases]
      * = host=\(server.socketDirectory) port=\(server.port)
      [pgbouncer]
      listen_port = 6432
      unix_socket_dir = \(folder)
      auth_type = trust
      auth_file = \(folder)/users
      pool_mode = transaction

      """, to: "\(folder)/pgbouncer.ini")
    try PgBouncer.write("\"listening\" \"\"\n", to: "\(folder)/users")
    var command = Command(program, ["\(folder)/pgbouncer.ini"])
    command.account = .unprivileged
    daemon = try Daemon(command)
    try daemon.waitForLog(containing: "process up")
  }

  /// How the role `listening` reaches a database through it.
  public func dsn(_ database: TestDatabase) -> String {
    "host=\(folder) port=6432 dbname=\(database.name) user=listening"
  }

  private static func write(_ text: String, to path: String) throws {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT)
    fchmod(file.number, 0o644)
    try writeAll(Array(text.utf8), to: file.number)
  }
}
