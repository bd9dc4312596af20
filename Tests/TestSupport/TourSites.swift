// SPDX-License-Identifier: BSD-2-Clause
//
// The sites of the documents' tours: a cache of a few files, and the cache of the incident. All ages are in the middle
// of the unit that they are shown in, so that a capture says the same tomorrow as today.

import Foundation

/// A cache of 29 files, of every family.
enum SmallCache {
  /// Path, size and age in hours.
  private static let pages: [(path: String, bytes: Int, hours: Int)] = [
    ("daily/2020/01/19.daily.head", 31_204, 26), ("daily/2020/01/20.daily.head", 31_122, 26),
    ("daily/2020/01/21.daily.head", 40_391, 26), ("daily/2020/01/21.daily.2020Q1", 70, 26),
    ("ports/graphics/py-pygeoapi/Detail.Part1.head.PageSize100.PageNum1.html", 21_313, 28),
    ("ports/graphics/py-pygeoapi/Detail.Part2.head.PageSize100.PageNum1.html", 9_140, 28),
    ("ports/graphics/py-pygeoapi/Detail.Part3.head.PageSize100.PageNum1.html", 12_811, 28),
    ("ports/graphics/py-pygeoapi/Detail.Part1.2020Q1.PageSize100.PageNum1.html", 4_420, 28),
    ("ports/graphics/gimp/Detail.Part1.head.PageSize100.PageNum1.html", 24_018, 29),
    ("ports/graphics/gimp/Detail.Part2.head.PageSize100.PageNum1.html", 11_306, 29),
    ("ports/graphics/gimp/Detail.Part3.head.PageSize100.PageNum1.html", 12_775, 29),
    ("ports/lang/python37/Detail.Part1.head.PageSize100.PageNum1.html", 30_215, 27),
    ("ports/lang/python37/Detail.Part2.head.PageSize100.PageNum1.html", 8_001, 27),
    ("ports/lang/python37/Detail.Part3.head.PageSize100.PageNum1.html", 13_106, 27),
    ("ports/x11-wm/i3/Detail.Part1.head.PageSize100.PageNum1.html", 18_226, 30),
    ("ports/x11-wm/dwm/Detail.Part1.head.PageSize100.PageNum1.html", 16_108, 30),
    ("ports/MOVED.PageSize100.PageNum1.html", 50_871, 31),
    ("categories/graphics/graphics.0.head.PageSize100.PageNum1.html", 17_322, 26),
    ("categories/lang/lang.0.head.PageSize100.PageNum1.html", 17_322, 26),
    ("categories/x11-wm/x11-wm.0.head.PageSize100.PageNum1.html", 15_004, 26),
    ("commits/\(commit)/\(commit).graphics.gimp.n.html", 9_017, 33),
    ("packages/graphics/gimp.html", 5_100, 35), ("packages/lang/python37.html", 5_320, 35),
    ("news/news.rss2.0.head.xml", 21_080, 25),
    ("news/index-html-head-pagesize100-pagenum1-html", 31_960, 25),
    ("general/sanity_test_failures.PageSize100.PageNum1.html", 2_044, 40),
    ("pages/commits.html", 3_000, 130), ("html/stats.html", 7_000, 25),
    ("searchlog.txt", 81_234, 24),
  ]

  private static let commit = AuditedSite.folder(ofCommit: messageID)
  private static let messageID = "202001211200.00LC00ab000001@Repo.FreeBSD.org"

  static func fill(_ folder: TemporaryTree) throws {
    for name in AuditedSite.folders { try folder.makeDirectory("cache/" + name) }
    for page in pages {
      try folder.write("cache/" + page.path, bytes: page.bytes)
      try folder.setAge("cache/" + page.path, .seconds(page.hours * 3600 + 1800))
    }
  }

