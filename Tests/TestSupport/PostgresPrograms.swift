// SPDX-License-Identifier: BSD-2-Clause
//
// Where this machine keeps PostgreSQL's programs. Debian's wrappers in /usr/bin are skipped: they choose a cluster of
// the machine, and a test must never connect to one.

import Foundation

/// The folder of initdb, postgres, pg_ctl and psql.
struct PostgresPrograms: Sendable {
  let folder: String

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Looked up once: `$PG_BINDIR`, then `pg_config --bindir`, then Debian's newest version, then PATH.
  static let found: Result<PostgresPrograms, any Error> = Result { try find() }

  private static func find() throws -> PostgresPrograms {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["PG_BINDIR"] {
      guard isComplete(folder) else {
        throw SupportError(
          "PG_BINDIR is \(folder), where there is no initdb, postgres, pg_ctl or psql")
      }
      return PostgresPrograms(folder: folder)
    }
    var candidates: [String] = []
    if let program = findProgram("pg_config"),
      let result = try? Command(program, ["--bindir"]).run(), result.status == 0
    {
      candidates.append(result.stdout.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    let debian = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
    candidates += versions.compactMap(Int.init).sorted(by: >).map { "\(debian)/\($0)/bin" }
    candidates += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    if let folder = candidates.first(where: isComplete) { return PostgresPrograms(folder: folder) }
    throw SupportError(
      """
      These tests need a PostgreSQL server of their own, and its programs (initdb, postgres) were
      not found. Try: apt-get install postgresql
      or say where they are: PG_BINDIR=/path/to/postgresql/bin
      """)
  }

  private static func isComplete(_ folder: String) -> Bool {
    ["initdb", "postgres", "pg_ctl", "psql"].allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
  }

  /// Runs statements through psql, as one script that stops at the first error.
  /// - Parameters:
  ///   - sql: the statements, passed on standard input; a COPY may include its rows.
  ///   - dsn: the database.
  /// - Returns: the result: one line per row, `|` between columns, without the last newline.
  func run(_ sql: String, on dsn: String) throws -> String {
    var command = Command(path("psql"), ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", dsn])
    command.input = Array((sql + "\n").utf8)
    let result = try command.run()
    guard result.status == 0 else {
      throw SupportError("\(result.stderr)in: \(sql.prefix(600))")
    }
    return result.stdout.hasSuffix("\n") ? String(result.stdout.dropLast()) : result.stdout
  }
}
