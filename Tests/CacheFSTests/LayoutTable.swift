// SPDX-License-Identifier: BSD-2-Clause
//
// Paths of the site, old and new, with odd names, and what the layout must say of each
// (docs/freshports.md, section 2); and paths that are nobody's.

import Testing

enum LayoutTable {
  struct Row: CustomTestStringConvertible, Sendable {
    let family: String
    let path: String
    let fields: [String: String]
    let hasKnownShape: Bool

    var testDescription: String { path }

    /// - Parameter fields: `name=value`, separated by spaces.
    init(_ family: String, _ path: String, _ fields: String = "", hasKnownShape: Bool = true) {
      self.family = family
      self.path = path
      self.hasKnownShape = hasKnownShape
      var values: [String: String] = [:]
      for field in fields.split(separator: " ") {
        let parts = field.split(separator: "=", omittingEmptySubsequences: false)
        values[String(parts[0])] = String(parts[1])
      }
      self.fields = values
    }
  }

  static let known = daily + ports + files + categories + commits + others + news + junk

  private static let daily = [
    Row("daily", "daily/2020/01/21.daily.head", "year=2020 month=01 day=21 branch=head"),
    Row("daily", "daily/2020/01/21.daily.2020Q1", "year=2020 month=01 day=21 branch=2020Q1"),
    // Whether there is such a day is not for the layout to say.
    Row("daily", "daily/2020/13/99.daily.head", "year=2020 month=13 day=99 branch=head"),
  ]

  private static let ports = [
    Row(
      "ports", "ports/graphics/py-pygeoapi/Detail.Part1.head.PageSize100.PageNum1.html",
      "category=graphics port=py-pygeoapi part=1 branch=head size=100 number=1"),
    Row(
      "ports", "ports/devel/libsigc++20/Detail.Part3.2020Q1.PageSize500.PageNum12.html",
      "category=devel port=libsigc++20 part=3 branch=2020Q1 size=500 number=12"),
    Row(
      "ports", "ports/print/R-cran-knitr/Detail.PageSize100.PageNum1.html",
      "category=print port=R-cran-knitr size=100 number=1"),
    Row(
      "ports", "ports/x11-toolkits/gtk+2.0/Detail.PageSize25.PageNum3.html",
      "category=x11-toolkits port=gtk+2.0 size=25 number=3"),
    Row(
      "ports", "ports/net/openmpi3/Makefile.PageSize100.PageNum1.html",
      "category=net port=openmpi3 file=Makefile size=100 number=1"),
    Row(
      "ports", "ports/net/openmpi3/files/patch-a_b.c.PageSize100.PageNum1.html",
      "category=net port=openmpi3 file=files/patch-a_b.c size=100 number=1"),
    Row(
      "ports", "ports/net/_x/.hidden.PageSize1.PageNum2.html",
      "category=net port=_x file=.hidden size=1 number=2"),
    Row(
      "ports", "ports/net/a/b.PageSize1.PageNum2.html.PageSize3.PageNum4.html",
      "category=net port=a file=b.PageSize1.PageNum2.html size=3 number=4"),
    // A part of a branch that is none is the history of a file of that name.
    Row(
      "ports", "ports/net/a/Detail.Part1.main.PageSize1.PageNum1.html",
      "category=net port=a file=Detail.Part1.main size=1 number=1"),
  ]