  /// Fills the site's tables, and the queues as if nothing had listened for two days.
  static func queue(in database: TestDatabase) throws {
    try database.sql(
      """
      INSERT INTO categories (name) VALUES ('graphics'), ('lang'), ('x11-wm');
      INSERT INTO ports (category_id, name) VALUES
        (1, 'py-pygeoapi'), (1, 'gimp'), (2, 'python37'), (3, 'i3'), (3, 'dwm');
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added) VALUES
        (1, 'graphics', 'py-pygeoapi', now() - interval '50 hours'),
        (3, 'lang', 'python37', now() - interval '4.5 hours');
      INSERT INTO cache_clearing_dates (date_to_clear, date_added) VALUES
        ('2020-01-21', now() - interval '49 hours'), (NULL, now() - interval '30.5 hours');
      """)
  }

  /// Fills a database of FreshPorts' schema. The content of the pages was last changed before they were written; no
  /// row waits.
  static func tell(_ database: TestDatabase) throws {
    try database.makeFreshPorts()
    try database.sql(
      """
      INSERT INTO categories (name) VALUES ('graphics'), ('lang'), ('x11-wm');
      INSERT INTO element (name) VALUES
        ('py-pygeoapi'), ('gimp'), ('python37'), ('i3'), ('dwm');
      INSERT INTO commit_log (message_id, commit_date, date_added)
        VALUES ('\(messageID)', '2020-01-21 12:00Z', now() - interval '80 hours');
      INSERT INTO ports (category_id, element_id, last_commit_id) VALUES
        (1, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (3, 5, 1);
      INSERT INTO packages_last_checked VALUES (1, 'latest', now(), now() - interval '80 hours');
      INSERT INTO element (name, directory_file_flag) VALUES ('MOVED', 'F');
      INSERT INTO element_pathname VALUES (6, '/ports/head/MOVED');
      INSERT INTO commit_log_elements (commit_log_id, element_id) VALUES (1, 6);
      """)
  }

  /// Copies the completion scripts, and makes a home for the user of the shell.
  static func copyCompletions(_ folder: TemporaryTree) throws {
    try folder.makeDirectory("home")
    for name in ["fpcache.bash", "_fpcache", "fpcache.fish"] {
      let path = Document.root.appendingPathComponent("completions/" + name)
      try folder.write(
        "completions/" + name, text: String(contentsOf: path, encoding: .utf8), mode: 0o644)
    }
  }
}

/// A wiki, with the layout that docs/writing-a-layout.md builds.
enum WikiTour {
  /// The wiki's own table, from which its pages are rendered.
  private static let wiki = """
    CREATE SCHEMA wiki;
    CREATE TABLE wiki.page (ns text, title text, changed timestamptz DEFAULT now());
    INSERT INTO wiki.page (ns, title) VALUES ('Main', 'Home'), ('Help', 'Home'), ('Help', 'Größe');
    GRANT USAGE ON SCHEMA wiki TO listening;
    GRANT SELECT ON wiki.page TO listening;
    """

  /// - Parameter isNew: whether the configuration and the queue do not exist yet.
  static func fill(_ folder: TemporaryTree, _ database: TestDatabase, isNew: Bool) throws {
    for (index, page) in (WikiSite.pages + ["robots.txt", "wiki/README"]).enumerated() {
      try folder.write("cache/" + page, bytes: 2_000 + index * 7_919 % 9_000)
      try folder.setAge("cache/" + page, .seconds((26 + index) * 3600 + 1800))
    }
    try folder.makeDirectory("etc", mode: 0o755)
    guard isNew else {
      try database.sql(WikiSite.schema.replacing("CREATE SCHEMA wiki;", with: wiki))
      try folder.write(
        "etc/fpcache.ini", text: "[dirs]\nBASEDIR = \(folder.path)\n" + WikiSite.sections)
      return
    }
    try database.sql(
      """
      SET client_min_messages = warning;
      DROP TABLE listen_for, cache_clearing_ports, cache_clearing_dates, cache_clearing_commits,
        cache_clearing_files CASCADE;
      \(wiki)
      """)
  }
}

