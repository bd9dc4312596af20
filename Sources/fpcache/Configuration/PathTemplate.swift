// SPDX-License-Identifier: BSD-2-Clause
//
// The path templates of fp-listen.ini: `%s` for each field in order and one `*`. They are turned into a pattern of the
// layout, by which a family's pages are cleared.

import Basics
import CacheFS

/// A key of [dirs] that sets where a family lies, and what of it is cleared.
struct PathTemplate: Equatable {
  /// How a value becomes a pattern.
  enum Form: Equatable {
    /// A glob; where it ends in a folder, everything in that folder.
    case glob
    /// A folder, and everything in it.
    case folder
    /// A folder, a path that begins with a slash, and the beginning of the text after the path.
    case path
    /// A folder, and a report's name followed by a dot.
    case report
  }

  let key: String
  let family: String
  /// What each `%s` stands for.
  let fields: [String]
  let form: Form
  /// The pattern for a `*` that is the whole last component.
  let rest: String

  static let all = [
    PathTemplate("PORT_CACHE_PATH", "ports", ["category", "port"]),
    PathTemplate("CATEGORY_CACHE_PATH", "categories", ["category"]),
    PathTemplate("DATE_CACHE_PATH", "daily", ["year", "month", "day"]),
    PathTemplate("NEWS_CACHE_DIR", "news", [], .folder, rest: "{page:visible...}"),
    PathTemplate("COMMIT_CACHE_PATH", "commits", ["id"], .folder),
    PathTemplate("FILE_CACHE_PATH", "files", ["path"], .path),
    PathTemplate("SANITY_CACHE_PATH", "general", ["commit"], .report),
    PathTemplate("SANITY_MAIN_CACHE_PATH", "general", [], .report),
  ]

  private init(
    _ key: String, _ family: String, _ fields: [String], _ form: Form = .glob,
    rest: String = "{page...}"
  ) {
    self.key = key
    self.family = family
    self.fields = fields
    self.form = form
    self.rest = rest
  }

  /// Why a template cannot be used.
  enum Problem: Error, Equatable {
    case empty
    case outside(String)
    case noFolder
    case taken(family: String)
    case fieldCount(Int)
    case misplacedStar
    case glob(Character)
    case pattern(PatternProblem)
    case noFileForm
    case noReportForm
    case apart(key: String)
  }

  /// The pattern, relative to the cache directory.
  /// - Throws: ``Problem``.
  func pattern(of text: String, below roots: [String]) throws(Problem) -> String {
    for character in "?[]{}" where text.contains(character) { throw .glob(character) }
    var components = try relativeComponents(of: text, below: roots)
    let endsInFolder = form == .folder || (form == .glob && text.unicodeScalars.last == "/")
    if endsInFolder, components.last?.contains("*") != true {
      components.append("*")
    }
    if form == .path { components = try Self.splitBeforePath(components) }
    // A family that began at the cache directory itself would own the pages of the other families.
    guard let folder = components.first, components.count > 1, !folder.contains("*"),
      !folder.contains("%s")
    else { throw .noFolder }
    let count = components.reduce(0) { $0 + $1.split(on: "%s").count - 1 }
    guard count == fields.count else { throw .fieldCount(count) }
    guard components.dropLast().allSatisfy({ !$0.contains("*") }),
      components.last.map({ $0.split(on: "*").count <= 2 }) ?? false
    else { throw .misplacedStar }
    switch form {
    case .path: return try pathPattern(components)
    case .report:
      guard Self.report(in: components) != nil else { throw .noReportForm }
      return (components.dropLast() + ["{report}.{page:name}"]).joined(separator: "/")
    case .glob, .folder: return globPattern(components)
    }
  }

  private func globPattern(_ components: [String]) -> String {
    var names = fields[...]
    return components.map { component in
      if component == "*" { return rest }
      let pieces = component.split(on: "%s")
      let bound = pieces.dropFirst().reduce(pieces.first ?? "") { text, piece in
        text + "{\(names.popFirst() ?? "")}" + piece
      }
      return bound.split(on: "*").joined(separator: "{page:name}")
    }.joined(separator: "/")
  }

  /// Separates the folder from a path that follows it in the same component: `ports%s.PageSize*`.
  private static func splitBeforePath(_ components: [String]) throws(Problem) -> [String] {
    guard let last = components.last else { return components }
    let pieces = last.split(on: "%s")
    guard pieces.count > 1, let folder = pieces.first, !folder.isEmpty else { return components }
    return components.dropLast() + [folder, String(last.dropFirst(folder.count))]
  }

  /// The histories of files are recognized by the text after the path; any beginning of that text is enough.
  private func pathPattern(_ components: [String]) throws(Problem) -> String {
    guard let name = components.last, name.hasPrefix("%s"), name.hasSuffix("*"),
      !components.dropLast().contains(where: { $0.contains("%s") }),
      case let behind = name.dropFirst(2).dropLast(), !behind.isEmpty,
      ".PageSize".hasPrefix(behind)
    else { throw .noFileForm }
    return (components.dropLast() + ["{page...}"]).joined(separator: "/")
  }