  private static let files = [
    Row("files", "ports/MOVED.PageSize100.PageNum1.html", "path=MOVED size=100 number=1"),
    Row(
      "files", "ports/Mk/Uses/cargo.mk.PageSize100.PageNum2.html",
      "path=Mk/Uses/cargo.mk size=100 number=2"),
    Row(
      "files", "ports/Mk/Uses/deep/er/x.PageSize100.PageNum2.html",
      "path=Mk/Uses/deep/er/x size=100 number=2"),
    Row(
      "files", "ports/net/Makefile.PageSize100.PageNum1.html",
      "path=net/Makefile size=100 number=1"),
    Row(
      "files", "ports/net/.git/config.PageSize100.PageNum1.html",
      "path=net/.git/config size=100 number=1"),
    Row("files", "ports/.x.PageSize1.PageNum1.html", "path=.x size=1 number=1"),
    // Of a branch: the row's whole path below the folder.
    Row(
      "files", "ports/ports/branches/2020Q1/MOVED.PageSize100.PageNum1.html",
      "path=ports/branches/2020Q1/MOVED size=100 number=1"),
    Row(
      "files", "ports/ports/branches/2020Q1/net/openmpi3/Makefile.PageSize100.PageNum1.html",
      "path=ports/branches/2020Q1/net/openmpi3/Makefile size=100 number=1"),
  ]

  private static let categories = [
    Row(
      "categories", "categories/x11-fonts/x11-fonts.0.head.PageSize100.PageNum1.html",
      "category=x11-fonts user=0 branch=head size=100 number=1"),
    Row(
      "categories", "categories/net-p2p/net-p2p.1234567.2019Q4.PageSize20.PageNum7.html",
      "category=net-p2p user=1234567 branch=2019Q4 size=20 number=7"),
  ]

  private static let commits = [
    Row(
      "commits", "commits/a-1-b/a-1-b.graphics.py-pygeoapi.n.html",
      "id=a-1-b category=graphics port=py-pygeoapi files=n"),
    Row("commits", "commits/a/a...y.html", "id=a category= port= files=y"),
    Row(
      "commits", "commits/-/-.devel.libsigc++20.y.html",
      "id=- category=devel port=libsigc++20 files=y"),
    Row("commits", "commits/a/a.x11.gtk+2.0.n.html", "id=a category=x11 port=gtk+2.0 files=n"),
  ]

  private static let others = [
    Row("packages", "packages/net/gtk+2.0.html", "category=net port=gtk+2.0"),
    Row("packages", "packages/net/a.html.html", "category=net port=a.html"),
    Row(
      "general", "general/sanity_test_failures.PageSize100.PageNum1.html",
      "report=sanity_test_failures size=100 number=1"),
    Row(
      "general", "general/sanity_test_failures.a-1@b.c.PageSize100.PageNum1.html",
      "report=sanity_test_failures commit=a-1@b.c size=100 number=1"),
    Row("pages", "pages/commits.html"),
    Row("pages", "pages/a/b/.c"),
    Row("html", "html/stats.html"),
    Row("spooling", "spooling/ports.net.a.tmpA1b2C3", "key=ports.net.a suffix=A1b2C3"),
    Row("spooling", "spooling/a.tmpb.tmp000000", "key=a.tmpb suffix=000000"),
    Row(
      "spooling", "spooling/ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenuA1b2C3",
      "key=ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenu suffix=A1b2C3"),
    // Sixty bytes of key, and three of the .tmp.
    Row(
      "spooling", "spooling/news-index-html-head-123456-pagesize100-pagenum12345678-html.tmA1b2C3",
      "key=news-index-html-head-123456-pagesize100-pagenum12345678-html.tm suffix=A1b2C3"),
    Row("searchlog", "searchlog.txt"),
  ]

  private static let news = [
    Row("news", "news/news.rss.head.xml", "format=rss branch=head"),
    Row("news", "news/news.rss2.0.head.xml", "format=rss2.0 branch=head"),
    Row("news", "news/news.rss0.91.2020Q1.py.xml", "format=rss0.91 branch=2020Q1 flavor=py"),
    Row("news", "news/news.123.rss2.0.head.xml", "watchlist=123 format=rss2.0 branch=head"),
    Row("news", "news/news.atom.head.py.xml", "format=atom branch=head flavor=py"),
    Row("news", "news/news.123.rss.2020Q1.xml", "watchlist=123 format=rss branch=2020Q1"),
    Row(
      "news", "news/index-html-head-pagesize100-pagenum1-html",
      "branch=head size=100 number=1"),
    Row(
      "news", "news/index-html-2020Q1-42-pagesize100-pagenum1-html",
      "branch=2020Q1 user=42 size=100 number=1"),
    // PHP lower-cases the name; the branch is the same.
    Row(
      "news", "news/index-html-2026q4-pagesize100-pagenum1-html",
      "branch=2026q4 size=100 number=1"),
    Row(
      "news", "news/index-html-2026q4-42-pagesize100-pagenum2-html",
      "branch=2026q4 user=42 size=100 number=2"),
    Row("news", "news/news.rss", "format=rss"),
  ]

