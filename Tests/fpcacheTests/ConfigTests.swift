// SPDX-License-Identifier: BSD-2-Clause
//
// Flags, environment, file and defaults: which one wins for each value, and what a bad one says.
// Files come out of a dictionary, by the seam that Config reads them through.

import CacheFS
import SystemPackage
import Testing

@testable import Basics
@testable import PGQueue
@testable import fpcache

extension FileReader {
  /// Reads from a dictionary; any other path does not exist.
  static func holding(_ files: [String: String]) -> FileReader {
    FileReader { (path) throws(Errno) in
      guard let text = files[path] else { throw .noSuchFileOrDirectory }
      return Array(text.utf8)
    }
  }

  /// Fails for every path.
  static func failing(_ error: Errno) -> FileReader {
    FileReader { (_) throws(Errno) in throw error }
  }
}

private let siteFile = "/usr/local/etc/freshports/fp-listen.ini"
private let ownFile = "/etc/fpcache/fpcache.ini"
private let localFile = "/usr/local/etc/fpcache/fpcache.ini"

private func resolve(
  _ flags: Config.Flags = Config.Flags(), _ environment: [String: String] = [:],
  _ files: [String: String] = [:]
) throws(UserError) -> Config {
  try Config.resolve(flags: flags, environment: environment, files: .holding(files))
}

/// One way to name a cache directory, and what comes of it.
private struct Precedence: CustomTestStringConvertible {
  let rule: String
  var flags = Config.Flags()
  var environment: [String: String] = [:]
  var files: [String: String] = [:]
  let directory: String
  let origin: String

  var testDescription: String { rule }

  static let cacheDirectory = [
    Precedence(rule: "the default", directory: "/var/db/freshports/cache", origin: "the default"),
    Precedence(
      rule: "the first default file", files: [siteFile: "[dirs]\nBASEDIR=/a", ownFile: "nonsense"],
      directory: "/a/cache", origin: siteFile),
    Precedence(
      rule: "the second default file", files: [ownFile: "[dirs]\nbasedir: /b"],
      directory: "/b/cache", origin: ownFile),
    Precedence(
      rule: "the third default file", files: [localFile: "[dirs]\nBASEDIR=/l"],
      directory: "/l/cache", origin: localFile),
    Precedence(
      rule: "the second before the third",
      files: [localFile: "[dirs]\nBASEDIR=/l", ownFile: "[dirs]\nBASEDIR=/b"],
      directory: "/b/cache", origin: ownFile),
    Precedence(
      rule: "a default file without BASEDIR ends the search",
      files: [siteFile: "[dirs]", ownFile: "[dirs]\nBASEDIR=/b"],
      directory: "/var/db/freshports/cache", origin: "the default"),
    Precedence(
      rule: "$FPCACHE_CONFIG before the defaults", environment: ["FPCACHE_CONFIG": "/e.ini"],
      files: [siteFile: "[dirs]\nBASEDIR=/a", "/e.ini": "[dirs]\nBASEDIR=/e"],
      directory: "/e/cache", origin: "/e.ini"),
    Precedence(
      rule: "--config before $FPCACHE_CONFIG", flags: Config.Flags(config: "/f.ini"),
      environment: ["FPCACHE_CONFIG": "/missing.ini"], files: ["/f.ini": "[dirs]\nBASEDIR=/f"],
      directory: "/f/cache", origin: "/f.ini"),
    Precedence(
      rule: "$FPCACHE_DIR before the file", environment: ["FPCACHE_DIR": "/x/tree"],
      files: [siteFile: "[dirs]\nBASEDIR=/a"], directory: "/x/tree", origin: "$FPCACHE_DIR"),
    Precedence(
      rule: "--cache-dir before $FPCACHE_DIR", flags: Config.Flags(cacheDir: "/y"),
      environment: ["FPCACHE_DIR": "/x/tree"], files: [siteFile: "[dirs]\nBASEDIR=/a"],
      directory: "/y", origin: "--cache-dir"),
    Precedence(
      rule: "BASEDIR of [DEFAULT]", files: [siteFile: "[DEFAULT]\nBASEDIR=/d\n[dirs]"],
      directory: "/d/cache", origin: siteFile),
  ]
}

