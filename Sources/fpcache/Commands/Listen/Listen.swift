// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache listen: waits for invalidations and clears their pages; `--once` clears what waits and exits.

import ArgumentParser
import Basics
import CacheFS
import Listening
import Logging
import PGQueue
import SystemPackage

struct Listen: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "listen", _superCommandName: "fpcache",
    abstract: "Clear pages when the database announces a change.",
    discussion: """
      Listens on the channels of listen_for. Drains every queue at the start, at each \
      notification and every minute. Runs until SIGTERM. SIGHUP reads the configuration and listen_for again; SIGUSR1 logs a status line.

      EXAMPLES
        fpcache listen --config /usr/local/etc/freshports/fp-listen.ini
        fpcache listen --once --quiet      for cron: drain the queues, then exit
        fpcache listen --once -n           what a drain would do
      """)

  @Flag(help: "Drain all queues, then exit; for cron.") var once = false
  @Option(help: Setting.settle.help()) var settle: String?
  @Option(help: Setting.pollInterval.help()) var pollInterval: String?
  @Option(help: Setting.recheckInterval.help()) var recheckInterval: String?
  @Option(help: Setting.scrubInterval.help()) var scrubInterval: String?
  @Option(
    help: Setting.stateDirectory.help(
      """
      Default: $STATE_DIRECTORY, then the first that exists of \
      \(ListenSettings.defaultStateDirectories.joined(separator: " and ")).
      """),
    completion: .directory)
  var stateDir: String?
  @Option(help: Setting.statusFile.help(), completion: .file()) var statusFile: String?
  @Option(help: Setting.metricsFile.help(), completion: .file()) var metricsFile: String?
  @Option(help: Setting.eventsFile.help("See docs/events.md."), completion: .file())
  var events: String?
  @Option(
    help: Setting.node.help("Needs the tables of --print-schema; see docs/nodes.md."))
  var node: String?
  @Flag(help: "Print the SQL that --node needs, for the owner of the tables to run, and exit.")
  var printSchema = false
  @Option(help: "How to print the result of --once.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  func validate() throws {
    try Setting.settle.validate(settle)
    try Setting.node.validate(node)
    try Setting.pollInterval.validate(pollInterval)
    try Setting.recheckInterval.validate(recheckInterval)
    try Setting.scrubInterval.validate(scrubInterval)
  }

  private var flags: ListenSettings {
    var flags = ListenSettings()
    flags.settle = Setting.settle.seconds(ofOption: settle)
    flags.pollInterval = Setting.pollInterval.seconds(ofOption: pollInterval)
    flags.recheckInterval = Setting.recheckInterval.seconds(ofOption: recheckInterval)
    flags.scrubInterval = Setting.scrubInterval.seconds(ofOption: scrubInterval)
    flags.stateDirectory = stateDir
    flags.statusFile = statusFile
    flags.metricsFile = metricsFile
    flags.eventsFile = events
    flags.node = node
    return flags
  }

  func run() throws {
    if printSchema {
      try printResult(NodeSchema.sql)
      return
    }
    let config = try common.resolve()
    let settings = flags.orElse(config.listen)
    let lastError = LastError()
    let logger = common.logger(.daemon, syslog: settings.syslog, lastError: lastError)
    config.logOddities(logger)
    let node = try settings.node.map {
      try NodeTokens(
        $0, stateDirectory: settings.stateFolder, dryRun: common.dryRun ? .yes : .no, logger)
    }
    guard let signals = Signals() else {
      throw UserError(
        .incomplete,
        "cannot create a pipe for signals: too many open files; raise the limit (ulimit -n)")
    }
    let site = try site(config, node, signals, logger)
    let reporter = HealthReporter(
      HealthFiles(
        status: settings.statusFile, metrics: settings.metricsFile, version: fpcacheVersion),
      manager: once ? nil : SystemdNotifier(environment()["NOTIFY_SOCKET"]), lastError: lastError,
      logger)
    let memory =
      common.dryRun ? ClearMemory() : memory(settings, site.clearer.layout, logger)
    let (connection, listenerSettings, rules) = (site.connection, site.settings, site.rules)
    // From here on only the drain holds the cache directory open, and it can release it at SIGHUP.
    let looks = looks(site, settings, logger)
    let mounts = MountMemory(
      stateDirectory: settings.stateFolder, dryRun: common.dryRun ? .yes : .no, logger)
    let drain = Drain(
      (consume site).clearer, rules, memory, logger, node: node, mounts: mounts,
      remembering: once ? .max : RetryLedger<RowName>.defaultMost)
    let service = CacheService(
      drain, reporter, owing: once ? .nextRun : .thisListener, looks: looks
    ) { () throws(ListeningError) in
      try reload(settings, node, signals, logger)
    }
    service.looks.missed.follow(config.missedLook(signals))
    if once { return try serveOnce(SingleRun(drain, service, signals), service, connection) }
    Listener(connection, settings: listenerSettings, signals: signals, service: service).run()
  }

  private func serveOnce(
    _ run: SingleRun, _ service: CacheService, _ connection: ConnectionParameters
  ) throws {
    let result = try run.drainAll(connection)
    do {
      // The drained pages are cleared again even if the result cannot be printed.
      defer { run.settle() }
      try report(result)
    }
    // The second clear may have failed too.
    try (service.owed.isEmpty && service.settleAway == 0 ? result.status : .incomplete).leave()
  }

  /// The new configuration at SIGHUP.
  private func reload(
    _ settings: ListenSettings, _ node: NodeTokens?, _ signals: Signals, _ logger: Logger
  ) throws(ListeningError) -> ListenerSite {
    do throws(UserError) {
      let config = try common.resolve()
      config.logOddities(logger)
      let site = try site(config, node, signals, logger)
      tellOfNode(config, node, logger)
      let fixed = settings.changed(in: flags.orElse(config.listen))
      if !fixed.isEmpty {
        logger.warning(
          "SIGHUP: \(fixed.joined(separator: ", ")) changed; restart to apply"
        )
      }
      return site
    } catch {
      throw ListeningError(.configuration, error.message)
    }
  }

  private func memory(
    _ settings: ListenSettings, _ layout: Layout, _ logger: Logger
  ) -> ClearMemory {
    let settle = Settle.open(
      settings.settle ?? ListenSettings.defaultSettle, stateDirectory: settings.stateFolder,
      layout: layout, logger)
    return ClearMemory(settle, settings.eventsFile.map { ClearEvents($0, logger) })
  }

  private func looks(
    _ site: ListenerSite, _ settings: ListenSettings, _ logger: Logger
  ) -> SiteLooks.Parts {
    let (folder, cache) = (settings.stateFolder, site.clearer.rootText)
    let dryRun: DryRun = common.dryRun ? .yes : .no
    let looker = Looker(once ? .once : .staying, dryRun: dryRun, logger)
    let record = MissedRecord(MissedFiles(stateDirectory: folder), dryRun: dryRun, logger)
    let recheck = Recheck(
      RecheckFile(stateDirectory: folder, dryRun: dryRun), record, cache: cache, looker)
    let scrub = Scrub(
      ScrubFile(stateDirectory: folder, dryRun: dryRun), record, cache: cache, looker)
    recheck.follow(site.recheck, cache: cache)
    scrub.follow(site.scrub, cache: cache)
    let prune = RegularPrune(looker)
    prune.follow(site.prune)
    return SiteLooks.Parts(recheck, scrub, prune, record)
  }

  /// The listener's settings from the configuration. A node keeps the name that it had at the start.
  private func site(
    _ config: Config, _ node: NodeTokens?, _ signals: Signals, _ logger: Logger
  ) throws(UserError) -> ListenerSite {
    if config.verify.rechecks.isEmpty { try config.rules.requireSome() }
    let clearer = try common.clearer(
      config, paths: common.verbose ? .kept : .dropped,
      watch: ClearWatch { Signals.isStopAsked }, remembersMounts: true)
    try Self.requireEventsElsewhere(flags.orElse(config.listen).eventsFile, clearer, config)
    let missing = clearer.missingFolders.map(\.description)
    if !missing.isEmpty {
      logger.warning(
        """
        cache directory \(config.cacheDirectoryText): no folder \(missing.joined(separator: ", ")); \
        nothing will be cleared there. Correct the configuration or create it
        """)
    }
    if !common.dryRun { Self.tellOfRights(clearer, config, logger) }
    var settings = ListenerMachine.Settings()
    settings.pollInterval = flags.orElse(config.listen).pollInterval ?? settings.pollInterval
    settings.queues = config.rules.tables
    settings.events = config.rules.events
    if node != nil {
      settings.queues.append(.log)
      settings.lockInterval = ListenerMachine.Settings.nodeLockInterval
    }
    // `stats` finds the listener by this name. A listener that exits after one drain does not count.
    let name = ApplicationName.listener + (once ? " --once" : "")
    return ListenerSite(
      clearer: clearer, rules: config.rules, connection: config.connection.named(name),
      settings: settings, missed: config.missedLook(signals),
      recheck: config.recheckPlan(flags.orElse(config.listen), signals),
      scrub: config.scrubPlan(flags.orElse(config.listen), signals),
      prune: config.prunePlan(
        flags.orElse(config.listen), signals, common.dryRun ? .yes : .no))
  }

  /// A new node name needs a token, a place in the log and another queue: too much for a reload.
  private func tellOfNode(_ config: Config, _ node: NodeTokens?, _ logger: Logger) {
    guard flags.orElse(config.listen).node != node?.node.name else { return }
    let name = node.map { "as node \($0.node.name)" } ?? "without a name"
    logger.warning(
      "SIGHUP: NODE changed; restart to apply it; until then the listener runs \(name)")
  }

  /// The events file must not be a page, which a clear removes or a visitor sees.
  /// - Throws: ``UserError`` with status 78.
  private static func requireEventsElsewhere(
    _ path: String?, _ clearer: Clearer, _ config: Config
  ) throws(UserError) {
    guard let path else { return }
    let folder = FilePath(path).removingLastComponent()
    guard
      let real = (folder.isEmpty ? "." : folder).withPlatformString({ realpath($0, nil) })
    else { return }
    defer { free(real) }
    guard FilePath(platformString: real).starts(with: clearer.realPath) else { return }
    throw UserError(
      .configuration,
      "events file \(escape(Array(path.utf8))): is inside the cache directory \(config.cacheDirectoryText); "
        + "name another folder with EVENTS_FILE or --events")
  }

  /// How many folders are named one by one.
  private static let toldSingly = 5

  /// Reports missing permissions at the start, before the first page is stale.
  private static func tellOfRights(_ clearer: Clearer, _ config: Config, _ logger: Logger) {
    if geteuid() == 0 {
      logger.notice(
        """
        running as root, which is not needed: write permission on the folders of \
        \(config.cacheDirectoryText) is enough
        """)
    }
    let failures = clearer.unclearableFolders
    for failure in failures.prefix(toldSingly) {
      logger.warning("cannot delete here: \(failure.explanation)")
    }
    if failures.count > toldSingly {
      logger.warning(
        "cannot delete in \(failures.count - toldSingly) more of the checked folders")
    }
  }

  private func report(_ result: SingleRun.Result) throws {
    switch format {
    case .json: try printResult(result.json(dryRun: common.dryRun).text)
    case .text:
      if !common.quiet {
        try printResult(
          (common.dryRun ? "would drain " : "") + result.text)
      }
    }
  }
}

extension Listen: PlainCommand {
  mutating func take(_ words: inout PlainWords) {
    once = words.flag("--once")
    settle = words.value("--settle")
    pollInterval = words.value("--poll-interval")
    recheckInterval = words.value("--recheck-interval")
    scrubInterval = words.value("--scrub-interval")
    stateDir = words.value("--state-dir")
    statusFile = words.value("--status-file")
    metricsFile = words.value("--metrics-file")
    events = words.value("--events")
    node = words.value("--node")
    printSchema = words.flag("--print-schema")
    format = words.word("--format") ?? .text
    common = words.options()
  }
}
