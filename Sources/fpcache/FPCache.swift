// SPDX-License-Identifier: BSD-2-Clause
//
// The program: its name, its subcommands, and how every failure leaves it.

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
      Deletes pages when the database says that they are out of date, and lets an operator \
      purge, measure and audit the tree. Nothing outside the cache directory is ever touched.

      EXAMPLES
        fpcache clear-port graphics/py-pygeoapi   a port's pages and its category's
        fpcache clear-date -n 2020-01             what clearing a month would remove
        fpcache listen --once                     serve all that waits, then leave
        fpcache stats                             the tree and the queues at a glance

      EXIT STATUS
        0   done; verify: clean
        1   something could not be cleared; verify: findings
        3   --require-match, and a key matched nothing
        64  bad flag, date or port name; nothing was touched
        66  the cache directory does not exist
        69  the database cannot be reached
        77  permission denied on the cache directory itself
        78  the configuration is wrong, or what it names is no cache directory
      """,
    version: "fpcache \(fpcacheVersion)",
    subcommands: [
      Listen.self, ClearDate.self, ClearPort.self, ClearNews.self, Clear.self, Stats.self,
      Verify.self,
    ])

  static func main() {
    openStandardStreams()
    ignoreBrokenPipes()
    var command: (any ParsableCommand)?
    var lines: LogLines {
      (command as? any SiteCommand)?.common.lines(.command)
        ?? LogLines(style: .command, format: .suited(to: environment()), palette: .plain)
    }
    do {
      // Read before they are wiped, and wiped before anything else is done.
      let arguments = Array(CommandLine.arguments.dropFirst())
      hidePasswordsFromArguments()
      command = try parse(arguments)
      try command?.run()
    } catch let failure as UserError {
      end(failure, lines)
    } catch let failure as ListeningError {
      end(UserError(failure), lines)
    } catch {
      // As exit(withError:) does, but by way of printError: the parser quotes what it was given.
      let status = exitCode(for: error)
      let message = Self.advised(fullMessage(for: error), status)
      if !message.isEmpty {
        do throws(UserError) {
          if status.isSuccess {
            try printResult(message)
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

  /// The command that is asked for.
  ///
  /// Nearly always the first word names it and what follows is right: then only its own options are
  /// looked through, which saves a tenth of the shortest run; and each names its super-command, without which
  /// the parser would look twice for a wish for a completion script, a twentieth more. Whatever else it is,
  /// the whole program is asked, which knows what to say.
  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    for command in configuration.subcommands where command._commandName == arguments.first {
      let parsed = try? command.parseAsRoot(Array(arguments.dropFirst()))
      if let parsed, type(of: parsed) == command { return parsed }
    }
    return try parseAsRoot(arguments)
  }

  /// What the parser says of a command line, or what says more where the first word is at fault: it
  /// looks at what stands before a command as at arguments of the program itself.
  private static func advised(_ message: String, _ status: ExitCode) -> String {
    guard status == .validationFailure, let first = CommandLine.arguments.dropFirst().first else {
      return message
    }
    let commands = configuration.subcommands.map { $0._commandName }
    guard first != "help", !commands.contains(first) else { return message }
    let end = message.firstIndex(of: "\n") ?? message.endIndex
    guard first.hasPrefix("-") else {
      let near = nearest(to: Array(first.utf8), among: commands.map { Array($0.utf8) })
      let advice =
        near.map { "did you mean \(String(decoding: $0, as: UTF8.self))?" }
        ?? "expected one of \(commands.joined(separator: ", "))"
      return "Error: \(escape(Array(first.utf8))): no such command; \(advice)" + message[end...]
    }
    guard let command = CommandLine.arguments.first(where: commands.contains) else {
      return message
    }
    // Without its value, which may be a password.
    let option = first.prefix { $0 != "=" }
    return message[..<end] + "; an option stands behind its command: fpcache \(command) \(option)"
      + message[end...]
  }

  private static func end(_ failure: UserError, _ lines: LogLines) -> Never {
    lines.write(.error, failure.message)
    exit(failure.status)
  }

  private static func exit(_ status: ExitStatus) -> Never {
    exit(withError: ExitCode(status.rawValue))
  }
}

/// The version, as `--version` prints it and the changelog heads it.
let fpcacheVersion = "0.1.0"
