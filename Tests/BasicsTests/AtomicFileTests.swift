// SPDX-License-Identifier: BSD-2-Clause
//
// Status and metrics files: whole at every moment, ours, and never written through what somebody
// has put in their place.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics

@Suite struct AtomicFileTests {
  private let tree: TemporaryTree
  private var file: AtomicFile { AtomicFile(tree.fullPath("status.json")) }

  init() throws { tree = try TemporaryTree() }

  @Test("for all to read, whatever the umask, and nothing is left beside it")
  func mode() throws {
    try file.write("one")
    try file.write("two", mode: 0o600)
    #expect(try tree.read("status.json") == "two")
    #expect(try tree.files() == ["status.json"])
    #expect(try tree.snapshot().entries["status.json"]?.mode == S_IFREG | 0o600)
    try file.write("three")
    #expect(try tree.snapshot().entries["status.json"]?.mode == S_IFREG | 0o644)
  }

  @Test("a link in its place is replaced, not written through")
  func link() throws {
    try tree.write("victim", text: "kept")
    try tree.link("status.json", to: "victim")
    try file.write("ours")
    #expect(try tree.read("victim") == "kept")
    #expect(try tree.read("status.json") == "ours")
    #expect(try tree.snapshot().entries["status.json"]?.mode == S_IFREG | 0o644)
  }

  @Test("another name of somebody's file is replaced, too")
  func hardLink() throws {
    try tree.write("victim", text: "kept")
    #expect(Glibc.link(tree.fullPath("victim"), tree.fullPath("status.json")) == 0)
    try file.write("ours")
    #expect(try tree.read("victim") == "kept")
  }

  @Test(
    "what cannot be written leaves the old one and nothing beside it",
    arguments: ["missing/status.json", "plain/status.json", "folder"])
  func failures(_ name: String) throws {
    try tree.write("plain", text: "")
    try tree.makeDirectory("folder/x")
    let before = try tree.files()
    #expect(throws: Errno.self) { try AtomicFile(tree.fullPath(name)).write("x") }
    #expect(try tree.files() == before)
  }
}
