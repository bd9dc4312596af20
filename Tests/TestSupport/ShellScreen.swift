// SPDX-License-Identifier: BSD-2-Clause
//
// A shell on a screen. Keys go in, and what a person would see comes out. tmux is the screen, because it understands
// what shells send to terminals.

import Foundation

/// An interactive shell, set up by its own start files, with the prompt `% `.
public final class ShellScreen: Sendable {
  private let session: TerminalSession
  private let surroundings: Command
  private let socket: String

  /// Whether the shell and tmux are installed.
  public static func isPossible(_ shell: String) -> Bool {
    findProgram(shell) != nil && findProgram("tmux") != nil
  }

  /// - Parameters:
  ///   - shell: `bash`, `zsh` or `fish`.
  ///   - command: supplies the environment, the account and the folder.
  ///   - folder: where to put the screen's own files.
  init(_ shell: String, _ command: Command, _ folder: TemporaryTree) throws {
    guard let tmux = findProgram("tmux"), let path = findProgram(shell) else {
      throw SupportError("there is no \(shell), or no tmux")
    }
    // It ends with the terminal attached to it, however that terminal ends.
    try folder.write(
      "screen.conf",
      text: """
        set -g status off
        set -s escape-time 0
        set -s exit-unattached on
        set -g destroy-unattached on
        set -g default-terminal screen

        """, mode: 0o644)
    // Each screen has its own socket, because the previous screen may still be closing.
    socket = folder.fullPath("screen-\(UInt32.random(in: 0 ... .max))")
    var command = command
    command.environment["SHELL"] = "/bin/sh"
    command.environment["TERM"] = "xterm"
    command.environment["TMUX_TMPDIR"] = folder.path
    command.executable = tmux
    surroundings = command
    command.arguments = [
      "-S", socket, "-f", folder.fullPath("screen.conf"), "new-session", "exec \(path) -i",
    ]
    session = try TerminalSession(command, columns: 80)
    let prompt =
      switch shell {
      case "zsh": "PS1='%% '"
      case "fish": "function fish_prompt; echo -n '% '; end; set -g fish_autosuggestion_enabled 0"
      default: "PS1='% '"
      }
    try eventually(timeout: .seconds(30), "the shell is there", details: "\(session)") {
      try !rows().isEmpty
    }
    try session.terminal.type("\(prompt); clear\r")
    try wait { $0 == ["%"] }
  }

  deinit {
    _ = try? tmux(["kill-server"])
  }

  /// Types at the prompt.
  /// - Parameters:
  ///   - keys: the keys to type, with `<Tab>` for that key.
  ///   - expected: the rows to wait for; nil waits until the screen no longer changes.
  /// - Returns: the screen's rows.
  func type(_ keys: String, expected: [String]?) throws -> [String] {
    try session.terminal.type(keys.replacing("<Tab>", with: "\t"))
    if let expected {
      // If it shows something else, the test reports that.
      _ = try? wait { $0 == expected }
      return try rows()
    }
    var last: [String] = []
    try eventually(timeout: .seconds(30), "the screen is still", details: "\(session)") {
      let before = last
      usleep(1_500_000)
      last = try rows()
      return last == before && last != ["%"]
    }
    return last
  }

  private func wait(until condition: ([String]) -> Bool) throws {
    try eventually(timeout: .seconds(20), "the screen shows it", details: "\(session)") {
      condition(try rows())
    }
  }

  /// The rows of the screen, without blanks at the ends.
  private func rows() throws -> [String] {
    // Drains the terminal's output, which has no other reader.
    _ = session.terminal.output
    var rows = try tmux(["capture-pane", "-p"]).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { String($0.reversed().drop { $0 == " " }.reversed()) }
    while rows.last == "" { rows.removeLast() }
    return rows
  }

  private func tmux(_ arguments: [String]) throws -> String {
    var command = surroundings
    command.arguments = ["-S", socket] + arguments
    let result = try command.run()
    guard result.status == 0 else { throw SupportError("\(result)") }
    return result.stdout
  }
}
