// SPDX-License-Identifier: BSD-2-Clause
//
// `make install` into a folder: the program without its debug symbols, which lie beside it, and nothing left after
// `make uninstall`.

import Foundation
import Testing

@testable import TestSupport

@Suite(.enabled(if: findProgram("objcopy") != nil, "objcopy is not installed"))
struct InstallTests {
  private func install(_ arguments: [String], into tree: TemporaryTree) throws -> CommandResult {
    var command = Command("scripts/install", arguments)
    command.workingDirectory = Document.root.path
    command.environment = [
      "FPCACHE_BIN": try Command.fpcachePath(), "DESTDIR": tree.path, "INIT": "systemd",
      "PREFIX": "/usr/local",
    ]
    let result = try command.run()
    try #require(result.status == 0, "\(result)")
    return result
  }

  /// The paths of the plain files below a folder.
  private func files(in tree: TemporaryTree) -> [String] {
    let all = FileManager.default.enumerator(atPath: tree.path)?.compactMap { $0 as? String } ?? []
    return all.filter { path in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: tree.fullPath(path), isDirectory: &isFolder)
      return !isFolder.boolValue
    }
  }

  private func sections(_ path: String) throws -> String {
    try Command("/bin/sh", ["-c", "exec objdump -h \(quoted([path]))"]).run().stdout
  }

  @Test("the program is stripped, its debug symbols lie beside it, and all of it can be removed")
  func strip() throws {
    let tree = try TemporaryTree()
    _ = try install([], into: tree)
    let program = tree.fullPath("usr/local/bin/fpcache")
    #expect(try Command(program, ["--version"]).run().stdout.hasPrefix("fpcache "))
    #expect(try !sections(program).contains(".debug_info"))
    #expect(try sections(program).contains(".gnu_debuglink"))
    #expect(
      try sections(tree.fullPath("usr/local/bin/.debug/fpcache.debug")).contains(".debug_info"))
    #expect(files(in: tree).contains("etc/fpcache/fpcache.ini.sample"))
    _ = try install(["--remove"], into: tree)
    #expect(files(in: tree) == [])
  }
}
