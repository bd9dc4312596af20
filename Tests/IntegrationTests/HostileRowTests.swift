// SPDX-License-Identifier: BSD-2-Clause
//
// Rows of whatever others have written: nothing that they do not name goes, and the log can be told
// back to bytes.

import Basics
import Foundation
import Testing
import fpcache

@testable import TestSupport

@Suite struct HostileRowTests {
  /// Texts that a database can hold.
  private static let texts = [
    "", ".", "..", "/", "../..", "../../etc", "/etc/passwd", "a/b", "a//b", "./a", "*", "?", "[a]",
    "{a}", "%", "%s", "~", " ", " www", "www ", "w\nw", "w\tw", "w\rw", "\u{1B}]0;x\u{7}", "\u{7F}",
    "é", "e\u{301}", "ｗｗｗ", "wwԝ", "www\u{200B}", "\u{202E}www", "\u{FEFF}www", "WWW",
    "'; DROP TABLE x",
    "$(id)", "`id`", "a\\b", "\\x2e\\x2e", "%2e%2e", "\"", "NULL",
    String(repeating: "a", count: 256), String(repeating: "a", count: 4_096),
    String(repeating: "../", count: 1_365),
  ]

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for path in [
      "ports/www/a/Detail.PageSize1.PageNum1.html", "ports/www/b/x", "categories/net/x",
      "commits/a/a.www.a.n.html", "daily/2020/01/21.daily.head", "packages/www/a.html",
      "ports/Mk/x.PageSize1.PageNum1.html", "searchlog.txt",
    ] {
      try tree.write(path, bytes: 1)
    }
    try tree.write("../canary", bytes: 1)
    return tree
  }

  private func drain(
    _ database: TestDatabase, _ tree: TemporaryTree
  ) throws -> CommandResult {
    try Command.fpcache([
      "listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json",
      "--cache-dir", tree.path,
    ])
  }

  private func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

  /// The values that the log quotes, as bytes.
  private func quoted(_ log: String) throws -> [[UInt8]] {
    try log.split(separator: "\n").compactMap { (line) throws -> [UInt8]? in
      guard let first = line.firstIndex(of: "\""),
        let last = line.range(of: "\" is not a valid ", options: .backwards)
      else { return nil }
      let text = String(line[line.index(after: first)..<last.lowerBound])
      let bytes = unescape(text)
      #expect(bytes != nil, "\(line)")
      return bytes
    }
  }

  @Test("ports, commits and files of hostile names clear nothing that they do not name")
  func texts() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try tree()
    let before = try tree.snapshot()
    let texts = Self.texts
    let rows = texts.flatMap { ["(1, 'www', \(literal($0)))", "(1, \(literal($0)), 'a')"] }
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES \(rows.joined(separator: ","))
        ON CONFLICT DO NOTHING;
      INSERT INTO cache_clearing_files (pathname, date_added) VALUES
        \(texts.flatMap { [$0, "/ports/head/" + $0, "/ports/head/../" + $0, "/ports/head/www/a/../" + $0] }
          .map { "(\(literal($0)), now())" }.joined(separator: ","));
      """)
    let result = try drain(database, tree)
    #expect(result.status == 0, "\(result)")
    // "WWW" is a port's name, though nobody's here, and some texts are plain files of the ports tree.
    #expect(try tree.snapshot() == before, "\(result)")
    let errors = result.stderr.split(separator: "\n").count { $0.contains("nothing to clear") }
    #expect((4...20).contains(errors), "of each reason one: \(result)")
    #expect(!result.errorBytes.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F })
    #expect(try !quoted(result.stderr).isEmpty, "\(result)")
    for table in ["ports", "files"] {
      #expect(try database.count("cache_clearing_\(table)") == 0, "\(table)")
    }
  }

  @Test("bytes that are no UTF-8, from a database that does not mind")
  func bytes() throws {
    let server = try PostgresServer.shared
    // The first database makes the roles.
    _ = try server.makeDatabase()
    let database = TestDatabase(name: "ascii\(UInt32.random(in: 0...UInt32.max))", server: server)
    _ = try server.sql(
      "CREATE DATABASE \(database.name) TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    let tree = try tree()
    let before = try tree.files()
    _ = try database.sql(
      """
      CREATE TABLE cache_clearing_ports (id serial PRIMARY KEY, category text, port text);
      INSERT INTO cache_clearing_ports (category, port) VALUES (E'w\\xffw', 'a'), ('www', E'\\xc0\\xae\\xc0\\xae'),
        (E'\\xed\\xa0\\x80', E'\\xfe'), ('www', E'a\\xc3');
      GRANT SELECT, DELETE ON cache_clearing_ports TO listening;
      """)
    try tree.write("ports/net/a/page", bytes: 1)
    _ = try database.sql("INSERT INTO cache_clearing_ports (category, port) VALUES ('net', 'a')")
    let result = try drain(database, tree)
    #expect(result.stdout.contains(#""rows":5,"#), "\(result)")
    #expect(result.stdout.contains(#""rows_refused":4,"#), "\(result)")
    #expect(!tree.exists("ports/net/a/page"), "they do not hold up the others")
    #expect(try tree.files() == before.filter { $0 != "categories/net/x" })
    #expect(String(validating: result.errorBytes, as: UTF8.self) != nil)
    #expect(
      try quoted(result.stderr) == [
        [0x77, 0xFF, 0x77], [0xC0, 0xAE, 0xC0, 0xAE],
      ], "the first of each reason: \(result)")
  }
}
