// SPDX-License-Identifier: BSD-2-Clause
//
// The real nginx before a small application on PostgreSQL: what fpcache makes of the files that it writes, and what
// it makes of files that are gone.

import Foundation
import Testing

@testable import TestSupport

@Suite(
  "nginx's own cache", .enabled(if: NginxServer.isInstalled, "nginx is not installed"), .serialized)
struct NginxTests {
  @Test("docs/nginx.md has the configurations of these tests") func document() throws {
    let text = try String(
      contentsOf: Document.root.appendingPathComponent("docs/nginx.md"), encoding: .utf8)
    for source in [NginxSite.Source.queue, .query(listen: "")] {
      #expect(text.contains("\n```\n\(NginxSite.sections(vary: false, source))```\n"))
    }
  }

  @Test("after an UPDATE the next request is a MISS with the new text") func update() throws {
    let site = try NginxSite(vary: false, pages: ["/a?x=1", "/b"])
    let nginx = try NginxServer(site.tree, before: try site.application())
    for page in ["/a?x=1", "/b"] {
      #expect(try nginx.get(page).headers["x-cache"] == "MISS")
      #expect(try nginx.get(page).headers["x-cache"] == "HIT")
    }
    let listener = try site.listen(["--settle", "0.2"])
    try listener.waitForLog(containing: "listening")
    try site.database.sql(NginxSite.change("/a?x=1"))
    try eventually("the page is cleared", details: "\(listener)") {
      try nginx.get("/a?x=1").body == "version 2\n"
    }
    try eventually("it is cleared a second time, and kept") {
      try nginx.get("/a?x=1").headers["x-cache"] == "HIT"
    }
    #expect(try nginx.get("/a?x=1").body == "version 2\n")
    #expect(try nginx.get("/b").headers["x-cache"] == "HIT", "nobody changed it")
    listener.terminate()
    try listener.waitForExit()
  }

  @Test(
    "what SCGI and uwsgi send is counted and cleared as well",
    arguments: UnixApplication.Form.allCases)
  func gateways(_ form: UnixApplication.Form) throws {
    let site = try NginxSite(vary: false, pages: ["/a"])
    let nginx = try NginxServer(site.tree, before: try site.application(form))
    // nginx was asked for / when it started.
    for (page, status) in [("/a", 200), ("/none", 404), ("/", 404)] {
      #expect(try nginx.get(page).status == status)
      #expect(try nginx.get(page).headers["x-cache"] == "HIT")
    }
    #expect(try site.filesByStatus() == ["200": 1, "404": 2])
    let cleared = try site.fpcache(["clear", "pages", "key=\(NginxServer.key("/a"))"])
    #expect(cleared.stdout.hasPrefix("removed 1 page of pages"), "\(cleared)")
    #expect(try nginx.get("/a").headers["x-cache"] == "MISS")
    #expect(try nginx.get("/none").headers["x-cache"] == "HIT")
  }

  @Test("variants go with their key, by a pattern, and are counted by host") func variants() throws
  {
    let pages = ["/a/1", "/a/2", "/b/1"]
    let site = try NginxSite(vary: true, pages: pages)
    let nginx = try NginxServer(
      site.tree, before: try site.application(headers: ["Vary": "X-Colour"]))
    let colours = ["red", "green", "blue"]
    func visit() throws -> [String] {
      try pages.flatMap { page in
        try colours.map { colour in
          try nginx.get(page, headers: ["X-Colour": colour]).headers["x-cache"] ?? "none"
        }
      }
    }
    #expect(try visit().allSatisfy { $0 == "MISS" })
    #expect(try visit().allSatisfy { $0 == "HIT" })
    let stats = try site.fpcache([
      "stats", "--group-by", "host", "--no-database", "--format", "json",
    ])
    #expect(stats.stdout.contains(#""shop.example""#), "\(stats)")
    let exact = try site.fpcache(["clear", "pages", "key=\(NginxServer.key("/a/1"))"])
    #expect(
      exact.stdout.hasPrefix("removed 3 pages of pages key=https://shop.example/a/1,"), "\(exact)")
    #expect(try visit() == Array(repeating: "MISS", count: 3) + Array(repeating: "HIT", count: 6))
    // One variant has the key's own name; without that file the others are found all the same.
    let main = "proxy/" + NginxFile.path(try NginxFile.hash(Array(NginxServer.key("/a/2").utf8)))
    site.tree.remove(main)
    let prefix = try site.fpcache(["clear", "pages", "key=\(NginxServer.key("/a/*"))", "--yes"])
    #expect(prefix.stdout.hasPrefix("removed 5 pages of pages"), "\(prefix)")
    #expect(try visit() == Array(repeating: "MISS", count: 6) + Array(repeating: "HIT", count: 3))
    #expect(nginx.log("[crit]").isEmpty)
  }

  @Test("nginx tells of a file that it wants to expire and that is gone, and of nothing else")
  func log() throws {
    let site = try NginxSite(vary: false, pages: ["/a", "/b"])
    let nginx = try NginxServer(site.tree, before: try site.application(), cache: "inactive=1s")
    for page in ["/a", "/b"] { _ = try nginx.get(page) }
    let cleared = try site.fpcache(["clear", "pages", "key=\(NginxServer.key("/a"))"])
    #expect(cleared.stdout.hasPrefix("removed 1 page of pages"), "\(cleared)")
    try eventually(timeout: .seconds(30), "nginx expires both") {
      try site.tree.files().filter { $0.hasPrefix("proxy/") }.isEmpty
        && !nginx.log("[crit]").isEmpty
    }
    let told = nginx.log("[crit]")
    #expect(told.count == 1 && told[0].contains("unlink()"), "\(told)")
    #expect(told[0].hasSuffix("failed (2: No such file or directory)"), "\(told)")
    #expect(try nginx.get("/a").headers["x-cache"] == "MISS")
  }
}
