// SPDX-License-Identifier: BSD-2-Clause
//
// The clear commands on a site that is nothing like FreshPorts: any family by any of its fields, the
// commands of FreshPorts where it has such families, and plain words where it has none.

import Foundation
import Testing

@testable import TestSupport

@Suite("Clearing a wiki") struct WikiClearTests {
  /// Arguments, what goes, and what is said.
  struct Row: CustomTestStringConvertible {
    let arguments: [String]
    let gone: [String]
    let output: String

    init(_ arguments: [String], _ gone: [String], _ output: String) {
      self.arguments = arguments
      self.gone = gone
      self.output = output
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let rows = [
    Row(
      ["clear", "articles", "namespace=Main", "title=Home"],
      ["wiki/Main/Home.en.html", "wiki/Main/Home.de.html"],
      "removed 2 pages of articles namespace=Main title=Home, 200 bytes"),
    Row(
      ["clear", "articles", "title=Home", "lang=en"],
      ["wiki/Main/Home.en.html", "wiki/Help/Home.en.html"],
      "removed 2 pages of articles title=Home lang=en, 200 bytes"),
    Row(
      ["clear", "articles", "title=A.B (C), d"], ["wiki/Main/A.B (C), d.en.html"],
      "removed 1 page of articles title=A.B (C), d, 100 bytes"),
    Row(
      ["clear", "articles", "title=Größe"], ["wiki/Help/Größe.de.html"],
      "removed 1 page of articles title=Größe, 100 bytes"),
    Row(
      ["clear", "history", "namespace=Main", "title=Home", "revision=17"],
      ["history/Main/Home/17.en.html", "history/Main/Home/diff.16.17.en.html"],
      "removed 2 pages of history namespace=Main title=Home revision=17, 200 bytes"),
    Row(
      ["clear", "history", "old=16"], ["history/Main/Home/diff.16.17.en.html"],
      "removed 1 page of history old=16, 100 bytes"),
    Row(
      ["clear", "media", "file=cat.jpg"], ["media/120px/cat.jpg", "media/800px/cat.jpg"],
      "removed 2 pages of media file=cat.jpg, 200 bytes"),
    Row(["clear", "search"], ["search/cats.1.html"], "removed 1 page of search, 100 bytes"),
    Row(["clear", "sitemap"], ["sitemap.xml"], "removed 1 page of sitemap, 100 bytes"),
    Row(
      ["clear", "articles", "namespace=Talk"], [], "no page of articles namespace=Talk in the cache"
    ),
    Row(
      ["clear-date", "2020-01-21"], ["changes/2020/01-21.en.html"],
      "removed 1 page of 2020-01-21, 100 bytes"),
    Row(
      ["clear-date", "2020-01"], ["changes/2020/01-21.en.html", "changes/2020/01-22.en.html"],
      "removed 2 pages of 2020-01, 200 bytes"),
    Row(
      ["clear-news"], ["feeds/recent.atom", "feeds/by/user.rss"],
      "removed 2 pages of the news, 200 bytes"),
  ]

  @Test("takes what the fields name and nothing else", arguments: rows)
  func clear(_ row: Row) throws {
    let wiki = try WikiSite()
    let before = try wiki.tree.snapshot()
    let dry = try wiki.run(row.arguments + ["-n"])
    #expect(dry.status == 0, "\(dry)")
    #expect(dry.stdout == row.output.replacing("removed", with: "would remove") + "\n", "\(dry)")
    #expect(try wiki.tree.snapshot() == before)
    let result = try wiki.run(row.arguments)
    #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    #expect(result.stdout == row.output + "\n", "\(result)")
    #expect(wiki.gone == row.gone, "\(result)")
    for path in WikiSite.bystanders { #expect(wiki.tree.exists("cache/" + path), "\(path)") }
  }

  private static let refused: [(arguments: [String], status: Int32, message: String)] = [
    (
      ["clear", "ports"], 64,
      "ports: no such family in the layout; expected one of articles, history, media, daily, search, "
        + "news, sitemap"
    ),
    (
      ["clear", "robots"], 64,
      "robots: is never cleared; expected one of articles, history, media, daily, search, news, sitemap"
    ),
    (
      ["clear", "articles", "Home"], 64,
      "Home: expected FIELD=VALUE; the fields of articles are namespace, title, lang"
    ),
    (
      ["clear", "articles", "colour=red"], 64,
      "colour=red: articles has no field colour; expected one of namespace, title, lang"
    ),
    (
      ["clear", "articles", "title=A", "title=B"], 64,
      "title=B: title is given twice; give it once"
    ),
    (
      ["clear", "articles", "title=../../etc"], 64,
      "articles title=../../etc: \"../../etc\" is not a valid title: expected a file name of at most 255 bytes"
    ),
    (
      ["clear", "articles", "title="], 64,
      "articles title=: \"\" is not a valid title: expected a file name of at most 255 bytes"
    ),
    (
      ["clear-port", "graphics/gimp"], 78,
      "the layout has no family ports that could be cleared; it has articles, history, media, daily, "
        + "search, news, sitemap: see fpcache clear"
    ),
    (
      ["clear-date", "--branch", "head", "2020"], 78,
      "the layout's family daily has no field branch; it has articles, history, media, daily, search, "
        + "news, sitemap: see fpcache clear"
    ),
  ]

  @Test("what the layout does not have is said, and nothing is touched")
  func refusals() throws {
    let wiki = try WikiSite()
    for row in Self.refused {
      let result = try wiki.run(row.arguments)
      #expect(result.status == row.status && result.stdout.isEmpty, "\(result)")
      #expect(result.stderr == "fpcache: \(row.message)\n", "\(result)")
    }
    #expect(wiki.gone == [])
  }

  @Test("keys of standard input, a line each, beside what is given for all of them")
  func standardInput() throws {
    let wiki = try WikiSite()
    let result = try wiki.run(
      ["clear", "articles", "lang=en", "-", "--format", "json", "-v", "--require-match"],
      input: "namespace=Main\ttitle=Home\n\nnamespace=Help\ttitle=Nobody\ntitle=A.B (C), d\n")
    #expect(result.status == 3, "\(result)")
    #expect(
      result.stdout == """
        {"version":1,"dry_run":false,"keys":3,"files_removed":2,"bytes_removed":200,\
        "keys_without_match":1,"failures":[],\
        "removed":["wiki/Main/A.B (C), d.en.html","wiki/Main/Home.en.html"]}

        """, "\(result)")
    let bad = try wiki.run(
      ["clear", "articles", "-"], input: "title=Home\ntitle=Home\tlang=e/n\n")
    #expect(bad.status == 64, "\(bad)")
    #expect(
      bad.stderr == "fpcache: standard input, key 2: articles title=Home lang=e/n: "
        + "\"e/n\" is not a valid lang: expected letters, digits, _ and -\n")
    #expect(wiki.gone.count == 2)
    let none = try wiki.run(["clear", "media", "-"], input: "")
    #expect(none.stdout == "nothing to clear: standard input had no keys\n", "\(none)")
    let null = try wiki.run(["clear", "media", "-", "-0"], input: "file=cat.jpg\0file=dog.jpg\0")
    #expect(null.stdout == "removed 3 pages of 2 keys of media, 300 bytes\n", "\(null)")
  }

