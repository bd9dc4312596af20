// SPDX-License-Identifier: BSD-2-Clause
//
// The table of the FreshPorts cache (docs/freshports.md, section 2) and the keys its site uses.

extension Layout {
  /// The tree of FreshPorts, including old shapes.
  package static let freshPorts: Layout = {
    let table: [(name: String, pattern: String, shapes: [String], clearing: Family.Clearing)] = [
      ("daily", "daily/{year}/{month}/{day}.daily.{branch}", [], .everything),
      (
        "ports", "ports/{category}/{port}/{page...}",
        [
          "Detail.Part{part:number}.{branch}.PageSize{size:number}.PageNum{number}.html",
          "Detail.PageSize{size:number}.PageNum{number}.html",  // before 2022
          "{file...}.PageSize{size:number}.PageNum{number}.html",
        ], .everything
      ),
      (
        "files", "ports/{page:tree-path...}",
        ["{path...}.PageSize{size:number}.PageNum{number}.html"], .knownShapes
      ),
      (
        "categories", "categories/{category}/{page...}",
        ["{category}.{user:number}.{branch}.PageSize{size:number}.PageNum{number}.html"],
        .everything
      ),
      (
        "commits", "commits/{id}/{page...}",
        ["{id}.{category:word?}.{port:port?}.{files:flag}.html"], .everything
      ),
      ("packages", "packages/{category}/{port}.html", [], .everything),
      (
        "news", "news/{page:visible...}",
        [
          "news.{format}",
          "news.{format}.{branch}.xml",
          "news.{format}.{branch}.{flavor}.xml",
          "news.{watchlist}.{format}.{branch}.xml",
          "index-html-{branch}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch}-{user:number}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch:lowerbranch}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch:lowerbranch}-{user:number}-pagesize{size:number}-pagenum{number}-html",
        ], .everything
      ),
      (
        "general", "general/{report}.{page:name}",
        [
          "PageSize{size:number}.PageNum{number}.html",
          "{commit:name}.PageSize{size:number}.PageNum{number}.html",
        ], .everything
      ),
      ("pages", "pages/{page...}", [], .everything),
      ("html", "html/{page...}", [], .everything),
      (
        "spooling", "spooling/{page:name}",
        [
          "{key:name}.tmp{suffix}",
          "{key:cutkey}{suffix}",  // tempnam has cut the .tmp of a long key
        ], .knownShapes
      ),
      ("searchlog", "searchlog.txt", [], .never),
    ]
    return Layout(
      table.map { row in
        do throws(PatternProblem) {
          return try Family(
            row.name, row.pattern, shapes: row.shapes, clearing: row.clearing,
            isRecreated: !writtenByOthers.contains(row.name))
        } catch {
          // The table is a constant in this file; LayoutTests compiles every row.
          preconditionFailure("family \(row.name): \(error)")
        }
      })
  }()

  /// Families whose pages are made by a deploy or by cron, not by visitors.
  private static let writtenByOthers = ["pages", "html", "searchlog"]

  /// The index of the family of pages that are being written; nil when the layout has none.
  package var spool: Int? { families.firstIndex { $0.name == "spooling" } }
}
