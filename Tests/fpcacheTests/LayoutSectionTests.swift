// SPDX-License-Identifier: BSD-2-Clause
//
// [layout], [queues] and [events] of a configuration: what they make, and two tables of what is refused,
// each with its exact words. Each value goes the whole way, from the file's lines to the configuration.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

/// Lines of a file, and the message that they are refused with.
struct RefusedLayout: CustomTestStringConvertible {
  let lines: String
  /// Behind `f.ini:`.
  let message: String

  init(_ lines: String, _ message: String) {
    self.lines = lines
    self.message = message
  }

  var testDescription: String { lines }
}

@Suite("A layout of the site's own") struct LayoutSectionTests {
  private func config(_ text: String) throws -> Config {
    try Config.resolve(
      flags: Config.Flags(config: "f.ini"), environment: [:], files: .holding(["f.ini": text]))
  }

  private func problem(_ text: String) -> UserError? {
    do {
      _ = try config(text)
      return nil
    } catch {
      return error as? UserError
    }
  }

  // MARK: These work

  @Test("a family that no visitor re-creates")
  func recreated() throws {
    let text =
      "[layout]\na = a/{page...}\na.recreated = no\nb = b/{x}\nb.recreated = Yes\nc = c/{x}\n"
    #expect(try config(text).layout.families.map(\.isRecreated) == [false, true, true])
  }