  @Test("a whole family or folder is asked about at a terminal, and --yes is not")
  func bigPurges() throws {
    let wiki = try WikiSite()
    for (arguments, question) in [
      (["articles"], "Clear all of articles ("),
      (["articles", "namespace=Main"], "Clear all of articles namespace=Main ("),
      (["history", "revision=17"], "Clear all of history revision=17 ("),
    ] {
      let session = try TerminalSession.fpcache(
        ["clear", "--config", wiki.configuration] + arguments, in: wiki.tree,
        environment: ["FPCACHE_DIR": wiki.tree.fullPath("cache")])
      try session.terminal.wait(for: question)
      try session.terminal.type("n\r")
      let end = try session.end()
      #expect(end.status == 1 && end.output.contains("nothing was changed"), "\(end)")
    }
    #expect(wiki.gone == [])
    let small = try TerminalSession.fpcache(
      ["clear", "--config", wiki.configuration, "articles", "namespace=Main", "title=Home"],
      in: wiki.tree, environment: ["FPCACHE_DIR": wiki.tree.fullPath("cache")])
    #expect(try small.end().status == 0)
    #expect(wiki.gone.count == 2)
    let sure = try TerminalSession.fpcache(
      ["clear", "--config", wiki.configuration, "--yes", "articles"], in: wiki.tree,
      environment: ["FPCACHE_DIR": wiki.tree.fullPath("cache")])
    #expect(try sure.end().status == 0)
    #expect(wiki.gone.count == 5)
  }

  @Test("stats and verify read the tree by the same table")
  func backward() throws {
    let wiki = try WikiSite()
    let stats = try wiki.run(["stats", "--no-database", "--format", "json", "--group-by", "lang"])
    #expect(stats.status == 0, "\(stats)")
    for member in [
      #""articles":{"files":5"#, #""history":{"files":3"#, #""search":{"files":1"#,
      #""robots":{"files":1"#, #""unknown":{"files":4"#, #"{"value":"de","files":2"#,
    ] { #expect(stats.stdout.contains(member), "\(member) \(stats)") }
    let verify = try wiki.run([
      "verify", "--no-database", "--only", "unknown,odd-value,missing-dir",
    ])
    #expect(verify.status == 1, "\(verify)")
    for path in ["feeds/.htaccess", "search/notes.txt", "wiki/README", "other/file"] {
      #expect(verify.stdout.contains("  \(path)\n"), "\(verify)")
    }
    wiki.tree.remove("cache/media/120px/cat.jpg")
    wiki.tree.remove("cache/media/120px/dog.jpg")
    wiki.tree.remove("cache/media/800px/cat.jpg")
    wiki.tree.remove("cache/media/120px")
    wiki.tree.remove("cache/media/800px")
    wiki.tree.remove("cache/media")
    let missing = try wiki.run(["verify", "--no-database", "--only", "missing-dir"])
    #expect(missing.stdout.contains("  media\n"), "\(missing)")
    let listen = try wiki.run(["listen", "--once", "--dsn", "host=/nonexistent"])
    #expect(listen.status == 69, "\(listen)")
  }

  @Test("a layout without queues and events has nothing to listen for")
  func nothingToListenFor() throws {
    let wiki = try WikiSite("[layout]\narticles = wiki/{namespace}/{title:name}.{lang}.html\n")
    let result = try wiki.run(["listen", "--once"])
    #expect(result.status == 78, "\(result)")
    #expect(
      result.stderr
        == "fpcache: the configuration has a [layout] and does not say what a table or "
        + "event clears: write [queues] and [events]\n", "\(result)")
  }
}
