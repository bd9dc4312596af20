// SPDX-License-Identifier: BSD-2-Clause
//
// [verify], what is odd about a file, and the sample file that shows every setting.

import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import fpcache

private func configuration(_ text: String) throws -> SiteConfiguration {
  try SiteConfiguration(Array(text.utf8), file: "/f.ini")
}

private func oddities(_ text: String) throws -> [String] {
  try configuration(text).oddities.map { "\($0.place) \($0.words)" }
}

@Suite("The section [verify]") struct VerifySettingsTests {
  @Test func queriesAndSizes() throws {
    let settings = try configuration(
      """
      [verify]
      ports = SELECT category, port,
        changed_at FROM x
        WHERE port LIKE '%%'
      DAILY:SELECT 1
      NEWS =
      DAILY_STUB = 100
      html_stub = 0
      TIMEOUT = 2.5
      """
    ).verify
    #expect(
      settings.queries == [
        FamilyQuery(family: "daily", sql: "SELECT 1", place: "/f.ini:5"),
        FamilyQuery(
          family: "ports",
          sql: "SELECT category, port,\nchanged_at FROM x\nWHERE port LIKE '%'", place: "/f.ini:2"),
      ])
    #expect(settings.leastSizes == ["daily": 100, "html": 0])
    #expect(settings.timeout == .milliseconds(2500))
    #expect(try configuration("").verify == VerifySettings())
  }

  @Test(arguments: [
    (
      "PORTS_STUB = x",
      "/f.ini:2: PORTS_STUB: is not a number in this range; expected bytes from 0 to 1073741824"
    ),
    (
      "PORTS_STUB = -1",
      "/f.ini:2: PORTS_STUB: is not a number in this range; expected bytes from 0 to 1073741824"
    ),
    (
      "TIMEOUT = 0",
      "/f.ini:2: TIMEOUT: is not a number in this range; expected seconds from 1 to 86400"
    ),
    (
      "PORTS = SELECT 5 % 2",
      "/f.ini:2: PORTS: a single '%'; write '%%' for a percent sign, or '%(KEY)s' for the value "
        + "of another key"
    ),
  ])
  func whatCannotBeRead(_ line: String, _ message: String) {
    #expect(throws: UserError(.configuration, message)) {
      try configuration("[verify]\n" + line)
    }
  }
}

@Suite("What is odd about a configuration") struct ConfigurationAuditTests {
  @Test func theSitesOwnFile() throws {
    #expect(
      try oddities(
        """
        [database]
        HOST = pg01.example.org
        DBNAME = freshports.org
        DBUSER = listening
        PASSWORD = secret
        [dirs]
        BASEDIR = /var/db/freshports
        PORT_CACHE_PATH     = %(BASEDIR)s/cache/ports/%%s/%%s/*
        CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/*
        DATE_CACHE_PATH     = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*
        NEWS_CACHE_DIR      = '%(BASEDIR)s/cache/news/*'
        COMMIT_CACHE_PATH   = %(BASEDIR)s/cache/commits/%%s/
        SCRIPTDIR = /usr/local/libexec/freshports
        """) == [
          "/f.ini:11 NEWS_CACHE_DIR is in quotes, which are ignored"
        ])
  }

  @Test(arguments: [
    (
      "[dirs]\nNEWS_CACHE_DRI = /x",
      "/f.ini:2 unknown key NEWS_CACHE_DRI in [dirs]; did you mean NEWS_CACHE_DIR?"
    ),
    (
      "[database]\nPASSWROD = s3cret",
      "/f.ini:2 unknown key PASSWROD in [database]; did you mean PASSWORD?"
    ),
    (
      "[database]\nPASSWORD = 's3cret'",
      "/f.ini:2 PASSWORD is in quotes, which are ignored"
    ),
    (
      "[listen]\nSETTLE = '0'",
      "/f.ini:2 SETTLE is 0: a page that was being rendered while it was cleared stays stale"
    ),
    (
      "[dirs]\nBASEDIR = var/db",
      "/f.ini:2 BASEDIR is not an absolute path: it depends on the folder where fpcache is started"
    ),
    (
      "[listen]\nSETTLE = 0",
      "/f.ini:2 SETTLE is 0: a page that was being rendered while it was cleared stays stale"
    ),
    (
      "[listen]\nPOLL_INTERVAL = 7200",
      "/f.ini:2 POLL_INTERVAL is more than an hour: a change without a notification waits that long"
    ),
    ("[listen]\nCOLOUR = red", "/f.ini:2 unknown key COLOUR in [listen]"),
    (
      "[verify]\nPORT = SELECT 1",
      "/f.ini:2 unknown key PORT in [verify]; did you mean PORTS?"
    ),
    ("[verfy]\nx = y", "/f.ini:1 unknown section [verfy]; did you mean [verify]?"),
    ("[listen]\ncol\u{1B}our = red", "/f.ini:2 unknown key col\\x1bour in [listen]"),
  ])
  func oddThings(_ text: String, _ words: String) throws {
    #expect(try oddities(text) == [words])
  }

  @Test(arguments: [
    "[dirs]\nROOT = /x\nBASEDIR = %(ROOT)s/y", "[other]\nPORTS = 1", "[DEFAULT]\nx = y\n[listen]",
    "[listen]\nSETTLE = 5\nPOLL_INTERVAL = 3600", "[verify]\nPORTS =", "",
  ])
  func whatIsNotOdd(_ text: String) throws {
    #expect(try oddities(text) == [])
  }

  // MARK: On this machine

  @Test func foldersAndReaders() throws {
    let tree = try TemporaryTree()
    let file = tree.fullPath("f.ini")
    try tree.write(
      "f.ini",
      text: """
        [database]
        PASSWORD = s3cret
        [listen]
        STATE_DIR = \(tree.path)/none
        STATUS_FILE = \(tree.path)/status.json
        METRICS_FILE = \(tree.path)/f.ini/metrics
        """, mode: 0o644)
    func words() throws -> [String] {
      let config = try Config.resolve(
        flags: Config.Flags(config: file), environment: [:], files: .real)
      return config.oddities.map { "\($0.subject) \($0.words)" }
    }
    #expect(
      try words() == [
        "\(file) contains a password and everybody can read it; remove the others' permission",
        "\(file) STATE_DIR names the folder \(tree.path)/none, which is not there",
        "\(file) METRICS_FILE names the folder \(tree.path)/f.ini, which is not there",
      ])
    try tree.setMode("f.ini", 0o640)
    try tree.makeDirectory("none")
    #expect(try words().count == 1)
  }
}