  /// The name of the report in the last component, if a dot and only globs follow it.
  private static func report(in components: [String]) -> String? {
    guard let last = components.last, last.hasSuffix("*"),
      let name = last.split(separator: ".", omittingEmptySubsequences: false).first,
      name.count < last.count, FieldKind.word.accepts(text: String(name)),
      !components.dropLast().contains(where: { $0.contains("%s") })
    else { return nil }
    return String(name)
  }

  /// The report that the template's value names.
  func report(of text: String, below roots: [String]) -> String? {
    guard form == .report else { return nil }
    return (try? relativeComponents(of: text, below: roots)).flatMap(Self.report)
  }

  /// Removes the root, by components, so that `/a/cachet` is not below `/a/cache`.
  private func relativeComponents(
    of text: String, below roots: [String]
  ) throws(Problem) -> [String] {
    guard !text.isEmpty else { throw .empty }
    let components = Self.components(text)
    guard !components.contains("..") else { throw .outside(roots.first ?? "") }
    guard text.unicodeScalars.first == "/" else { return components }
    for root in roots {
      let above = Self.components(root)
      if components.count > above.count, components.starts(with: above) {
        return Array(components.dropFirst(above.count))
      }
    }
    throw .outside(roots.first ?? "")
  }

  private static func components(_ path: String) -> [String] {
    // Split by scalars: a combining mark and a slash together make one character.
    path.unicodeScalars.split(separator: "/").map(String.init).filter { $0 != "." }
  }

  /// - Throws: ``Problem/pattern(_:)``, or ``Problem/taken(family:)`` for a folder of another family, whose pages would
  ///   be cleared instead.
  func replace(in layout: Layout, with pattern: String) throws(Problem) -> Layout {
    let folder = pattern.prefix { $0 != "/" } + "/"
    // Families that have always shared a folder (ports and files) may still do so.
    let own = Layout.freshPorts.family(named: family)?.pattern.description.hasPrefix(folder)
    let sharer = family == "files" ? "ports" : family
    if own != true,
      let other = layout.families.first(where: {
        $0.name != family && $0.name != sharer && $0.pattern.description.hasPrefix(folder)
      })
    {
      throw .taken(family: other.name)
    }
    do throws(PatternProblem) {
      return try layout.replacing(family, with: form == .path ? beside(pattern, layout) : pattern)
    } catch {
      throw .pattern(error)
    }
  }

  /// The pattern of files in the folder of the ports, where everything below a port belongs to the port.
  private func beside(_ pattern: String, _ layout: Layout) -> String {
    let folder = pattern.dropLast("{page...}".count)
    let ports = layout.family(named: "ports")?.pattern.description
    return ports?.hasPrefix(folder + "{") == true ? folder + "{page:tree-path...}" : pattern
  }
}

extension PathTemplate.Problem {
  /// What is wrong and what was expected, for the user who wrote the file.
  func explanation(_ template: PathTemplate) -> String {
    let family = template.family
    let fields = template.fields.map { "%%s (\($0))" }.joined(separator: ", ")
    switch self {
    case .empty: return "is empty; write a path below the cache directory, or remove the key"
    case .outside(let root):
      return "is outside the cache directory; expected a path below \(root)"
    case .noFolder:
      return "has no folder of its own; write one below the cache directory, such as \(family)"
    case .taken(let other):
      return "is in the folder of \(other); write another one, such as \(family)"
    case .fieldCount(let count):
      return "has \(count) %%s; expected \(template.fields.count)"
        + (fields.isEmpty ? "" : ": " + fields)
    case .misplacedStar:
      return "has more than one *, or one before the last /; expected one at most"
    case .glob(let character):
      return "holds \(character); expected a path of plain names, %%s and *"
    case .noFileForm:
      return "is not a path of a file's pages; expected a folder, %%s and .PageSize*, such as "
        + "ports%%s.PageSize*"
    case .noReportForm:
      return "is not the name of a report; expected a folder, a name, a dot and globs, such as "
        + "general/sanity_test_failures" + (template.fields.isEmpty ? ".PageSize*" : ".%%s.*")
    case .apart(let key): return "is in another folder than \(key); expected the same"
    case .pattern: return "cannot be told apart into its fields; expected text between two %%s"
    }
  }
}

extension String {
  /// The pieces between each occurrence of `separator`, empty ones too.
  fileprivate func split(on separator: String) -> [String] {
    var pieces: [String] = []
    var piece = ""
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(separator) {
        pieces.append(piece)
        piece = ""
        rest = rest.dropFirst(separator.count)
      } else {
        piece.append(rest.removeFirst())
      }
    }
    return pieces + [piece]
  }
}
