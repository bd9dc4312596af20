// SPDX-License-Identifier: BSD-2-Clause
//
// The committed completion scripts in the real shells: keys go in, and what counts is the command
// line that the shell then runs. A shell that is not installed is passed over.

import Foundation
import Testing

@testable import TestSupport

/// A shell, and how it is made to load our script and nothing else.
enum Shell: String, CaseIterable {
  case bash, zsh, fish

  var path: String? { findProgram(rawValue) }

  var arguments: [String] {
    switch self {
    case .bash: ["--norc", "--noprofile", "-i"]
    case .zsh: ["-f", "-i"]
    case .fish: ["--no-config", "--private", "-i"]
    }
  }

  /// What is typed first. The prompt is put together, so that its echo is not taken for it.
  func setUp(_ completions: String) -> String {
    switch self {
    case .bash: "source \(completions)/fpcache.bash; PS1=READY'> '"
    case .zsh:
      "fpath=(\(completions) $fpath); autoload -U compinit; compinit -u -D; PS1=READY'> '"
    case .fish:
      "source \(completions)/fpcache.fish; function fish_prompt; echo -n READY'> '; end"
    }
  }
}

@Suite("Completion in the shells") struct ShellCompletionTests {
  private static let completions =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("completions").path

  private static let hostile = [
    "$(touch PWNED)", "`touch PWNED`", "gi mp", "gi'mp", "gi;touch PWNED", "gi\ntouch PWNED", "*",
  ]

