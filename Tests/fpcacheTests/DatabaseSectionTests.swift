// SPDX-License-Identifier: BSD-2-Clause
//
// [database]: libpq's keywords by their own names, and what is refused or set by fpcache itself.

import CacheFS
import Testing

@testable import PGQueue
@testable import fpcache

private func resolve(_ text: String) throws(UserError) -> Config {
  try Config.resolve(
    flags: Config.Flags(config: "/f.ini"), environment: [:], files: .holding(["/f.ini": text]))
}

/// The keywords that the file gives, as `keyword=value`.
private func keywords(_ text: String) throws -> [String] {
  let usual = try resolve("").connection.keywords.map { "\($0.0)=\($0.1)" }
  return try resolve(text).connection.keywords.map { "\($0.0)=\($0.1)" }
    .filter { !usual.contains($0) }
}

@Suite("The section [database]") struct DatabaseSectionTests {
  @Test("every keyword that libpq knows is taken by its own name, in capitals or not")
  func allKeywords() throws {
    let names = ConnectionKeyword.all.map(\.name)
    #expect(names.contains("sslrootcert") && names.contains("target_session_attrs"))
    for name in names
    where DatabaseSection.own[name] == nil && !["replication", "dbname"].contains(name) {
      #expect(try keywords("[database]\n\(name.uppercased()) = 7") == ["\(name)=7"])
      #expect(try keywords("[database]\n\(name) = 7") == ["\(name)=7"])
    }
  }

  @Test("the keywords that are known without libpq are libpq's, with the same secrets")
  func knownWithoutLibpq() {
    #expect(Set(ConnectionKeyword.ofEveryVersion).isSubset(of: ConnectionKeyword.all))
    #expect(ConnectionKeyword.all.count > ConnectionKeyword.ofEveryVersion.count)
  }

  @Test("what the site gives comes after our own defaults, and so counts")
  func overDefaults() throws {
    let connection = try resolve("[database]\nKEEPALIVES_IDLE = 99").connection
    #expect(connection.keywords.last { $0.0 == "keepalives_idle" }?.1 == "99")
  }

  @Test("the user by either name, the section's own before [DEFAULT]'s")
  func user() throws {
    #expect(try keywords("[database]\nDBUSER = a") == ["user=a"])
    #expect(try keywords("[database]\nUSER = a") == ["user=a"])
    #expect(try keywords("[DEFAULT]\nDBUSER = b\n[database]\nUSER = a") == ["user=a"])
    #expect(
      throws: UserError(
        .configuration,
        "/f.ini:3: DBUSER: the user is on line 2 already; keep one of them")
    ) { try resolve("[database]\nUSER = a\nDBUSER = b") }
  }

  @Test("what would keep fpcache from working is refused")
  func refused() {
    #expect(
      throws: UserError(
        .configuration,
        "/f.ini:2: REPLICATION: a replication connection cannot listen; remove the key")
    ) { try resolve("[database]\nREPLICATION = database") }
  }

  @Test(
    "what fpcache sets itself is known, not used, and said",
    arguments: [
      ("CLIENT_ENCODING", "text is read as the bytes that the database holds"),
      ("APPLICATION_NAME", "the listener is found by the name that it gives itself"),
      ("FALLBACK_APPLICATION_NAME", "the listener is found by the name that it gives itself"),
    ])
  func ownKeywords(_ key: String, _ reason: String) throws {
    let config = try resolve("[database]\n\(key) = x")
    #expect(config.fileOddities.map(\.words) == ["\(key) is not used: \(reason)"])
    #expect(config.fileOddities.map(\.code) == [.unusedKey])
    #expect(!config.connection.keywords.contains { $0.1 == "x" })
  }

  @Test("a near miss is told; another program's key is nobody's business")
  func nearMiss() throws {
    #expect(
      try resolve("[database]\nSSLMOD = require").fileOddities.map(\.words)
        == ["unknown key SSLMOD in [database]; did you mean SSLMODE?"])
    #expect(try resolve("[database]\nSCRIPTS = 1\nSSLMODE = require").fileOddities.isEmpty)
  }

  @Test(
    "a database's name that is a connection string must be one, and is not repeated",
    arguments: ["host=h hunter2", "postgresql://u:hunter2@[::1", "postgres://u:hunter2/x?y@h"])
  func badName(_ name: String) throws {
    let error = #expect(throws: UserError.self) { try resolve("[database]\nDBNAME = \(name)") }
    #expect(error?.message.hasPrefix("/f.ini:2: DBNAME: is not a libpq connection string") == true)
    #expect(error?.message.contains("hunter2") == false)
  }

  @Test(
    "a faulty reference in what may be a password is not repeated",
    arguments: ["PASSWORD", "SSLPASSWORD", "DBNAME"])
  func faultyReference(_ key: String) {
    let error = #expect(throws: UserError.self) {
      try resolve("[database]\n\(key) = a%(hunter2)sb")
    }
    #expect(error?.message.hasPrefix("/f.ini:2: \(key): a single '%'") == true)
    #expect(error?.message.contains("hunter2") == false)
  }

  @Test("that a file holds a password is known, wherever it stands")
  func holdsPassword() throws {
    for line in ["PASSWORD = x", "SSLPASSWORD = x", "DBNAME = postgresql://u:x@h/d"] {
      #expect(try resolve("[database]\n\(line)").holdsPassword, "\(line)")
    }
    #expect(try !resolve("[database]\nDBNAME = postgresql://u@h/d\nPASSWORD =").holdsPassword)
  }
}
