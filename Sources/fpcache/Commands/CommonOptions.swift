// SPDX-License-Identifier: BSD-2-Clause
//
// The options that every subcommand has, and the objects made from them.

import ArgumentParser
import Basics
import CacheFS
import Listening
import Logging
import SystemPackage

/// A subcommand that works on a site.
protocol SiteCommand: ParsableCommand {
  var common: CommonOptions { get }
  /// Common options that have no effect on this command. It accepts them, and its help does not list them.
  static var unusedOptions: Set<String> { get }
}

extension SiteCommand {
  static var unusedOptions: Set<String> { [] }
}

struct CommonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Configuration file (fp-listen.ini).",
      discussion: """
        Default: $FPCACHE_CONFIG, then the first that exists of \
        \(Config.defaultFiles.joined(separator: ", ")). A file named and missing is an error.
        """, valueName: "file"),
    completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The cache directory.",
      discussion: """
        Default: $FPCACHE_DIR, then the configuration's, then \(Config.defaultCacheDirectory).
        """, valueName: "dir"),
    completion: .directory)
  var cacheDir: String?

  @Flag(
    help: ArgumentHelp(
      "Accept any folder as the cache directory.",
      discussion: """
        Without this, fpcache refuses system folders, home directories, and folders with other \
        files and none of the cache's folders.
        """))
  var anyCacheDir = false

  @Flag(
    help: ArgumentHelp(
      "Enter file systems that are mounted anywhere inside the cache directory.",
      discussion: """
        File systems mounted on the folder of a family are always entered. Others are reported and skipped, unless \
        CROSS_MOUNTS in [dirs] of the configuration is yes.
        """))
  var crossMounts = false

  @Option(
    help: ArgumentHelp(
      "How to reach the database: a libpq string or URI.",
      discussion: """
        Default: [database] of the configuration, else libpq's PG* environment and \
        service file. Put a password into ~/.pgpass.
        """, valueName: "conninfo"))
  var dsn: String?

  @Flag(name: [.customShort("n"), .long], help: "Change nothing; print what would be done.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print more: each path, each step.")
  var verbose = false

  @Option(help: "Where messages go.")
  var log = LogDestination.stderr

  @Option(
    help: ArgumentHelp(
      "The form of messages on standard error.",
      discussion: """
        Default: journal where systemd's journal reads them, else text; json is one object a line.
        """))
  var logFormat: LogFormat?

  @Option(help: "When to use colour.")
  var color = ColorChoice.auto

  func validate() throws {
    if quiet, verbose {
      throw ValidationError("--quiet and --verbose cannot be used together")
    }
    if log == .syslog, logFormat != nil {
      throw ValidationError("--log syslog and --log-format cannot be used together")
    }
  }

  /// The validated configuration from flags, environment, file and defaults.
  /// - Throws: ``UserError``.
  func resolve() throws(UserError) -> Config {
    try Config.resolve(
      flags: Config.Flags(
        config: config, cacheDir: cacheDir, dsn: dsn, crossMounts: crossMounts,
        anyCacheDir: anyCacheDir),
      environment: environment(), files: .real)
  }

  /// The logger of a command; `daemon` lines have a time and a level.
  func logger(
    _ style: LogLines.Style, syslog: SyslogSettings = .standard, lastError: LastError? = nil
  ) -> Logger {
    let level: Logger.Level = quiet ? .error : verbose ? .debug : .info
    return makeLogger(log, lines(style), level: level, syslog: syslog, lastError: lastError)
  }

  /// The format of messages on standard error.
  func lines(_ style: LogLines.Style) -> LogLines {
    LogLines(
      style: style, format: logFormat ?? .suited(to: environment()),
      palette: palette(STDERR_FILENO))
  }

  /// The clearer of a command.
  /// - Parameter counting: whether it only counts what it would remove.
  /// - Throws: ``UserError`` when the cache directory cannot be opened.
  func clearer(
    _ config: Config, paths: PathList, branches: Set<[UInt8]>? = nil, watch: ClearWatch? = nil,
    remembersMounts: Bool = false, counting: Bool = false
  ) throws(UserError) -> Clearer {
    Clearer(
      try config.openCacheDirectory(remembersMounts: remembersMounts), layout: config.layout,
      dryRun: dryRun || counting ? .yes : .no,
      paths: paths, branches: branches, watch: watch)
  }
}

extension CommonOptions {
  /// The colours for one of the standard streams.
  func palette(_ descriptor: CInt) -> Palette {
    Palette(color, isTerminal: Screen.isAt(descriptor), environment())
  }
}

extension CommonOptions: PlainOptions {
  mutating func take(_ words: inout PlainWords) {
    config = words.value("--config")
    cacheDir = words.value("--cache-dir")
    anyCacheDir = words.flag("--any-cache-dir")
    crossMounts = words.flag("--cross-mounts")
    dsn = words.value("--dsn")
    dryRun = words.flag("-n", "--dry-run")
    quiet = words.flag("-q", "--quiet")
    verbose = words.flag("-v", "--verbose")
    log = words.word("--log") ?? .stderr
    logFormat = words.word("--log-format")
    color = words.word("--color") ?? .auto
  }
}

/// The formats of a clear's result.
enum ClearFormat: String, WordArgument {
  case text, json
}
