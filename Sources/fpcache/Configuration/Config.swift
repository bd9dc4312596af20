// SPDX-License-Identifier: BSD-2-Clause
//
// Combines flags, environment, file and defaults into one value, which is validated and then immutable.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// Everything that a command needs to know about the site.
struct Config: Equatable, Sendable {
  /// The cache directory of FreshPorts (docs/freshports.md, section 2).
  static let defaultCacheDirectory = "/var/db/freshports/cache"
  /// How messages name the origin of the default directory.
  static let defaultOrigin = "the default"
  /// Read when no file is named: the first that exists. FreeBSD keeps it at the last path.
  static let defaultFiles = [
    "/usr/local/etc/freshports/fp-listen.ini", "/etc/fpcache/fpcache.ini",
    "/usr/local/etc/fpcache/fpcache.ini",
  ]

  var cacheDirectory: FilePath
  /// Where the cache directory was named, for error messages.
  var cacheDirectoryOrigin: String
  /// Whether to enter mounts inside the cache directory that are not at the folders of families.
  var crossesMounts = false
  /// Whether the cache directory may be any folder.
  var takesAnyDirectory = false
  var layout: Layout
  /// Whether the file defines the whole layout.
  var hasOwnLayout = false
  /// What the database asks of the cache.
  var rules: SiteRules
  /// The site's tables whose changes fill its queues, for the SQL that creates the triggers.
  var triggers: [TableTrigger] = []
  var connection: ConnectionParameters
  /// Whether a database is named: by a flag, the file, or a PG* variable.
  var namesDatabase: Bool
  /// The role that the file names: the listener's, whichever user runs the command.
  var configuredRole: String?
  /// The file's settings for the listener.
  var listen = ListenSettings()
  /// The file's settings for the audit.
  var verify = VerifySettings()
  /// The path of the file; nil when there is none.
  var file: String?
  /// Whether the file contains a password.
  var holdsPassword = false
  /// What is odd in the file.
  var fileOddities: [Oddity] = []

  /// The settings on the command line.
  struct Flags: Equatable {
    var config: String?
    var cacheDir: String?
    var dsn: String?
    var crossMounts = false
    var anyCacheDir = false
  }

  /// - Throws: ``UserError``: 78 for the file, 64 for the connection string.
  static func resolve(
    flags: Flags, environment: [String: String], files: FileReader
  ) throws(UserError) -> Config {
    let site = try SiteConfiguration.load(
      named: flags.config ?? environment["FPCACHE_CONFIG"], files)
    let (directory, origin) = cacheDirectory(flags, environment, site)
    let (connection, isNamed) = try connection(flags, environment, site)
    let (layout, rules) =
      try site?.site(effectiveDirectory: directory) ?? (.freshPorts, .freshPorts(.freshPorts))
    return Config(
      cacheDirectory: FilePath(directory), cacheDirectoryOrigin: origin,
      crossesMounts: flags.crossMounts || site?.crossesMounts == true,
      takesAnyDirectory: flags.anyCacheDir,
      layout: layout, hasOwnLayout: site?.hasOwnLayout ?? false, rules: rules,
      triggers: site?.triggers ?? [],
      connection: connection, namesDatabase: isNamed,
      configuredRole: site?.database.last { $0.0 == "user" }?.1,
      listen: site?.listen ?? ListenSettings(),
      verify: site?.verify ?? VerifySettings(),
      file: site.flatMap { unescape($0.file) }.map { String(decoding: $0, as: UTF8.self) },
      holdsPassword: site?.holdsPassword ?? false,
      fileOddities: site?.oddities ?? [])
  }

  private static func cacheDirectory(
    _ flags: Flags, _ environment: [String: String], _ site: SiteConfiguration?
  ) -> (String, String) {
    if let directory = flags.cacheDir { return (directory, "--cache-dir") }
    if let directory = environment["FPCACHE_DIR"] { return (directory, "$FPCACHE_DIR") }
    if let site, let directory = site.cacheDirectory { return (directory, site.file) }
    return (defaultCacheDirectory, defaultOrigin)
  }

  private static func connection(
    _ flags: Flags, _ environment: [String: String], _ site: SiteConfiguration?
  ) throws(UserError) -> (ConnectionParameters, isNamed: Bool) {
    // Later keywords override earlier ones, and `dbname` expands in its place.
    var keywords = [("fallback_application_name", "fpcache")] + keepalives
    var isNamed = true
    if let dsn = flags.dsn {
      do throws(DatabaseError) {
        try ConnectionParameters.check(dsn)
      } catch {
        throw UserError(
          .usage,
          "--dsn: not a libpq connection string or URI; "
            + "expected e.g. \"host=db.example.org dbname=freshports.org user=listening\"")
      }
      keywords.append(("dbname", dsn))
    } else if let site, !site.database.isEmpty {
      keywords += site.database
    } else {
      isNamed = environment.keys.contains(where: pgVariables.contains)
    }
    keywords.append(("client_encoding", "UTF8"))
    return (ConnectionParameters(keywords), isNamed)
  }

  /// The cache directory, safe to display.
  var cacheDirectoryText: String { escape(Array(cacheDirectory.string.utf8)) }

  /// The kernel also detects a server that vanished without closing the connection: after 10 s of silence it sends a
  /// keepalive, and the connection is broken if data is not acknowledged within 15 s.
  static let keepalives = [
    ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
    ("keepalives_count", "2"), ("tcp_user_timeout", "15000"),
  ]
}
