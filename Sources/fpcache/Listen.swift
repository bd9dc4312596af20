// fpcache listen: waits for invalidations and serves them; `--once` serves what waits and leaves.

import ArgumentParser
import CacheFS
import Logging
import PGQueue

struct Listen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "listen",
    abstract: "Serve invalidations as the database announces them.",
    discussion: """
      Listens on the channels of listen_for, drains every queue at the start and whenever it is \
      told or a minute has passed, and runs until SIGTERM.

      EXAMPLES
        fpcache listen --config /usr/local/etc/freshports/fp-listen.ini
        fpcache listen --once --format json
        fpcache listen --once -n
      """)

  @OptionGroup var common: CommonOptions
  @Flag(help: "Drain everything that waits, then leave: for cron.") var once = false
  @Option(
    help: ArgumentHelp(
      "Drain without being asked this often, in seconds.", valueName: "seconds"))
  var pollInterval: Double = 60
  @Option(
    help: ArgumentHelp("Where the listener keeps what must survive a crash.", valueName: "dir"),
    completion: .directory)
  var stateDir: String?
  @Option(help: "How to print the result of --once.") var format = ClearFormat.text

  func validate() throws {
    guard pollInterval >= 0.1, pollInterval <= 86_400 else {
      throw ValidationError("--poll-interval \(pollInterval): expected seconds from 0.1 to 86400")
    }
  }

  func run() throws {
    let config = try common.resolve()
    let logger = common.logger(.daemon)
    let clearer = try common.clearer(config, paths: common.verbose ? .kept : .dropped)
    for folder in clearer.missingFolders {
      logger.warning(
        """
        \(folder): no such folder in the cache directory \(config.cacheDirectoryText); \
        correct the configuration or create it
        """)
    }
    guard let signals = Signals() else {
      throw UserError(.incomplete, "no pipe for signals: too many files are open")
    }
    let drain = Drain(clearer, logger)
    let service = ListenService(drain, logger)
    if once {
      let run = DrainOnce(drain, service, signals)
      try report(try run.drainAll(config.connection))
    } else {
      var settings = ListenerMachine.Settings()
      settings.pollInterval = .milliseconds(Int64(pollInterval * 1000))
      Listener(
        config.connection, settings: settings, signals: signals, service: service
      ).run()
    }
  }

  private func report(_ result: DrainOnce.Result) throws {
    switch format {
    case .json: printResult(result.json(dryRun: common.dryRun).text)
    case .text:
      if !common.quiet {
        printResult(result.tally.text + (common.dryRun ? " (dry run: nothing was changed)" : ""))
      }
    }
    try result.status.leave()
  }
}
