// SPDX-License-Identifier: BSD-2-Clause
//
// The program: its name, its subcommands, and its exit after each kind of failure.

import ArgumentParser
import Basics
import CacheFS
import Listening
import Logging

@main
struct FPCache: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fpcache",
    abstract: "Manage an on-disk page cache: clear, listen, measure, audit.",
    discussion: """
      Deletes pages when the database says that they are out of date. Purges, measures \
      and audits the tree by hand. Never touches anything outside the cache directory.

      EXAMPLES
        fpcache clear-port graphics/py-pygeoapi   a port's pages and its category's
        fpcache clear-date -n 2020-01             what a month would remove
        fpcache listen --once                     drain the queues, then exit
        fpcache status                            is it well?
        fpcache stats                             pages in the tree, rows in the queues

      EXIT STATUS
        0   done; verify: clean; status: well
        1   something could not be cleared; verify: findings; status: late
        2   status: nobody serves the queues, or a limit is passed
        3   --require-match, and a key matched nothing; status: cannot be told
        64  bad flag, date or port name; nothing was changed
        66  the cache directory does not exist
        69  the database cannot be reached
        77  permission denied on the cache directory itself
        78  the configuration is wrong, or what it names is no cache directory
      """,
    version: "fpcache \(fpcacheVersion)",
    subcommands: [
      Listen.self, ClearDate.self, ClearPort.self, ClearNews.self, Clear.self, Prune.self,
      Stats.self, Verify.self, Status.self, SQLCommand.self,
    ])

  static func main() {
    openStandardStreams()
    ignoreBrokenPipes()
    var command: (any ParsableCommand)?
    var isPlugin = false
    var lines: LogLines {
      (command as? any SiteCommand)?.common.lines(.command)
        ?? LogLines(style: .command, format: .suited(to: environment()), palette: .plain)
    }
    do {
      // The arguments are read before they are wiped, and wiped before anything else happens.
      let arguments = Array(CommandLine.arguments.dropFirst())
      hidePasswordsFromArguments()
      isPlugin = asksForPlugin(arguments)
      command = try parse(arguments)
      try command?.run()
    } catch let failure as UserError {
      if isPlugin { answerUnknown(failure.message) }
      end(failure, lines)
    } catch let failure as ListeningError {
      end(UserError(failure), lines)
    } catch {
      // As exit(withError:) does, but through printError, because the parser quotes its input.
      let status = exitCode(for: error)
      let message = fullMessage(for: error)
      if isPlugin, !message.isEmpty {
        answerUnknown(status == .validationFailure ? usageError(message) : help(message))
      }
      if !message.isEmpty {
        do throws(UserError) {
          if status.isSuccess {
            try printResult(help(message))
          } else if status == .validationFailure {
            refuse(usageError(message), lines)
          } else {
            printError(withoutControls(message))
          }
        } catch {
          end(error, lines)
        }
      }
      exit(withError: status)
    }
  }

  /// Whether a monitor calls: it asks for the plugin format of a command that has one.
  private static func asksForPlugin(_ arguments: [String]) -> Bool {
    let format = Status.Format.nagios.rawValue
    let isAsked =
      arguments.contains("--format=\(format)")
      || zip(arguments, arguments.dropFirst()).contains { $0 == "--format" && $1 == format }
    return isAsked && [Verify._commandName, Status._commandName].contains(arguments.first)
  }

  /// Answers a monitor that has made a usage error, or has asked for help. The monitor shows the first line. It would
  /// take any other status than this for a result of the plugin (Monitoring Plugins Development Guidelines).
  private static func answerUnknown(_ message: String) -> Never {
    let lines = redacted(withoutControls(message)).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    let answer = PluginAnswer(
      state: .unknown, text: lines.first ?? "", details: Array(lines.dropFirst()))
    do throws(UserError) { try printResult(answer.output) } catch { printError(error.message) }
    exit(withError: ExitCode(answer.state.rawValue))
  }

  /// The command that the arguments ask for.
  ///
  /// What scripts run often needs no parser if it is in plain words; see ``PlainWords``. Otherwise, the first word nearly
  /// always names the command and the rest is valid. Then only the command's own options are parsed, which saves a tenth
  /// of the shortest run. Each command names its super-command: without that the parser would check twice whether a
  /// completion script is wanted, which costs another twentieth. In all other cases the whole program parses the
  /// arguments, because it has the right error message.
  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    if let word = arguments.first, ["-V", "version"].contains(word) {
      return try parseAsRoot(["--version"])
    }
    if arguments.first == "help", let word = arguments.dropFirst().first, !names.contains(word) {
      try helpOn(word)
    }
    let rest = Array(arguments.dropFirst())
    for command in plainCommands where command._commandName == arguments.first {
      if let command = command.plain(rest) { return command }
    }
    for command in configuration.subcommands where command._commandName == arguments.first {
      let parsed = try? command.parseAsRoot(rest)
      if let parsed, type(of: parsed) == command { return parsed }
    }
    return try parseAsRoot(arguments)
  }

  /// The commands that a script may run for each page, or each few minutes.
  static var plainCommands: [any PlainCommand.Type] {
    [ClearPort.self, ClearDate.self, ClearNews.self, Listen.self]
  }

  // MARK: What the parser says

  private static let names = configuration.subcommands.map { $0._commandName }

  /// The command that a command line names, at any position.
  private static var named: (any ParsableCommand.Type)? {
    guard let name = CommandLine.arguments.dropFirst().first(where: names.contains) else {
      return nil
    }
    return configuration.subcommands.first { $0._commandName == name }
  }

  /// The error in the command line, and what to try.
  private static func usageError(_ message: String) -> String {
    let words = CommandLine.arguments.dropFirst().filter { $0 != "help" }
    let options = UsageText.options(in: named.map { helpMessage(for: $0) } ?? helpMessage())
    guard let first = words.first, !names.contains(first) else {
      return UsageText.error(message, options: options)
    }
    guard first.hasPrefix("-") else {
      return
        "\(escape(Array(first.utf8))): no such command; \(suggestion(for: first, among: names))"
    }
    guard let named else { return UsageText.error(message, options: options) }
    // The option without its value, which may be a password. The parser takes it for an option of the program itself.
    let option = first.prefix { $0 != "=" }
    return UsageText.error(message, options: [])
      + "; write options after the command: fpcache \(named._commandName) \(option)"
  }

  /// The help or the version that was asked for.
  private static func help(_ message: String) -> String {
    guard message.hasPrefix("OVERVIEW:") else { return message }
    let isFull = CommandLine.arguments.contains { $0 == "--help" || $0 == "help" }
    let unused = (named as? any SiteCommand.Type)?.unusedOptions ?? []
    return UsageText.help(message, isFull ? .full : .short, without: unused)
  }

  /// `fpcache help WORD`, where the word is not a command.
  private static func helpOn(_ word: String) throws -> Never {
    guard word == "options" else {
      throw ValidationError("no such command")
    }
    try printResult(UsageText.commonOptions(helpMessage(for: Listen.self)))
    exit(.done)
  }

  private static func refuse(_ message: String, _ lines: LogLines) {
    lines.write(.error, message)
    guard lines.format == .text else { return }
    let command = named.map { " " + $0._commandName } ?? ""
    printError("See 'fpcache\(command) --help'.")
  }

  private static func end(_ failure: UserError, _ lines: LogLines) -> Never {
    lines.write(.error, failure.message)
    exit(failure.status)
  }

  private static func exit(_ status: ExitStatus) -> Never {
    exit(withError: ExitCode(status.rawValue))
  }
}