/// A shop without a trigger, which docs/recheck.md builds: two pages, and none of fpcache's own tables.
enum ShopTour {
  static func fill(_ folder: TemporaryTree, _ database: TestDatabase) throws {
    for page in ["anvil", "rope"] {
      try folder.write("cache/products/\(page).html", bytes: 2_000)
      // Rendered after the last change of the products.
      try folder.setAge("cache/products/\(page).html", .seconds(25 * 3600))
    }
    try folder.makeDirectory("etc", mode: 0o755)
    try database.sql(
      """
      SET client_min_messages = warning;
      DROP TABLE IF EXISTS listen_for, cache_clearing_ports, cache_clearing_dates,
        cache_clearing_commits, cache_clearing_files CASCADE;
      """)
  }
}

/// A map's tiles by path, and a list of the tiles that osm2pgsql has expired.
enum TileTour {
  static let layout = "tiles = tiles/{z:number}/{x:number}/{y:number}.png"
  /// As `--expire-tiles` and `--expire-output` write it.
  static let expired = "14/8802/5373\n14/8802/5374\n13/4401/2686\n14/8803/5373\n"

  static func fill(_ folder: TemporaryTree) throws {
    let tiles = ["14/8802/5373", "14/8802/5374", "14/8802/5375", "14/8803/5374", "13/4401/2686"]
    for (index, tile) in tiles.enumerated() {
      try folder.write("cache/tiles/\(tile).png", bytes: 4_000 + index * 1_000)
      try folder.setAge("cache/tiles/\(tile).png", .seconds((26 + index) * 3600 + 1800))
    }
    try folder.write("expire.list", text: expired, mode: 0o644)
    try folder.write(
      "etc/fpcache.ini", text: "[dirs]\nBASEDIR = \(folder.path)\n[layout]\n\(layout)\n",
      mode: 0o644)
  }
}

/// The two days without a listener, in full.
enum IncidentSite {
  static func fill(_ folder: TemporaryTree, _ database: TestDatabase) throws {
    let incident = try IncidentTree()
    for (index, page) in (incident.stalePages + incident.bystanders).enumerated() {
      try incident.tree.setAge(page, .seconds(days(index) * 86_400 + 43_200))
    }
    for name in AuditedSite.folders { try incident.tree.makeDirectory(name) }
    // Files that a person left there.
    for (path, bytes, days) in [("backup.tar", 2_097_152, 1200), ("daily/README", 1200, 30)] {
      try incident.tree.write(path, bytes: bytes)
      try incident.tree.setAge(path, .seconds(days * 86_400 + 43_200))
    }
    try incident.queue(in: database)
    try database.sql(
      """
      UPDATE cache_clearing_ports
        SET date_added = now() - interval '50 hours' + (id - 1) * interval '7.8 seconds';
      UPDATE cache_clearing_dates
        SET date_added = now() - interval '49 hours' + (id - 1) * interval '9 minutes';
      """)
    guard rename(incident.tree.path, folder.fullPath("cache")) == 0 else {
      throw SupportError.system("rename", incident.tree.path)
    }
  }

  /// Most pages are days old, and some are months old.
  private static func days(_ index: Int) -> Int {
    switch index * 7919 % 1000 {
    case ..<180: 2 + index % 5
    case ..<670: 7 + index % 23
    case ..<970: 30 + index % 60
    default: 90 + index % 187
    }
  }
}

/// A monitor's host: there is no cache, and the role `reporting` may read the tables of the site.
enum MonitorTour {
  /// Roles belong to the server, so the role may exist already. Grants belong to the database, except for the
  /// membership.
  static func prepare(_ folder: TemporaryTree, _ database: TestDatabase) throws {
    // The listener's cache, at a path where a command of this site does not look for one.
    try folder.makeDirectory("elsewhere")
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      DO $$ BEGIN CREATE ROLE reporting LOGIN;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
      GRANT SELECT ON listen_for, cache_clearing_ports, cache_clearing_dates, cache_clearing_commits,
        cache_clearing_files TO reporting;
      GRANT pg_read_all_stats TO reporting;
      """)
  }
}
