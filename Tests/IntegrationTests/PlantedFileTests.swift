// SPDX-License-Identifier: BSD-2-Clause
//
// What somebody may have put where a file of ours is looked for: pipes, devices, folders, files
// without end. Nobody waits for them, and nobody takes them for what they are not.

import Foundation
import Testing

@testable import TestSupport

@Suite struct PlantedFileTests {
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache/news")
    try tree.makeDirectory("state")
    return tree
  }

  /// A pipe whose writer never writes, for as long as what is returned lives.
  private func pipe(_ path: String) throws -> Descriptor {
    #expect(mkfifo(path, 0o666) == 0)
    return try Descriptor.open(path, O_RDWR)
  }

  @Test("a pipe, a folder or a link is no status file for stats, which does not wait for it")
  func statusFile() throws {
    let tree = try tree()
    let writer = try pipe(tree.fullPath("pipe"))
    defer { withExtendedLifetime(writer) {} }
    try tree.write("secret", text: #"{"pid":1,"state":"listening"}"#)
    try tree.link("link", to: "secret")
    for (name, why) in [
      ("pipe", "Operation not permitted"), ("state", "Operation not permitted"),
      ("link", "Too many levels of symbolic links"),
    ] {
      let result = try Command.fpcache([
        "stats", "--no-database", "--cache-dir", tree.fullPath("cache"), "--status-file",
        tree.fullPath(name),
      ])
      #expect(result.status == 1, "\(result)")
      #expect(
        result.stderr == "fpcache: status file \(tree.fullPath(name)): \(why)\n", "\(result)")
    }
  }

  @Test("what stands in the place of the listener's files is replaced or passed over")
  func listenerFiles() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    let tree = try tree()
    var pipes: [Descriptor] = []
    for name in ["status.json", "metrics.prom", "settle", "settle.new", "node"] {
      pipes.append(try pipe(tree.fullPath("state/\(name)")))
    }
    defer { withExtendedLifetime(pipes) {} }
    let state = tree.fullPath("state")
    let result = try Command.fpcache([
      "listen", "--once", "--settle", "0.1", "--node", "web1", "--dsn", database.listenerDSN,
      "--cache-dir", tree.fullPath("cache"), "--state-dir", state, "--status-file",
      state + "/status.json", "--metrics-file", state + "/metrics.prom",
    ])
    #expect(result.status == 0, "\(result)")
    #expect(result.stderr.contains("its file settle belongs to another user"), "\(result)")
    #expect(try tree.read("state/node").hasPrefix("web1 "))
    for name in ["status.json", "metrics.prom"] {
      var status = stat()
      #expect(lstat(tree.fullPath("state/\(name)"), &status) == 0)
      #expect([S_IFREG, S_IFIFO].contains(status.st_mode & S_IFMT))
    }
  }

  @Test("a configuration without end is refused, whatever it is", arguments: ["device", "file"])
  func configuration(_ kind: String) throws {
    let tree = try tree()
    let path = kind == "device" ? "/dev/zero" : tree.fullPath("large.ini")
    if kind == "file" {
      try tree.write("large.ini", text: "[dirs]\n" + String(repeating: "# x\n", count: 300_000))
    }
    for command in [["clear-news"], ["stats"], ["verify"], ["listen"]] {
      let result = try Command.fpcache(
        command + ["--config", path, "--cache-dir", tree.fullPath("cache")])
      #expect(result.status == 78, "\(result)")
      #expect(
        result.stderr
          == "fpcache: \(path): cannot be read: File too large; name another with --config\n")
    }
  }
}
