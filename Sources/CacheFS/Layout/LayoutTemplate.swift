// SPDX-License-Identifier: BSD-2-Clause
//
// What a site's configuration says about a family: where it lies, and what of it is cleared. It never changes
// what a page is. A glob that matches fewer or more names than the family's own pattern becomes a separate row,
// which is read forward only.

extension Layout {
  /// This layout with one family moved to `pattern`, and cleared by that pattern.
  ///
  /// When the pattern's names could be the family's own (`{day}.{page:name}` for `{day}.daily.{branch}`), the
  /// family moves and keeps the form of its names. Any other pattern becomes the family's own form.
  /// - Throws: ``PatternProblem``.
  package func replacing(
    _ name: String, with pattern: String
  ) throws(PatternProblem) -> Layout {
    guard let own = family(named: name) else { return self }
    _ = try Pattern(pattern)
    guard let form = own.form(under: pattern) else {
      return replacing(own, by: try own.replaced(by: pattern), glob: nil)
    }
    let moved = try Family(
      name, form, shapes: own.shapes.map(\.description), clearing: own.clearing,
      isRecreated: own.isRecreated, isConfigured: true)
    let glob =
      form == pattern
      ? nil : try Family(name, pattern, shapes: own.shapes(under: pattern), clearing: own.clearing)
    return replacing(own, by: moved, glob: glob)
  }

  private func replacing(_ own: Family, by new: Family, glob: Family?) -> Layout {
    Layout(
      families.map { $0.name == own.name ? new : $0 },
      globs: globs.filter { $0.name != own.name } + (glob.map { [$0] } ?? []))
  }
}

extension Family {
  /// The family's own names in the folders of a pattern; nil when the pattern has other names than the
  /// family.
  fileprivate func form(under pattern: String) -> String? {
    let (folders, name) = pattern.splitAtLastSlash
    let last = self.pattern.description.splitAtLastSlash.name
    guard name.aroundPage != nil,
      last.isOneField ? !name.isOneField || name == last : last.remainder(under: name) != nil,
      let form = try? Pattern(folders + last),
      Set(form.fields.map(\.name)) == Set(self.pattern.fields.map(\.name))
    else { return nil }
    return folders + last
  }

  /// For each name that the family knows: the part that the `{page}` of a pattern matches.
  fileprivate func shapes(under pattern: String) -> [String] {
    let name = pattern.splitAtLastSlash.name
    let last = self.pattern.description.splitAtLastSlash.name
    let known = shapes.isEmpty ? [last] : shapes.map(\.description)
    return known.compactMap { shape in
      guard let rest = shape.remainder(under: name), let shape = try? Shape(rest),
        !shape.fields.contains(where: \.kind.spansComponents)
      else { return nil }
      return rest
    }
  }

  /// The family with another pattern. Its shapes are kept when the pattern has a `{page}`.
  /// - Throws: ``PatternProblem``.
  fileprivate func replaced(by pattern: String) throws(PatternProblem) -> Family {
    let hasPage = try Pattern(pattern).fields.contains { $0.name == "page" }
    let shapes = shapes.isEmpty ? impliedShapes : shapes
    return try Family(
      name, pattern, shapes: hasPage ? shapes.map(\.description) : [], clearing: clearing,
      isRecreated: isRecreated, isConfigured: true)
  }

  /// When the last field of the pattern is not a free page (daily's `{branch}`), it becomes a shape when a
  /// site's template has a `*` there.
  private var impliedShapes: [Shape] {
    guard let last = pattern.fields.last, last.name != "page", !last.kind.spansComponents,
      let shape = try? Shape("{\(last.name):\(last.kind.rawValue)}")
    else { return [] }
    return [shape]
  }
}

extension String {
  /// The folders with their trailing slash, and the last name.
  fileprivate var splitAtLastSlash: (folders: String, name: String) {
    let bytes = Array(utf8)
    let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return (
      String(decoding: bytes[..<start], as: UTF8.self),
      String(decoding: bytes[start...], as: UTF8.self)
    )
  }

  /// Whether it is only one field, which matches any name: `{page...}`.
  fileprivate var isOneField: Bool {
    utf8.first == UInt8(ascii: "{") && utf8.firstIndex(of: UInt8(ascii: "}")) == utf8.indices.last
  }

  /// The text before and after the field `page`; nil when there is none.
  fileprivate var aroundPage: (before: [UInt8], after: [UInt8])? {
    let bytes = Array(utf8)
    let mark = Array("{page".utf8)
    guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }),
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "}"))
    else { return nil }
    return (Array(bytes[..<start]), Array(bytes[(end + 1)...]))
  }

  /// The part of this name where `name` has its `{page}`; nil when `name` cannot match it.
  fileprivate func remainder(under name: String) -> String? {
    guard let around = name.aroundPage else { return nil }
    let bytes = Array(utf8)
    guard bytes.count > around.before.count + around.after.count,
      bytes.starts(with: around.before),
      bytes.suffix(around.after.count).elementsEqual(around.after)
    else { return nil }
    return String(
      decoding: bytes.dropFirst(around.before.count).dropLast(around.after.count), as: UTF8.self)
  }
}