  /// Two sites, a program that notes its arguments, and names that would harm a shell.
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for port in [
      "graphics/gimp", "graphics/gimp-app", "graphics/gd", "graphics/py-pygeoapi", "lang/python37",
      "x11/xterm", "x11-wm/i3",
    ] {
      try tree.write("cache/ports/\(port)/page", bytes: 1)
    }
    for name in Self.hostile {
      try tree.write("cache/ports/graphics/\(name)/page", bytes: 1)
      try tree.write("cache/ports/\(name)/port/page", bytes: 1)
      try tree.write("cache/daily/\(name)/01/01.daily.head", bytes: 1)
    }
    for day in ["2019/12/31", "2020/01/21", "2020/01/22", "2020/02/01"] {
      try tree.write("cache/daily/\(day).daily.head", bytes: 1)
    }
    try tree.write("cache/news/news.atom.2020Q1.xml", bytes: 1)
    try tree.write("other/cache/ports/devel/git/page", bytes: 1)
    try tree.write("other.ini", text: "[dirs]\nBASEDIR = \(tree.path)/other\n")
    // Folders whose names are words of ours: no shell may take those for the folders.
    for folder in ["lang/python37", "2019-12-31", "category", "verify", "2020Q1", "home"] {
      try tree.makeDirectory(folder)
    }
    let program = try #require(Command.fpcacheExecutable)
    try tree.write(
      "bin/fpcache",
      text: """
        #!/bin/sh
        if [ "$1" = ---completion ]; then exec \(program) "$@"; fi
        printf '%s\\n' "$@" >\(tree.path)/line.new
        mv \(tree.path)/line.new \(tree.path)/line
        """, mode: 0o755)
    return tree
  }

  /// Keys, and the words that the shell makes of them; `@` is the tree's path.
  private static let rows: [(keys: String, words: [String])] = [
    ("clear-port gra\tpy\t", ["clear-port", "graphics/py-pygeoapi"]),
    ("clear-port graphics/gimp-\t", ["clear-port", "graphics/gimp-app"]),
    ("clear-port lan\t", ["clear-port", "lang/python37"]),
    ("clear-port x11-\t", ["clear-port", "x11-wm/i3"]),
    ("clear-port lan\t x11/\t", ["clear-port", "lang/python37", "x11/xterm"]),
    ("clear-port 'gra\tgd\t", ["clear-port", "graphics/gd"]),
    ("clear-port nowhere/\t", ["clear-port", "nowhere/"]),
    ("clear-port --no-c\t-n lan\t", ["clear-port", "--no-category", "-n", "lang/python37"]),
    ("clear-date 201\t", ["clear-date", "2019-12-31"]),
    ("clear-date 2020-01\t1\t", ["clear-date", "2020-01-21"]),
    ("clear-date yes\t", ["clear-date", "yesterday"]),
    ("clear-date 2019-12-31..2020-02\t", ["clear-date", "2019-12-31..2020-02-01"]),
    ("clear-port --branch 2020\tlan\t", ["clear-port", "--branch", "2020Q1", "lang/python37"]),
    ("stats --group-by cat\t", ["stats", "--group-by", "category"]),
    ("stats --group-by=cat\t", ["stats", "--group-by=category"]),
    ("verify --only emp\t,exp\t", ["verify", "--only", "empty,expired"]),
    ("verify --skip=missi\td\t", ["verify", "--skip=missing-dir"]),
    ("verify --format j\t", ["verify", "--format", "json"]),
    ("verif\t", ["verify"]),
    ("clear por\tcat\tlan\t", ["clear", "ports", "category=lang"]),
    (
      "clear ports category=graphics por\tpy\t",
      ["clear", "ports", "category=graphics", "port=py-pygeoapi"]
    ),
    ("clear daily year=2019 month=\t", ["clear", "daily", "year=2019", "month=12"]),
    ("clear -n daily year=20\t19\t", ["clear", "-n", "daily", "year=2019"]),
    ("clear nowhere x\t", ["clear", "nowhere", "x"]),
    (
      "clear-port --cache-dir @/other/cache dev\t",
      ["clear-port", "--cache-dir", "@/other/cache", "devel/git"]
    ),
    (
      "clear-port --cache-dir=@/other/cache dev\t",
      ["clear-port", "--cache-dir=@/other/cache", "devel/git"]
    ),
    ("clear-port --cache-dir @/nowhere dev\t", ["clear-port", "--cache-dir", "@/nowhere", "dev"]),
  ]

  @Test(
    "bash completes what exists", .enabled(if: Shell.bash.path != nil, "bash is not installed"))
  func bash() throws { try complete(.bash) }

  @Test("zsh completes what exists", .enabled(if: Shell.zsh.path != nil, "zsh is not installed"))
  func zsh() throws { try complete(.zsh) }

  @Test(
    "fish completes what exists", .enabled(if: Shell.fish.path != nil, "fish is not installed"))
  func fish() throws { try complete(.fish) }

  private func complete(_ shell: Shell) throws {
    let tree = try tree()
    let session = try start(shell, tree)
    for row in Self.rows {
      #expect(
        try enter(row.keys.replacing("@", with: tree.path), session, tree)
          == row.words.map { $0.replacing("@", with: tree.path) },
        "\(row.keys.debugDescription) \(session)")
    }
    // The configuration goes for the layout and the tree, when nothing else names one.
    #expect(
      try enter("clear-port --config \(tree.path)/other.ini dev\t", session, tree).last == "dev")
    try session.terminal.type(shell == .fish ? "set -e FPCACHE_DIR\r" : "unset FPCACHE_DIR\r")
    #expect(
      try enter("clear-port --config \(tree.path)/other.ini dev\t", session, tree).last
        == "devel/git")
  }

  @Test(
    "a name that a shell would obey is neither offered nor obeyed", arguments: Shell.allCases)
  func hostileNames(_ shell: Shell) throws {
    guard shell.path != nil else { return }
    let tree = try tree()
    let session = try start(shell, tree)
    #expect(try enter("clear-port gi\t", session, tree) == ["clear-port", "gi"])
    #expect(try enter("clear-port graphics/gi\t", session, tree).last == "graphics/gimp")
    let shown = session.terminal.output.count
    try session.terminal.type("fpcache clear-port graphics/\t\t")
    try session.terminal.wait(for: "gimp-app")
    let list = session.terminal.output.dropFirst(shown)
    #expect(!list.contains("PWNED") && !list.contains("gi mp"), "\(session)")
    #expect(try !tree.files().contains { $0.hasSuffix("PWNED") && !$0.contains("touch") })
  }

  private func start(_ shell: Shell, _ tree: TemporaryTree) throws -> TerminalSession {
    var command = Command(try #require(shell.path), shell.arguments)
    command.tree = tree
    let path = Command.baseEnvironment["PATH"] ?? ""
    command.environment = [
      "FPCACHE_DIR": tree.path + "/cache", "FPCACHE_CONFIG": nil, "TERM": "xterm",
      "HOME": tree.path + "/home", "PATH": "\(tree.path)/bin:\(path)",
    ]
    let session = try TerminalSession(command)
    try session.terminal.type(shell.setUp(Self.completions) + "\r")
    try session.terminal.wait(for: "READY> ")
    return session
  }

  /// Types a line's end, and returns the words that our program was given.
  private func enter(
    _ keys: String, _ session: TerminalSession, _ tree: TemporaryTree
  ) throws -> [String] {
    tree.remove("line")
    try session.terminal.type("fpcache \(keys)\r")
    try eventually(timeout: .seconds(30), "the line is run", details: "\(keys) \(session)") {
      // What the shell prints has to go somewhere.
      _ = session.terminal.output
      return tree.exists("line")
    }
    return try tree.read("line").split(separator: "\n").map(String.init)
  }
}