private let siteDatabase = """
  [database]
  HOST = pg01.example.org
  DBNAME = freshports.org
  DBUSER = listening
  PASSWORD = s3%%cret
  PORT = 5433
  """

private func keywords(_ pairs: (String, String)...) -> ConnectionParameters {
  ConnectionParameters(
    [("fallback_application_name", "fpcache")] + Config.keepalives + pairs
      + [("client_encoding", "UTF8")])
}

@Suite("Config") struct ConfigTests {
  @Test("the cache directory", arguments: Precedence.cacheDirectory)
  private func cacheDirectory(_ row: Precedence) throws {
    let config = try resolve(row.flags, row.environment, row.files)
    #expect(config.cacheDirectory == FilePath(row.directory))
    #expect(config.cacheDirectoryOrigin == row.origin)
  }

  @Test func withoutAnythingAllIsDefault() throws {
    let config = try resolve()
    #expect(config.layout == .freshPorts)
    #expect(config.connection == keywords())
    #expect(!config.namesDatabase)
  }

  @Test(
    "a file that is named and missing",
    arguments: [
      (Config.Flags(config: "/no\nsuch.ini"), [:]),
      (Config.Flags(), ["FPCACHE_CONFIG": "/no\nsuch.ini"]),
    ])
  func namedAndMissing(_ flags: Config.Flags, _ environment: [String: String]) {
    #expect(
      throws: UserError(
        .configuration,
        "/no\\x0asuch.ini: cannot be read: No such file or directory; name another with --config")
    ) { try resolve(flags, environment) }
  }

  @Test("a default file that is there must be readable", arguments: [Errno.permissionDenied])
  func unreadableDefault(_ error: Errno) {
    #expect(
      throws: UserError(
        .configuration,
        "\(siteFile): cannot be read: Permission denied; name another with --config")
    ) {
      try Config.resolve(flags: Config.Flags(), environment: [:], files: .failing(error))
    }
  }

  @Test("a default file behind something that is no folder is not there")
  func defaultBehindFile() throws {
    _ = try Config.resolve(flags: Config.Flags(), environment: [:], files: .failing(.notDirectory))
  }

  @Test func notUTF8() {
    let files = FileReader { (_) throws(Errno) in [0x5B, 0xFF] }
    #expect(
      throws: UserError(.configuration, "/f.ini: is not UTF-8 text; save it as UTF-8")
    ) {
      try Config.resolve(flags: Config.Flags(config: "/f.ini"), environment: [:], files: files)
    }
  }

  @Test(
    "a faulty file is told of by file, line and key",
    arguments: [
      ("[dirs]\nBASEDIR", "2: not a KEY = VALUE line; write one, or indent the line"),
      ("[dirs]\n\nBASEDIR = %(x)s", "3: BASEDIR: '%(x)s' is not a key of [dirs] or [DEFAULT]"),
      ("[database]\nPASSWORD = top%secret", "2: PASSWORD: a single '%'; write '%%'"),
      (
        "[dirs]\nNEWS_CACHE_DIR = /elsewhere",
        "2: NEWS_CACHE_DIR: is outside the cache directory; expected a path below "
      ),
    ])
  func faultyFile(_ text: String, _ start: String) {
    let error = #expect(throws: UserError.self) {
      try resolve(Config.Flags(config: "/f.ini"), [:], ["/f.ini": text])
    }
    #expect(error?.status == .configuration)
    #expect(error?.message.hasPrefix("/f.ini:" + start) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("secret") == false)
  }

  // MARK: The database

  @Test func databaseOfTheFile() throws {
    let config = try resolve(.init(), ["PGHOST": "other"], [siteFile: siteDatabase])
    #expect(
      config.connection
        == keywords(
          ("host", "pg01.example.org"), ("port", "5433"), ("dbname", "freshports.org"),
          ("user", "listening"), ("password", "s3%cret")))
    #expect(config.namesDatabase)
  }

  @Test func emptyValuesAreLeftToLibpq() throws {
    let config = try resolve(.init(), [:], [siteFile: "[database]\nHOST =\nPASSWORD=''\nDBNAME=x"])
    #expect(config.connection == keywords(("dbname", "x")))
  }

  @Test func dsnStandsForTheWholeSection() throws {
    let config = try resolve(
      Config.Flags(dsn: "host=h user=u"), [:], [siteFile: siteDatabase])
    #expect(config.connection == keywords(("dbname", "host=h user=u")))
    #expect(config.namesDatabase)
  }

  @Test(
    "libpq's variables name a database",
    arguments: ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"])
  func libpqVariables(_ name: String) throws {
    let config = try resolve(.init(), [name: "x"], [siteFile: "[dirs]"])
    #expect(config.connection == keywords())
    #expect(config.namesDatabase)
  }

  @Test(
    "a bad --dsn is not repeated",
    arguments: [
      "password=hunter2 host", "hunter2", "host='hunter2", "postgresql://u:hunter2@[::1",
      "postgresql://u:hunter2@h/d?nosuchkeyword=1", "password = hunter2 hunter2=1",
    ])
  func badDSN(_ dsn: String) {
    #expect(
      throws: UserError(
        .usage,
        "--dsn: not a libpq connection string or URI; "
          + "expected e.g. \"host=db.example.org dbname=freshports.org user=listening\"")
    ) { try resolve(Config.Flags(dsn: dsn)) }
  }

  @Test("a good --dsn", arguments: ["", "host=h", "postgresql://u:p@h:1/d", "postgres:///d"])
  func goodDSN(_ dsn: String) throws {
    #expect(try resolve(Config.Flags(dsn: dsn)).connection == keywords(("dbname", dsn)))
  }

  // MARK: The layout

  /// Section 4 of the site's description, whole.
  @Test(arguments: [nil, "/elsewhere"])
  func siteLayout(_ directory: String?) throws {
    let config = try resolve(
      Config.Flags(cacheDir: directory), [:],
      [siteFile: siteDatabase + "\n" + PathTemplate.siteSample])
    #expect(config.cacheDirectory == FilePath(directory ?? "/var/db/freshports/cache"))
    let patterns = Dictionary(
      uniqueKeysWithValues: config.layout.families.map { ($0.name, $0.pattern.description) })
    #expect(patterns["ports"] == "ports/{category}/{port}/{page...}")
    #expect(patterns["categories"] == "categories/{category}/{page...}")
    #expect(patterns["daily"] == "daily/{year}/{month}/{day}.daily.{branch}")
    #expect(patterns["news"] == "news/{page:visible...}")
    #expect(patterns["commits"] == "commits/{id}/{page...}")
    #expect(patterns["general"] == "general/{report}.{page:name}")
  }
}