@Suite("The sample configuration") struct SampleConfigurationTests {
  @Test func asItIsItSaysNothing() throws {
    let sample = try configuration(SampleConfiguration.text)
    #expect(sample.database.isEmpty && sample.cacheDirectory == nil)
    #expect(sample.listen == ListenSettings() && sample.verify == VerifySettings())
    #expect(sample.oddities.isEmpty)
  }

  /// Every setting that is read is shown, nothing else is, and all of it can be turned on.
  @Test func itShowsEverySetting() throws {
    let text = try SampleConfiguration.uncommented
    let ini = try INI.parse(text, file: "/f.ini")
    let shown = ini.sections.flatMap { section in
      ini.ownKeys(in: section).map { "\(section) \($0.spelling)" }
    }
    // One that asks for what has changed since is shown where it is worth writing.
    let since = ["CATEGORIES", "COMMITS", "DAILY", "FILES", "PORTS"].map { $0 + "_SINCE" }
    let settings = Setting.all.filter { !$0.key.hasSuffix("_SINCE") || since.contains($0.key) }
    #expect(Set(shown) == Set(settings.map { "\($0.section) \($0.key)" }))
    #expect(shown.count == settings.count && ini.sections == Setting.all.sections)
    let sample = try configuration(text)
    #expect(sample.oddities.isEmpty)
    #expect(sample.listen.settle == .seconds(5) && sample.listen.pollInterval == .seconds(60))
    #expect(sample.listen.stateDirectory != nil && sample.listen.statusFile != nil)
    #expect(sample.listen.metricsFile != nil && sample.listen.syslog == .standard)
    #expect(sample.database.map(\.0) == ["host", "port", "dbname", "user", "password", "sslmode"])
    #expect(Set(sample.verify.leastSizes.keys) == Set(VerifySettings.families(of: .freshPorts)))
    #expect(sample.verify.queries.map(\.family) == VerifySettings.families(of: .freshPorts))
    #expect(sample.verify.timeout == FamilyQuery.defaultTimeout)
  }

  /// What it shows is what there is without it.
  @Test func itShowsTheDefaults() throws {
    let sample = try configuration(SampleConfiguration.uncommented)
    let layout = try sample.layout(effectiveDirectory: Config.defaultCacheDirectory)
    #expect(sample.cacheDirectory == Config.defaultCacheDirectory)
    var matcher = Matcher(layout)
    var own = Matcher(.freshPorts)
    for path in [
      "daily/2020/01/21.daily.head", "ports/net/a/Detail.PageSize1.PageNum1.html",
      "categories/net/net.0.head.PageSize1.PageNum1.html", "commits/a/a...n.html",
      "news/news.atom.head.xml",
    ] {
      let path = CachePath(Array(path.utf8))
      #expect(matcher.classify(path) == own.classify(path))
    }
    #expect(sample.listen.settle == ListenSettings.defaultSettle)
    #expect(sample.listen.stateDirectory == ListenSettings.defaultStateDirectory)
  }
}
