// SPDX-License-Identifier: BSD-2-Clause
//
// Files whose sizes and times are as large as a file system lets anybody set them: whoever may write
// a page may do so, and no sum and no difference of them may be a trap.

import Foundation
import Testing

@testable import TestSupport

@Suite struct ExtremeFilesTests {
  private static let far = 9_223_372_036_854_775_807

  /// Three pages of 2^63 - 1 bytes without a byte on disk, dated at both ends of time.
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    let pages = [
      "ports/net/a/Detail.PageSize1.PageNum1.html", "ports/net/a/Detail.PageSize1.PageNum2.html",
      "daily/2020/01/21.daily.head", "news/news.rss2.0.head.xml",
    ]
    for (index, page) in pages.enumerated() {
      try tree.write(page, bytes: 1)
      #expect(truncate(tree.fullPath(page), off_t(Self.far)) == 0, "\(errno)")
      let time = timespec(
        tv_sec: [Self.far, -Self.far - 1, 1 << 40, -1][index], tv_nsec: 999_999_999)
      let times = [time, time]
      #expect(utimensat(AT_FDCWD, tree.fullPath(page), times, 0) == 0, "\(errno)")
    }
    return tree
  }

  @Test(
    "are counted and audited", .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"),
    arguments: [
      ["stats"], ["stats", "--format", "json"], ["stats", "--format", "prometheus"],
      ["stats", "--group-by", "category", "--top", "3"], ["stats", "--older-than", "1d"],
      ["stats", "--older-than", "10000000d"], ["verify"], ["verify", "--stale-after", "1s"],
      ["verify", "--format", "json"], ["verify", "--format", "nagios"],
    ])
  func audited(_ arguments: [String]) throws {
    let tree = try tree()
    let result = try Command.fpcache(arguments + ["--no-database", "--cache-dir", tree.path])
    guard case .status(let status) = result.exit else { throw SupportError("\(result)") }
    #expect([0, 1, 2].contains(status), "\(result)")
    #expect(!result.stdout.isEmpty, "\(result)")
  }

  private func date(_ path: String, _ seconds: Int) {
    let times = [timespec](repeating: timespec(tv_sec: seconds, tv_nsec: 999_999_999), count: 2)
    #expect(utimensat(AT_FDCWD, path, times, 0) == 0, "\(errno)")
  }

  @Test(
    "an empty page or a stub is looked at again, whatever its date",
    .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"), arguments: [-far - 1, far])
  func lookedAtAgain(_ time: Int) throws {
    let tree = try TemporaryTree()
    let page = "ports/net/a/Detail.PageSize1.PageNum1.html"
    try tree.write(page, bytes: 0)
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    for file in try tree.files() { date(tree.fullPath(file), time) }
    try tree.write("fp.ini", text: "[verify]\nDAILY_STUB = 70\n")
    let result = try Command.fpcache([
      "verify", "--only", "empty,stub", "--no-database", "--fix", "--config",
      tree.fullPath("fp.ini"), "--cache-dir", tree.path,
    ])
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains("empty (critical): 1") && result.stdout.contains("stub"))
    #expect(try tree.files() == ["fp.ini"])
  }

  @Test(
    "a status file and its times may be of any date",
    .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"),
    arguments: ["1677-09-21T00:12:44Z", "2262-04-11T23:47:16Z"])
  func statusFile(_ time: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try tree()
    try tree.write(
      "status",
      text: """
        {"pid":\(getpid()),"state":"listening","since":"\(time)","healthy_at":"\(time)",
        "last_drain":{"at":"\(time)"},"total":{"rows":\(Self.far)},"retries_waiting":\(Self.far),
        "settle_waiting":-\(Self.far),"last_error":{"at":"\(time)","message":"x"}}
        """)
    date(tree.fullPath("status"), time.hasPrefix("1") ? -Self.far - 1 : Self.far)
    for format in ["text", "json", "prometheus"] {
      let stats = try Command.fpcache([
        "stats", "--format", format, "--no-database", "--status-file", tree.fullPath("status"),
        "--cache-dir", tree.path,
      ])
      #expect(stats.status == 0, "\(stats)")
    }
    try tree.write("fp.ini", text: "[listen]\nSTATUS_FILE = \(tree.fullPath("status"))\n")
    let session = try database.session(as: "listening")
    _ = try session.sql("LISTEN port_updated")
    let verify = try Command.fpcache([
      "verify", "--only", "no-listener", "--config", tree.fullPath("fp.ini"), "--dsn",
      database.listenerDSN, "--cache-dir", tree.path,
    ])
    #expect(verify.status == (time.hasPrefix("1") ? 1 : 0), "\(verify)")
  }

  @Test("are cleared, and told of", .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"))
  func cleared() throws {
    let tree = try tree()
    let result = try Command.fpcache([
      "clear-port", "net/a", "--news", "--format", "json", "--cache-dir", tree.path,
    ])
    #expect(result.status == 0, "\(result)")
    #expect(
      result.stdout.contains(#""files_removed":3,"bytes_removed":\#(Self.far),"#), "\(result)")
    let text = try Command.fpcache(["clear-date", "2020", "--cache-dir", tree.path])
    #expect(text.status == 0, "\(text)")
    #expect(try tree.files().isEmpty)
  }

  @Test(
    "are drained and counted for ever",
    .enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"))
  func drained() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try tree()
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      """)
    let result = try Command.fpcache([
      "listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json",
      "--cache-dir", tree.path,
    ])
    #expect(result.status == 0, "\(result)")
    #expect(
      result.stdout.contains(#""files_removed":4,"bytes_removed":\#(Self.far),"#), "\(result)")
  }
}