  /// What goes with its folder and has no shape that anybody knows.
  private static let junk = [
    Row("ports", "ports/net/a/core", "category=net port=a", hasKnownShape: false),
    Row("ports", "ports/net/a/.nfs0001", "category=net port=a", hasKnownShape: false),
    Row("ports", "ports/net/a/files/x/y", "category=net port=a", hasKnownShape: false),
    Row(
      "ports", "ports/net/a/.PageSize1.PageNum1.html", "category=net port=a",
      hasKnownShape: false),
    Row(
      "categories", "categories/net/www.0.head.PageSize100.PageNum1.html", "category=net",
      hasKnownShape: false),
    Row(
      "categories", "categories/net/net.x.head.PageSize100.PageNum1.html", "category=net",
      hasKnownShape: false),
    Row("commits", "commits/a/b.net.x.n.html", "id=a", hasKnownShape: false),
    Row("commits", "commits/a/a.net.x.z.html", "id=a", hasKnownShape: false),
    Row("news", "news/index-html-main-pagesize1-pagenum1-html", hasKnownShape: false),
    Row("news", "news/index-html-2026q5-pagesize1-pagenum1-html", hasKnownShape: false),
    Row("news", "news/sub/.deep", hasKnownShape: false),
    Row("general", "general/a.b", "report=a", hasKnownShape: false),
  ]

  static let unknown = [
    "", "/", "x", "searchlog.txt.1", "searchlog", "/searchlog.txt", "./searchlog.txt",
    "searchlog.txt/x", "daily", "daily/2020", "daily/x", "daily/2020/01", "daily/2020/01/x",
    "daily/2020/01/21.daily.", "daily/2020/01/21.daily.main", "daily/2020/1/21.daily.head",
    "daily/20/01/21.daily.head", "daily/2020/01/1.daily.head", "daily/2020/01/21.daily.head/x",
    "daily/2020/01/21.daily.head.PageNum1", "daily/2020/01/x21.daily.head", "Daily/2020/01/x",
    "daily/2020/01/21.daily.2020Q5", "daily//2020/01/21.daily.head", "daily/../searchlog.txt",
    "ports", "ports/net", "ports/net/a", "ports/MOVED", "ports/Mk/Uses/cargo.mk",
    "ports/Mk/a/b", "ports/Net/a/Detail.html", "ports/net/.a/core", "ports/net/a@b/x",
    "ports/net/a/../b", "ports/net/a/", "ports/net//a/x", "ports/.PageSize1.PageNum1.html",
    "categories", "categories/net", "categories/Net/x", "categories/.x/y",
    "commits/a", "commits/A/x", "commits/a_b/x", "packages/net", "packages/net/a",
    "packages/net/a.htm", "packages/net/.html", "packages/net/.a.html", "packages/net/a/b.html",
    "packages/Net/a.html", "news", "news/.hidden", "news/.d/x", "general/x", "general/.x",
    "general/a.b/c", "general/a b.c", "spooling/x", "spooling/.tmpA1b2C3", "spooling/a.tmpA1b2C",
    "spooling/a.tmpA1b2C3x",
    "spooling/ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenA1b2C3",
    "spooling/ports-graphics-py-pygeoapi-detail.part1-head-pagesize100-pagenuA1b2C3",
    "spooling/Ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenuA1b2C3",
    "spooling/a/b.tmpA1b2C3", "cache/news/x", "new/news.rss.head.xml",
    "news/../ports/x", "pages/./x", "pages/a//b", "pages/a\0b",
  ]
}
