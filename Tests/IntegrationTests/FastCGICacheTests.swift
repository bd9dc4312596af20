// SPDX-License-Identifier: BSD-2-Clause
//
// The real nginx with a fastcgi_cache, before a CGI script that asks PostgreSQL. Its files have another header behind the
// key than those of a proxy_cache: records of FastCGI, and no line with the status.

import Foundation
import Testing

@testable import TestSupport

@Suite(
  "nginx's cache of FastCGI",
  .enabled(
    if: NginxServer.isInstalled && FastCGIApplication.isInstalled,
    "nginx or fcgiwrap is not installed"), .serialized)
struct FastCGICacheTests {
  @Test("pages are counted by their status, cleared by key, and cleared when the database says so")
  func cache() throws {
    let site = try NginxSite(vary: false, pages: ["/a?x=1", "/b"])
    let nginx = try NginxServer(site.tree, before: try FastCGIApplication(site.database))
    // nginx was asked for / when it started.
    for (page, status) in [
      ("/a?x=1", 200), ("/b", 200), ("/none", 404), ("/", 404), ("/old/c", 302),
    ] {
      let response = try nginx.get(page)
      #expect(response.status == status)
      #expect(try nginx.get(page).headers["x-cache"] == "HIT")
    }
    #expect(try site.filesByStatus() == ["200": 2, "302": 1, "404": 2])
    let verify = try site.fpcache(["verify", "--no-database"])
    #expect(verify.stdout.contains("site.ini") && verify.stdout.contains("1 finding"), "\(verify)")
    let exact = try site.fpcache(["clear", "pages", "key=\(NginxServer.key("/none"))"])
    #expect(exact.stdout.hasPrefix("removed 1 page of pages"), "\(exact)")
    #expect(try nginx.get("/none").headers["x-cache"] == "MISS")

    let listener = try site.listen(["--settle", "0.2"])
    try listener.waitForLog(containing: "listening")
    try site.database.sql(NginxSite.change("/a?x=1"))
    try eventually("the page is cleared", details: "\(listener)") {
      try nginx.get("/a?x=1").body.contains("version 2\n")
    }
    #expect(try nginx.get("/b").headers["x-cache"] == "HIT", "nobody changed it")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    #expect(!nginx.log("FastCGI sent in stderr").isEmpty)
  }
}
