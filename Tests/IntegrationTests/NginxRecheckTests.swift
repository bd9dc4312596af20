// SPDX-License-Identifier: BSD-2-Clause
//
// The real nginx before an application whose database has neither a trigger nor a queue: a query of [verify] says when
// each page was changed, and the listener finds the pages by the keys in the heads of nginx's files.

import Foundation
import Testing

@testable import TestSupport

@Suite(
  "nginx's own cache, without a trigger",
  .enabled(if: NginxServer.isInstalled, "nginx is not installed"), .serialized)
struct NginxRecheckTests {
  private static let pages = ["/a?x=1", "/b"]

  private struct Visitors {
    let nginx: NginxServer
    let colours: [String]

    /// Asks for a page in each variant.
    func visit(_ page: String) throws -> [HTTPResponse] {
      try colours.map { try nginx.get(page, headers: ["X-Colour": $0]) }
    }

    func states(_ page: String) throws -> [String] {
      try visit(page).map { $0.headers["x-cache"] ?? "none" }
    }
  }

  /// A site whose pages are all in the cache.
  private func site(vary: Bool, listen: String) throws -> (NginxSite, Visitors) {
    let site = try NginxSite(vary: vary, pages: Self.pages, .query(listen: listen))
    let application = try site.application(headers: vary ? ["Vary": "X-Colour"] : [:])
    let visitors = Visitors(
      nginx: try NginxServer(site.tree, before: application),
      colours: vary ? ["red", "green", "blue"] : ["red"])
    for page in Self.pages {
      #expect(try visitors.states(page).allSatisfy { $0 == "MISS" })
      #expect(try visitors.states(page).allSatisfy { $0 == "HIT" })
    }
    return (site, visitors)
  }

  @Test(
    "a change is found by its query: the next request is a MISS with the new text",
    arguments: [false, true])
  func recheck(vary: Bool) throws {
    let (site, visitors) = try site(
      vary: vary, listen: "SETTLE = 0.2\nRECHECK_INTERVAL = 0.2\nSCRUB_INTERVAL = 0")
    let listener = try site.listen()
    try listener.waitForLog(containing: "ready: ")
    try site.database.sql(NginxSite.change(Self.pages[0]))
    try listener.waitForLog(containing: "recheck: cleared: pages: 1 key (")
    #expect(
      try visitors.visit(Self.pages[0]).allSatisfy { $0.body == "version 2\n" }, "\(listener)")
    try eventually("it is cleared a second time, and kept", details: "\(listener)") {
      try visitors.states(Self.pages[0]).allSatisfy { $0 == "HIT" }
    }
    #expect(try visitors.visit(Self.pages[0]).allSatisfy { $0.body == "version 2\n" })
    #expect(try visitors.states(Self.pages[1]).allSatisfy { $0 == "HIT" }, "nobody changed it")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test(
    "a page that is older than its row is found by the scrub, and by verify --fix",
    arguments: [false, true])
  func scrub(vary: Bool) throws {
    let (site, visitors) = try site(
      vary: vary, listen: "SETTLE = 0.2\nRECHECK_INTERVAL = 0\nSCRUB_INTERVAL = 0.5")
    for file in try site.tree.files() where file.hasPrefix("proxy/") {
      try site.tree.setAge(file, .seconds(3600))
    }
    try site.database.sql(NginxSite.change(Self.pages[0]))
    let dsn = ["--dsn", site.database.listenerDSN]
    let verify = try site.fpcache(["verify", "--only", "stale"] + dsn)
    #expect(
      verify.stdout.contains("stale (")
        && verify.stdout.contains("\(visitors.colours.count) finding"), "\(verify)")
    if vary {
      let fix = try site.fpcache(["verify", "--only", "stale", "--fix"] + dsn)
      #expect(fix.status == 0, "\(fix)")
    } else {
      let listener = try site.listen()
      try listener.waitForLog(
        containing: "pages: 1 page older than what it shows (", timeout: .seconds(30))
      listener.terminate()
      #expect(try listener.waitForExit().status == 0)
    }
    let responses = try visitors.visit(Self.pages[0])
    #expect(responses.allSatisfy { $0.headers["x-cache"] == "MISS" && $0.body == "version 2\n" })
    #expect(try visitors.states(Self.pages[1]).allSatisfy { $0 == "HIT" })
  }
}