extension PathTemplate {
  /// [dirs] of section 4, with the quotes that the site's own file had by mistake.
  static let siteSample = """
    [dirs]
    BASEDIR = /var/db/freshports
    PORT_CACHE_PATH     = %(BASEDIR)s/cache/ports/%%s/%%s/*
    CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/*
    DATE_CACHE_PATH     = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*
    NEWS_CACHE_DIR      = '%(BASEDIR)s/cache/news/*'
    COMMIT_CACHE_PATH   = %(BASEDIR)s/cache/commits/%%s/
    """
}

@Suite struct CrossMountsTests {
  private func crosses(_ value: String, flag: Bool = false) throws(UserError) -> Bool {
    try resolve(
      Config.Flags(config: "/f", crossMounts: flag), [:],
      ["/f": "[dirs]\nCROSS_MOUNTS = \(value)\n"]
    ).crossesMounts
  }

  @Test("a yes or no, as configparser's getboolean has it")
  func words() throws {
    for word in ["yes", "on", "true", "1", "Yes", "TRUE"] { #expect(try crosses(word)) }
    for word in ["no", "off", "false", "0", "NO"] {
      #expect(try !crosses(word) && crosses(word, flag: true))
    }
    #expect(try !resolve(Config.Flags(config: "/f"), [:], ["/f": "[dirs]\n"]).crossesMounts)
    for word in ["", "maybe", "2", "y"] {
      let error = #expect(throws: UserError.self) { try crosses(word) }
      #expect(error?.status == .configuration)
      #expect(
        error?.message
          == "/f:2: CROSS_MOUNTS: expected yes or no, on or off, true or false, 1 or 0")
    }
  }
}
