// SPDX-License-Identifier: BSD-2-Clause
//
// PRUNE of a running listener: again and again, by what is written meanwhile, and with a reload.

import Foundation
import Testing

@testable import TestSupport

@Suite("Pruning by the listener") struct PruneListenTests {
  private func status(_ site: ShopSite) throws -> [String: Any]? {
    guard site.tree.exists("status.json") else { return nil }
    let data = Data(try site.tree.read("status.json").utf8)
    let status = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return status?["prune"] as? [String: Any]
  }

  private func listen(_ site: ShopSite, _ rule: String) throws {
    try site.configure(
      listen: "PRUNE = \(rule)\nPRUNE_INTERVAL = 0.3\nRECHECK_INTERVAL = 0\n"
        + "STATUS_FILE = \(site.tree.fullPath("status.json"))")
  }

  private func pages(_ site: ShopSite) throws -> [String] {
    try site.tree.files(below: "cache/products").map {
      String($0.split(separator: "/").last?.dropLast(5) ?? "")
    }
  }

  @Test("the oldest go, and what is written since keeps to the bound")
  func bound() throws {
    let site = try ShopSite()
    try listen(site, "products max-files 2")
    for age in 1...5 { try site.plant(["old\(age)"], hoursAgo: age) }
    let listener = try site.listen()
    try listener.waitForLog(
      containing: "prune: removed 3 pages of products, 9 bytes, in ")
    #expect(try pages(site) == ["old1", "old2"])
    try eventually("the status file tells", details: "\(listener)") {
      try status(site)?["failures"] as? Int == 0 && status(site)?["at"] is String
    }
    try site.plant(["new"], hoursAgo: 0)
    try eventually("the bound holds again", details: "\(listener)") {
      try pages(site) == ["new", "old1"]
    }
    func told() -> Int { listener.lines.count { $0.contains("prune: ") } }
    try eventually("the log tells", details: "\(listener)") { told() == 2 }
    try listen(site, "products older-than 30m")
    listener.terminate(SIGHUP)
    try eventually("the other bound holds", details: "\(listener)") { try pages(site) == ["new"] }
    try eventually("the log tells", details: "\(listener)") { told() >= 3 }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    // Where nothing was to be done, nothing was said.
    #expect(told() == 3, "\(listener)")
  }

  @Test(
    "a page that cannot go: a warning, and status is not well",
    .enabled(if: PrivateMount.isAllowed))
  func failure() throws {
    let site = try ShopSite()
    try listen(site, "products max-files 0")
    try site.plant(["a", "b"], hoursAgo: 1)
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--config", site.tree.fullPath("shop.ini"), "--dsn", site.database.listenerDSN,
        "--state-dir", site.tree.path,
      ])
    command.tree = site.tree
    let listener = try Daemon(
      command.mounting([.readOnly(site.tree.fullPath("cache/products"))]))
    try listener.waitForLog(containing: "2 could not be removed: ")
    try eventually("the status file tells", details: "\(listener)") {
      try status(site)?["failures"] as? Int == 2
    }
    let seen = try Command.fpcache(
      [
        "status", "--config", site.tree.fullPath("shop.ini"), "--dsn", site.database.listenerDSN,
      ], in: site.tree)
    #expect(
      seen.status == 1
        && seen.stdout.contains("the last prune could not remove or read 2 pages"), "\(seen)")
    #expect(try pages(site) == ["a", "b"])
  }
}
