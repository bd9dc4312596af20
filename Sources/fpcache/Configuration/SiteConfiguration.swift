// SPDX-License-Identifier: BSD-2-Clause
//
// The site's fp-listen.ini, read unchanged: [database] and [dirs].

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// The settings of a configuration file, with their places in it.
struct SiteConfiguration {
  /// The file's path, safe to display.
  let file: String
  /// libpq's keywords and their values.
  let database: [(String, String)]
  /// Whether a password is among them.
  let holdsPassword: Bool
  /// `BASEDIR/cache`.
  let cacheDirectory: String?
  /// Whether all mounts inside the cache belong to it.
  let crossesMounts: Bool
  let listen: ListenSettings
  let verify: VerifySettings
  let oddities: [Oddity]
  /// The templates that are set.
  private let templates: [(template: PathTemplate, value: INIValue)]
  /// The layout that the file defines itself, and its rules.
  private let own: (layout: Layout, rules: SiteRules)?
  /// The site's tables whose changes fill queues.
  let triggers: [TableTrigger]
  private let emptiedAfter: INIValue?

  /// Reads the named file, or else the first default file that exists.
  /// - Throws: ``UserError`` with status 78.
  static func load(
    named name: String?, _ files: FileReader
  ) throws(UserError) -> SiteConfiguration? {
    for path in name.map({ [$0] }) ?? Config.defaultFiles {
      if let bytes = try read(path, isNamed: name != nil, files) {
        return try SiteConfiguration(bytes, file: escape(Array(path.utf8)))
      }
    }
    return nil
  }

  private static func read(
    _ path: String, isNamed: Bool, _ files: FileReader
  ) throws(UserError) -> [UInt8]? {
    do throws(Errno) {
      return try files.read(path)
    } catch {
      if !isNamed, error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw UserError(
        .configuration,
        "\(escape(Array(path.utf8))): cannot be read: \(error); name another with --config")
    }
  }

  /// - Throws: ``UserError`` with status 78.
  init(_ bytes: [UInt8], file: String) throws(UserError) {
    self.file = file
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw UserError(.configuration, "\(file): is not UTF-8 text; save it as UTF-8")
    }
    let ini: INI
    do throws(INIError) {
      ini = try INI.parse(text, file: file)
      cacheDirectory = try ini.value("basedir", in: "dirs").map { $0.text + "/cache" }
      templates = try Self.templates(ini)
    } catch {
      throw UserError(.configuration, error.message)
    }
    crossesMounts =
      try Setting.crossMounts.value(in: ini)?.boolean(Setting.crossMounts.key) ?? false
    let section = try DatabaseSection(ini)
    (database, holdsPassword) = (section.keywords, section.holdsPassword)
    own = try Self.ownLayout(ini, templates)
    listen = try ListenSettings(ini, own?.layout ?? .freshPorts)
    triggers =
      try own.map { (own) throws(UserError) in
        try TriggersSection.read(ini, own.rules.tables)
      } ?? []
    emptiedAfter = try Setting.emptiedAfter.value(in: ini)
    let families = VerifySettings.families(of: own?.layout ?? .freshPorts)
    verify = try VerifySettings(ini, families)
    oddities = ini.oddities(Setting.all(families: families) + Setting.more(for: ini))
  }

  /// Whether the file defines its own layout.
  var hasOwnLayout: Bool { own != nil }

  private static func ownLayout(
    _ ini: INI, _ templates: [(template: PathTemplate, value: INIValue)]
  ) throws(UserError) -> (layout: Layout, rules: SiteRules)? {
    guard let layout = try LayoutSection.read(ini) else {
      try QueuesSection.refuse(ini)
      return nil
    }
    if let (template, value) = templates.first {
      throw value.problem(
        template.key,
        "sets the folder of a FreshPorts family; remove it: the file has [\(LayoutSection.name)], which "
          + "sets all folders")
    }
    return (layout, try QueuesSection.read(ini, layout))
  }

  private static func templates(
    _ ini: INI
  ) throws(INIError) -> [(template: PathTemplate, value: INIValue)] {
    var found: [(template: PathTemplate, value: INIValue)] = []
    for template in PathTemplate.all {
      if let value = try ini.value(template.key, in: "dirs") { found.append((template, value)) }
    }
    return found
  }

  /// The site's layout, and what its database asks of the cache.
  /// - Throws: ``UserError`` with status 78.
  func site(effectiveDirectory: String) throws(UserError) -> (layout: Layout, rules: SiteRules) {
    let layout = try layout(effectiveDirectory: effectiveDirectory)
    var rules = own?.rules ?? .freshPorts(layout, reports: reports(effectiveDirectory))
    if let emptiedAfter {
      var text = RuleTokens(emptiedAfter.text)
      rules.emptiedAfter =
        text.next == .end
        ? [] : try QueuesSection.families(&text, emptiedAfter, Setting.emptiedAfter.key, layout)
    }
    return (layout, rules)
  }

  /// The site's own layout, or FreshPorts' layout with this site's templates in it.
  ///
  /// Templates are absolute paths. They lie below the file's own cache directory, the default one, or the one that a
  /// flag puts in its place.
  /// - Throws: ``UserError`` with status 78.
  func layout(effectiveDirectory: String) throws(UserError) -> Layout {
    if let own { return own.layout }
    let roots = roots(effectiveDirectory)
    var layout = Layout.freshPorts
    var placed: [String: (key: String, pattern: String)] = [:]
    for (template, value) in templates {
      do throws(PathTemplate.Problem) {
        let pattern = try template.pattern(of: value.text, below: roots)
        // Two keys of one family must name the same place.
        if let other = placed[template.family], other.pattern != pattern {
          throw .apart(key: other.key)
        }
        placed[template.family] = (template.key, pattern)
        layout = try template.replace(in: layout, with: pattern)
      } catch {
        throw UserError(
          .configuration,
          "\(value.file):\(value.line): \(template.key): \(error.explanation(template))")
      }
    }
    return layout
  }

  private func roots(_ effectiveDirectory: String) -> [String] {
    [cacheDirectory, effectiveDirectory, Config.defaultCacheDirectory].compactMap { $0 }
  }

  /// The names of the report of failed commits: one from each of its keys, and the usual name where a key is not set.
  private func reports(_ effectiveDirectory: String) -> [String] {
    var names: [String] = []
    for template in PathTemplate.all where template.form == .report {
      let value = templates.first { $0.template == template }?.value
      let name =
        value.flatMap { template.report(of: $0.text, below: roots(effectiveDirectory)) }
        ?? KeyRule.Part.FreshPorts.sanityReport
      if !names.contains(name) { names.append(name) }
    }
    return names
  }
}