  @Test("a cache of nginx: its names, its key, its variants")
  func nginx() throws {
    let text =
      "[layout]\na = n/p/{key:nginx...}\na.levels = 2:1\na.vary = no\nb = q/{url:nginx...}\nb.levels = none\n"
    let families = try config(text + "[queues]\nt = a(key), b(url = path)\n").layout.families
    #expect(
      families.map(\.pattern.description) == [
        "n/p/{level1:hex2}/{level2:hex1}/{file:name}", "q/{file:name}",
      ])
    #expect(families.map(\.fieldNames) == [["key"], ["url"]])
    #expect(families.map(\.hashed?.hasVariants) == [false, true])
    #expect(families.allSatisfy { $0.isConfigured && $0.clearing == .knownShapes })
  }

  @Test("the wiki: families, queues, events")
  func wiki() throws {
    let config = try config(WikiSite.sections)
    #expect(config.hasOwnLayout)
    #expect(config.layout.families.map(\.name) == WikiSite.families.map(\.name))
    for (family, text) in zip(config.layout.families, WikiSite.families) {
      #expect(family.pattern.description == text.pattern)
      #expect(family.shapes.map(\.description) == text.shapes)
      #expect(family.isConfigured)
    }
    #expect(config.layout.family(named: "search")?.clearing == .knownShapes)
    #expect(config.layout.family(named: "robots")?.clearing == .never)
    #expect(
      config.rules.tables.map(\.name) == ["wiki.page_changes", "wiki.day_changes", "media_changes"])
    #expect(config.rules.emptiedAfter == ["news"])
    #expect(
      config.rules.events.map(\.scriptName) == [
        "page_saved", "file_uploaded", "skin_changed", "user_renamed",
      ])
    #expect(config.rules.events[0].queues == Array(config.rules.tables.prefix(2)))
    #expect(config.rules.events[2].action == .empty(["articles", "history"]))
    #expect(config.rules.events[3].action == .nothing)
    #expect(config.fileOddities.isEmpty)
  }

  @Test(
    "what a row of each queue names",
    arguments: [
      (
        "wiki.page_changes", ["Main", "A b"],
        ["articles namespace=Main title=A b", "history namespace=Main title=A b"]
      ),
      ("wiki.day_changes", ["2020-01-21"], ["daily year=2020 month=01 day=21"]),
      ("media_changes", ["cat.jpg"], ["media file=cat.jpg", "sitemap"]),
    ])
  func rows(_ table: String, _ values: [String], _ keys: [String]) throws {
    let config = try config(WikiSite.sections)
    let rule = try #require(config.rules.queues.first { $0.table.name == table })
    #expect(rule.table.keyCount == values.count)
    let made = try rule.keys.keys(values.map { Array($0.utf8) })
    #expect(made.map { config.layout.text(of: $0).replacing("\t", with: " ") } == keys)
  }

  @Test("a field may be made of texts and columns, each column asked for once")
  func joined() throws {
    let config = try config(
      "[layout]\npages = p/{key:nginx...}\npages.levels = 1:2\nhosts = h/{host:name}\n"
        + "[queues]\nt = pages(key = 'https://'||host || \"/\"|| path), hosts(host) by path text\n")
    let rule = config.rules.queues[0]
    #expect(rule.table.definition?.filled.map(\.name.description) == ["host", "path"])
    let made = try rule.keys.keys(["shop", "a?b=1"].map { Array($0.utf8) })
    #expect(
      made.map { config.layout.text(of: $0) } == [
        "pages\tkey=https://shop/a?b=1", "hosts\thost=shop",
      ])
  }

  @Test("docs/writing-a-layout.md builds up the wiki of these tests, and quotes what is said")
  func document() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/writing-a-layout.md").path
    let text = try String(contentsOfFile: path, encoding: .utf8)
    // The configuration of another site follows. Only `fpcache sql` reads the triggers.
    let wiki = text.components(separatedBy: "<!-- tour: tiles -->")[0]
    let blocks = wiki.components(separatedBy: "```\n").filter {
      $0.hasPrefix("[") && !$0.hasPrefix("[triggers]")
    }
    #expect(blocks.count == 3)
    let written = try config(blocks.joined())
    let own = try config(WikiSite.sections)
    #expect(written.layout == own.layout && written.rules == own.rules)
    #expect(written.cacheDirectory == "/var/db/wiki/cache")
    let talk = problem(
      "[layout]\narticles = wiki/{namespace}/{title:name}.{lang}.html\ntalk = wiki/{ns}/{page:name}"
    )
    let told = try #require(talk?.message.split(separator: ": ", maxSplits: 1).last)
    let quoted = told.replacing("(line 2)", with: "(line 4)")
    #expect(text.contains(quoted), "\(quoted)")
  }

  @Test("FreshPorts' own table, written out, is what it is without")
  func freshPorts() throws {
    let lines = Layout.freshPorts.families.map { family in
      let clearing =
        switch family.clearing {
        case .everything: "everything"
        case .knownShapes: "shapes"
        case .never: "never"
        }
      let shapes = family.shapes.map { "    \($0)\n" }.joined()
      return "\(family.name) = \(family.pattern)\n\(family.name).clearing = \(clearing)\n"
        + (shapes.isEmpty ? "" : "\(family.name).shapes =\n\(shapes)")
    }
    // The two that a rule of FreshPorts' tells apart are the only ones that this refuses.
    #expect(
      problem("[layout]\n" + lines.joined())?.message.contains(
        ": files: cannot be told apart from ports") == true
        || problem("[layout]\n" + lines.joined())?.message.contains(
          ": files: matches paths of ports") == true
    )
    let config = try config("[layout]\n" + lines.filter { !$0.hasPrefix("files ") }.joined())
    for family in config.layout.families {
      let own = try #require(Layout.freshPorts.family(named: family.name))
      #expect(family.pattern == own.pattern && family.shapes == own.shapes)
      #expect(family.clearing == own.clearing)
    }
  }

  @Test("without the sections nothing is different")
  func without() throws {
    let config = try config("[dirs]\nBASEDIR = /var/fp\n")
    #expect(!config.hasOwnLayout)
    #expect(config.layout == .freshPorts && config.rules == .freshPorts(.freshPorts))
    #expect(config.rules.tables == QueueTable.all && config.rules.events == SiteEvent.all)
    #expect(config.rules.emptiedAfter == ["news"])
    #expect(
      try self.config("[listen]\nEMPTY_AFTER = packages, news").rules.emptiedAfter == [
        "packages", "news",
      ])
    #expect(try self.config("[listen]\nEMPTY_AFTER =").rules.emptiedAfter == [])
  }

  @Test("[verify] speaks of the layout's families")
  func verify() throws {
    let config = try config(
      "[layout]\npages = p/{t}\n[verify]\nPAGES = SELECT 1\nPAGES_STUB = 5\nPORTS = SELECT 2\n")
    #expect(config.verify.queries.map(\.family) == ["pages"])
    #expect(config.verify.leastSizes == ["pages": 5])
    #expect(config.fileOddities.map(\.words) == ["unknown key PORTS in [verify]"])
  }

  // MARK: These do not

  private static let pages = "[layout]\npages = p/{t}\n"

  private static let layouts = [
    RefusedLayout(
      "[layout]", "1: [layout]: defines no family; write keys such as pages = pages/{title}.html"),
    RefusedLayout(
      "[layout]\nA b = p/{t}",
      "2: A b: is not a valid family name; expected a to z, digits, - and _, starting with a letter, 32 characters at most"
    ),
    RefusedLayout(
      "[layout]\nunknown = p/{t}",
      "2: unknown: is a reserved word; choose another name for the family"),
    RefusedLayout(
      "[layout]\na_stub = p/{t}",
      "2: a_stub: is a reserved word; choose another name for the family"),
    RefusedLayout(
      "[layout]\npages =",
      "2: pages: is empty; expected a path below the cache directory, such as pages/{title}.html"),
    RefusedLayout(
      "[layout]\npages = /p/{t}",
      "2: pages: begins with a slash; expected a path below the cache directory, such as pages/{title}.html"
    ),
    RefusedLayout(
      "[layout]\npages = p/../{t}",
      "2: pages: contains . or ..; write a path that only goes down"),
    RefusedLayout(
      "[layout]\npages = {t}/p",
      "2: pages: begins with a field, so it would match everything in the cache directory; "
        + "expected a plain name first, such as pages/"),
    RefusedLayout(
      "[layout]\npages = {page...}",
      "2: pages: begins with a field, so it would match everything in the cache directory; "
        + "expected a plain name first, such as pages/"),
    RefusedLayout(
      "[layout]\npages = p{t}",
      "2: pages: begins with a field, so it would match everything in the cache directory; "
        + "expected a plain name first, such as pages/"),
    RefusedLayout(
      "[layout]\npages = p/*",
      "2: pages: holds *; write {field} for what differs from page to page, or {page...} "
        + "for all below a folder"),
    RefusedLayout(
      "[layout]\npages = p/\n  {t}",
      "2: pages: contains a line break or another control character; expected a path below the cache "
        + "directory, such as pages/{title}.html"),
    RefusedLayout(
      "[layout]\npages = p/{t", "2: pages: has an unmatched brace; write {field}"),
    RefusedLayout(
      "[layout]\npages = p//{t}",
      "2: pages: has an empty name between two slashes or at its end; write a name"),
    RefusedLayout(
      "[layout]\npages = p/{a b}",
      "2: pages: a b is not a valid field name; expected letters, digits and _"),
    RefusedLayout(
      "[layout]\npages = p/{a:colour}",
      "2: pages: unknown kind colour; expected one of year, month, day, branch, lowerbranch, "
        + "category, port, number, flag, id, word, word?, port?, format, suffix, cutkey, hex1, hex2, md5, name, or with ... one of "
        + "rest, visible, tree-path, nginx"),
    RefusedLayout(
      "[layout]\npages = p/{a}{b}",
      "2: pages: a name could be cut in two ways at {a}; expected text behind it that it cannot hold, "
        + "or a narrower kind"),
    RefusedLayout(
      "[layout]\npages = p/{a...}/b",
      "2: pages: {a...} is not the last name of the path; use it at the end only"),
    RefusedLayout(
      "[layout]\npages = p/{a}/{a:number}",
      "2: pages: {a} has two kinds; use one kind, or two names"),
    RefusedLayout(
      "[layout]\npages = p/%x",
      "2: pages: a single '%'; write '%%' for a percent sign, or '%(KEY)s' for the value of another key"
    ),
    RefusedLayout(
      pages + "pages.colour = x",
      "3: pages.colour: there is no .colour for a family; expected .shapes, .clearing or "
        + ".recreated, or for a cache of nginx .levels or .vary"),
    RefusedLayout(
      "[layout]\npages = p/{key:nginx...}",
      "2: pages: is a cache of nginx without levels; write a key pages.levels = 1:2, as in "
        + "proxy_cache_path, or = none"),
    RefusedLayout(
      "[layout]\npages = p/{key:nginx...}\npages.levels = 1:3",
      "3: pages.levels: is not a valid value of levels; expected 1 or 2, up to three times with : "
        + "between, or none"),
    RefusedLayout(
      "[layout]\npages = p/{key:nginx...}\npages.levels = 1:2\npages.vary = perhaps",
      "4: pages.vary: expected yes or no, on or off, true or false, 1 or 0"),
    RefusedLayout(
      "[layout]\npages = p/{key:nginx...}\npages.levels = 1:2\npages.clearing = never",
      "4: pages.clearing: cannot be set for a cache of nginx; expected .levels and .vary only"),
    RefusedLayout(
      "[layout]\npages = p/{host:nginx...}\npages.levels = none",
      "2: pages: {host} is a reserved name; choose another, such as key"),
    RefusedLayout(
      "[layout]\npages = p/{site}/{key:nginx...}\npages.levels = 1:2",
      "2: pages: {key:nginx...} must be the only field, after plain folders; write a pattern such as "
        + "proxy/{key:nginx...}"),
    RefusedLayout(
      "[layout]\npages = p/{page...}\npages.shapes = {key:nginx...}",
      "3: pages.shapes: {key:nginx...} must be the only field, after plain folders; write a pattern "
        + "such as proxy/{key:nginx...}"),
    RefusedLayout(
      pages + "pages.levels = 1:2",
      "3: pages.levels: is for a cache of nginx; expected a pattern such as pages/{key:nginx...}"),
    RefusedLayout(
      "[layout]\npages = p/{key:nginx...}\npages.levels = 1:2\nraw = p/{a:hex1}/{b:hex2}/{c:md5}",
      "4: raw: matches paths of pages (line 2), such as p/a/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; "
        + "a path may belong to one family only"),
    RefusedLayout(
      pages + "media.shapes = {x}", "3: media: has no pattern; expected a key media = ... beside it"
    ),
    RefusedLayout(
      pages + "pages.recreated = perhaps",
      "3: pages.recreated: expected yes or no, on or off, true or false, 1 or 0"),
    RefusedLayout(
      pages + "pages.clearing = all", "3: pages.clearing: expected everything, shapes or never"),
    RefusedLayout(
      pages + "pages.clearing = shapes",
      "3: pages.clearing: needs shapes; write a key pages.shapes too"),
    RefusedLayout(
      pages + "pages.shapes =", "3: pages.shapes: is empty; expected a shape, or one on each line"),
    RefusedLayout(
      pages + "pages.shapes = {a}{b}",
      "3: pages.shapes: a name could be cut in two ways at {a}; expected text behind it that it cannot "
        + "hold, or a narrower kind"),
    RefusedLayout(
      "[layout]\nmap = map.xml\nmap.shapes = {x}",
      "3: map.shapes: describes the last name of the path, which has no field; expected "
        + "none, or a pattern that ends in a field such as {page...}"),
    RefusedLayout(
      pages + "media = p/{x}.jpg\nother = p/{y:name}",
      "4: other: matches paths of pages (line 2), such as p/a; a path may belong to one family only"
    ),
    RefusedLayout(
      pages + "media = p/{x:number}",
      "3: media: matches paths of pages (line 2), such as p/1; a path may belong to one family only"
    ),
    RefusedLayout(
      "[layout]\none = a/{x}/b{x}\ntwo = a/c/bd",
      "3: two: cannot be told apart from one (line 2) by names such as a/c/bd; use another folder, or a "
        + "name that the other family cannot have"),
    RefusedLayout(
      pages + "[dirs]\nNEWS_CACHE_DIR = news",
      "4: NEWS_CACHE_DIR: sets the folder of a FreshPorts family; remove it: the file has [layout], which "
        + "sets all folders"),
    RefusedLayout(
      "[queues]\nt = pages",
      "1: [queues]: is for a site's own layout; write a section [layout] too"),
    RefusedLayout(
      "\n[events]\nt = nothing",
      "2: [events]: is for a site's own layout; write a section [layout] too"),
  ]

  private static let site =
    "[layout]\npages = p/{ns}/{t}\nlog = l.txt\nlog.clearing = never\ndays = d/{year}/{month}/{day}\n"
  private static let name =
    "ASCII letters, digits, _ and $, not starting with a digit, at most 63 bytes"

  private static let rules = [
    RefusedLayout(
      site + "[queues]\nt\"; DROP TABLE x;-- = pages(t)",
      "7: t\"; DROP TABLE x;--: is not a valid queue name; expected table or schema.table, each \(name)"
    ),
    RefusedLayout(
      site + "[queues]\na.b.c = pages(t)",
      "7: a.b.c: is not a valid queue name; expected table or schema.table, each \(name)"),
    RefusedLayout(
      site + "[queues]\nfpcache_log = pages(t)",
      "7: fpcache_log: is not a valid queue name; expected table or schema.table, each \(name)"),
    RefusedLayout(
      site + "[queues]\nq =",
      "7: q: the end is not understood; expected a family, as in "
        + "pages(namespace, title = page_title)"),
    RefusedLayout(
      site + "[queues]\nq = talk(t)",
      "7: q: the layout has no family talk; expected one of pages, days"),
    RefusedLayout(
      site + "[queues]\nq = log",
      "7: q: the family log is never cleared; expected one of pages, days"),
    RefusedLayout(
      site + "[queues]\nq = pages(colour)",
      "7: q: pages has no field colour; expected some of ns, t"),
    RefusedLayout(
      site + "[queues]\nq = pages(t, t)", "7: q: pages has t bound twice; expected it once"),
    RefusedLayout(
      site + "[queues]\nq = pages(t = )",
      "7: q: \")\" is not understood; expected a column name after \"=\""),
    RefusedLayout(
      site + "[queues]\nq = pages(t = a.b)",
      "7: q: a.b behind \"=\" is not a valid column name; expected \(name)"),
    RefusedLayout(
      site + "[queues]\nq = pages(ns = 'a/b')",
      "7: q: 'a/b' is not a valid ns: expected letters, digits, _ and -"),
    RefusedLayout(
      site + "[queues]\nq = pages(ns = 'a)",
      "7: q: a quote that does not close is not understood; expected a column name after \"=\""),
    RefusedLayout(
      site + "[queues]\nq = pages(t = 'a' ||)",
      "7: q: \")\" is not understood; expected a column name after \"||\""),
    RefusedLayout(
      site + "[queues]\nq = pages(t = a | b)",
      "7: q: \"|\" is not understood; expected a comma or a closing parenthesis"),
    RefusedLayout(
      site + "[queues]\nq = pages(t = a || b-c)",
      "7: q: b-c behind \"||\" is not a valid column name; expected \(name)"),
    RefusedLayout(
      site + "[queues]\nq = pages(t; ns)",
      "7: q: \";\" is not understood; expected a comma or a closing parenthesis"),
    RefusedLayout(
      site + "[queues]\nq = pages(t) days",
      "7: q: days is not understood; expected a comma and another family, by COLUMN, since COLUMN, or "
        + "the end"),
    RefusedLayout(
      site + "[queues]\nq = pages(t) by",
      "7: q: the end is not understood; expected a column name after \"by\""),
    RefusedLayout(
      site + "[queues]\nq = pages(t) since 1x",
      "7: q: 1x behind \"since\" is not a valid column name; expected \(name)"),
    RefusedLayout(
      site + "[queues]\nq = pages(year-month-day = d)",
      "7: q: pages has no field year; expected some of ns, t"),
    RefusedLayout(
      site + "[queues]\nq = days(year-month-day)",
      "7: q: \")\" is not understood; expected = and a column of dates"),
    RefusedLayout(
      site + "[events]\ne = drain q", "7: e: [queues] has no q; expected it there"),
    RefusedLayout(
      site + "[queues]\nq = pages(t)\n[events]\ne = drain r",
      "9: e: [queues] has no r; expected one of q"),
    RefusedLayout(
      site + "[events]\ne = empty talk",
      "7: e: the layout has no family talk; expected one of pages, days"),
    RefusedLayout(
      site + "[events]\ne = empty log",
      "7: e: the family log is never cleared; expected one of pages, days"),
    RefusedLayout(
      site + "[events]\ne = empty pages days",
      "7: e: days is not understood; expected a comma and a family, or the end"),
    RefusedLayout(
      site + "[events]\ne = run x",
      "7: e: expected drain TABLE, empty FAMILY or nothing; more than one TABLE or FAMILY with commas "
        + "between"),
    RefusedLayout(
      site + "[listen]\nEMPTY_AFTER = news",
      "7: EMPTY_AFTER: the layout has no family news; expected one of pages, days"),
  ]

  @Test("families are refused with what was expected", arguments: layouts)
  func families(_ row: RefusedLayout) {
    #expect(problem(row.lines) == UserError(.configuration, "f.ini:" + row.message))
  }

  @Test("queues and events are refused with what was expected", arguments: rules)
  func queues(_ row: RefusedLayout) {
    #expect(problem(row.lines) == UserError(.configuration, "f.ini:" + row.message))
  }

  @Test("there is an end to how many")
  func limits() throws {
    let many = (0..<65).map { "f\($0) = d\($0)/{x}\n" }.joined()
    #expect(
      problem("[layout]\n" + many)?.message == "f.ini:66: f64: expected 64 families at most")
    let queues = (0..<65).map { "q\($0) = pages(t)\n" }.joined()
    #expect(
      problem(Self.pages + "[queues]\n" + queues)?.message
        == "f.ini:3: [queues]: expected 64 queues at most")
    let long = "p/" + String(repeating: "a/", count: 600) + "{x}"
    #expect(
      problem("[layout]\npages = \(long)")?.message.contains("is longer than 1024 bytes") == true)
  }
}
