// SPDX-License-Identifier: BSD-2-Clause
//
// What must hold for any bytes whatever, one case for each reader of outside input. `make fuzz`
// feeds them what libFuzzer thinks of; FuzzCorpusTests what it thought of and was kept.

import Logging

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

/// A reader of outside input.
enum FuzzTarget: String, CaseIterable, Sendable {
  case ini, pattern, name, date, port, row, settle, json, prometheus, secret, head

  /// What does not hold for these bytes; nil when all does. A trap is for the caller to notice.
  func problem(with bytes: [UInt8]) -> String? {
    do {
      switch self {
      case .ini: try Self.checkINI(bytes)
      case .pattern: try Self.checkPattern(bytes)
      case .name: try Self.checkName(bytes)
      case .date: try Self.checkDate(bytes)
      case .port: try Self.checkPort(bytes)
      case .row: try Self.checkRow(bytes)
      case .settle: try Self.checkSettle(bytes)
      case .json: try Self.checkJSON(bytes)
      case .prometheus: try Self.checkPrometheus(bytes)
      case .secret: try Self.checkSecret(bytes)
      case .head: try Self.checkHead(bytes)
      }
      return nil
    } catch {
      return error.what
    }
  }

  /// A property that does not hold.
  private struct Broken: Error {
    let what: String
  }

  private static func require(
    _ holds: Bool, _ what: @autoclosure () -> String
  ) throws(Broken) {
    if !holds { throw Broken(what: what()) }
  }

  // MARK: Configuration

  private static func checkINI(_ bytes: [UInt8]) throws(Broken) {
    _ = try? SiteConfiguration(bytes, file: "f").site(effectiveDirectory: "/cache")
    guard let ini = try? INI.parse(String(decoding: bytes, as: UTF8.self), file: "f") else {
      return
    }
    for section in ini.sections {
      var written = "[\(section)]\n"
      var values: [(key: String, text: String)] = []
      for key in ini.keys(in: section) {
        guard let value = try? ini.value(key, in: section), isPlain(value.text),
          isPlain(key), !key.contains("="), !key.contains(":"), !key.hasPrefix("[")
        else { continue }
        written +=
          "\(key) = \(value.text.unicodeScalars.map { $0 == "%" ? "%%" : String($0) }.joined())\n"
        values.append((key, value.text))
      }
      guard isPlain(section), !values.isEmpty else { continue }
      let again = try? INI.parse(written, file: "f")
      for (key, text) in values {
        let read = try? again?.value(key, in: section)?.text
        try require(read.map { $0 == text } ?? false, "\(section).\(key) does not come back")
      }
    }
  }

  /// Whether a line can hold the text as it stands: no line's end, nothing that reading trims.
  private static func isPlain(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, let last = scalars.last else { return false }
    let isTrimmed = [first, last].contains {
      $0.properties.isWhitespace || (0x1C...0x1F).contains($0.value)
    }
    return !isTrimmed && !scalars.contains { "\n\r\0".unicodeScalars.contains($0) }
      && !"'\"#;\u{FEFF}".unicodeScalars.contains(first)
  }

  // MARK: Cache files of nginx

  /// The first byte says how much of the file is there, the rest is its beginning.
  private static func checkHead(_ bytes: [UInt8]) throws(Broken) {
    let file = Array(bytes.dropFirst())
    let reading = file.withUnsafeBytes { NginxHead.read($0) }
    guard case .head(let head) = reading else { return }
    try require(head.key.upperBound == head.headerStart - 1, "the key does not end at its line")
    try require(
      head.headerStart <= head.bodyStart && head.bodyStart <= NginxHead.longest,
      "starts in disorder")
    try require(head.variant?.count ?? 16 == 16, "a variant of another size")
    // Whatever of a longer head is there, the fields are the same and the key is its beginning.
    let whole = file + [UInt8](repeating: 0x6B, count: max(0, head.headerStart - file.count))
    let cut = max(336, min(whole.count, Int(bytes.first ?? 0) * 4))
    let less = whole.prefix(cut).withUnsafeBytes { NginxHead.read($0) }
    try require(less == reading, "the head depends on what stands behind it")
    let key = Array(whole[head.key])
    let beginning = Array(key.prefix(key.count / 2))
    for text in [key, beginning + [KeyGlob.star]] where FieldKind.nginxKey.accepts(text) {
      let matches = KeyGlob(text).map { glob in key.withUnsafeBufferPointer { glob.matches($0) } }
      try require(matches ?? true, "a key is not of its own pattern")
    }
  }

  // MARK: Layout

  /// The first line is a pattern, the second a shape, the rest a path.
  private static func checkPattern(_ bytes: [UInt8]) throws(Broken) {
    let lines = bytes.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
      .map(Array.init)
    guard lines.count == 3, let pattern = String(validating: lines[0], as: UTF8.self) else {
      return
    }
    let shape = String(decoding: lines[1], as: UTF8.self)
    let family =
      (try? Family("f", pattern, shapes: shape.isEmpty ? [] : [shape]))
      ?? (try? Family("f", pattern))
    guard let family else { return }
    let layout = Layout([family])
    var matcher = Matcher(layout)
    let path = CachePath(lines[2])
    let classification = matcher.classify(path)
    let fields = matcher.fields(of: path)
    guard classification.family != nil else {
      return try require(fields.isEmpty, "fields of what does not match")
    }
    let components = lines[2].split(separator: 0x2F, omittingEmptySubsequences: false)
    try require(components.allSatisfy { FieldKind.name.accepts($0) }, "an unsafe path matches")
    // A field that one name holds twice, in its pattern or its shape, has no one value.
    let names =
      family.pattern.components.flatMap(\.fields).map(\.name)
      + Set(family.shapes.flatMap(\.fields).map(\.name))
    guard Set(names).count == names.count else { return }
    let values = fields.map { (field: $0.key, value: $0.value) }.sorted { $0.field < $1.field }
    guard let key = try? layout.key("f", values) else {
      throw Broken(what: "the fields of a path make no key")
    }
    let text = layout.text(of: key)
    try require((try? layout.key(text: text)) == key, "the key does not come back from its text")
    let rendered = family.pattern.components.map { $0.render { fields[$0.name] } ?? [] }
    try require(
      Array(rendered.joined(separator: [0x2F])) == lines[2], "rendered otherwise than matched")
  }

  /// A path below the cache directory, of the site's own layout.
  private static func checkName(_ bytes: [UInt8]) throws(Broken) {
    let text = escape(bytes)
    try require(unescape(text) == bytes, "does not come back from \(text)")
    try require(
      text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
      "a control character in \(text)")
    let asText = String(decoding: bytes, as: UTF8.self)
    if let back = unescape(asText) {
      try require(escape(back).utf8.elementsEqual(asText.utf8), "two texts for one value")
    }
    var matcher = Matcher(.freshPorts)
    let path = CachePath(bytes)
    let fields = matcher.fields(of: path)
    guard let index = matcher.classify(path).family else { return }
    let family = Layout.freshPorts.families[index]
    let parts = bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
    try require(
      parts.allSatisfy {
        !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
      },
      "an unsafe path is of \(family.name)")
    guard family.clearing != .never else { return }
    let values = fields.map { (field: $0.key, value: $0.value) }
    try require((try? Layout.freshPorts.key(family.name, values)) != nil, "its fields make no key")
  }

  // MARK: Keys

  private static func checkDate(_ bytes: [UInt8]) throws(Broken) {
    guard let date = try? DateArgument(bytes, today: .epoch) else { return }
    guard let keys = try? date.keys(.freshPorts) else { throw Broken(what: "no keys") }
    try require(!keys.isEmpty && keys.count < 20_200, "\(keys.count) keys")
    func shown(_ year: Int, _ month: Int) -> String {
      "\(CalendarDate(year: year, month: month, day: 1) ?? .epoch)"
    }
    let given = String(decoding: bytes, as: UTF8.self)
    let text: String
    switch date {
    case .day(let day): text = "\(day)"
    case .month(let year, let month): text = String(shown(year, month).dropLast(3))
    case .year(let year): text = String(shown(year, 1).prefix(4))
    case .range(let first, let last):
      // An end may be a month or a year: its first or last day is meant.
      let ends = given.split(separator: ".").map(\.count)
      text = "\("\(first)".prefix(ends.first ?? 0))..\("\(last)".prefix(ends.last ?? 0))"
      try require(ends.allSatisfy([4, 7, 10].contains), "read as \(first)..\(last)")
    }
    let isWord = ["today", "yesterday"].contains(given)
    try require(isWord || Array(text.utf8) == bytes, "read as \(text)")
  }

  private static func checkPort(_ bytes: [UInt8]) throws(Broken) {
    var keys: PortKeys?
    let request = try? ClearPort.request(bytes, .freshPorts, &keys, withCategory: true)
    for key in (request?.keys ?? []) + (request?.companions ?? []) {
      try checkKey(key)
    }
    guard let request, !request.isBroad else { return }
    try require(
      bytes.count { $0 == 0x2F } == 1 && !bytes.contains(0) && !bytes.starts(with: [0x2E]),
      "is taken for a port")
    let text = request.keys.map(Layout.freshPorts.text(of:)).joined()
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: "/")
    try require(text == "ports\tcategory=\(parts[0])\tport=\(parts[1])", "is taken for \(text)")
  }

  /// The same bytes as a row of each queue: its columns are parted by a NUL.
  private static func checkRow(_ bytes: [UInt8]) throws(Broken) {
    let columns = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      .map(Array.init)
    columns.first?.withUnsafeBytes { place in
      columns.last?.withUnsafeBytes { writer in
        _ = QueueRow.Version(place, writer, table: 1, file: nil)
      }
    }
    var reader = RowReader(.freshPorts(.freshPorts))
    for table in QueueTable.all {
      for key in (try? reader.pages(QueueRow(table, key: columns))) ?? [] { try checkKey(key) }
    }
  }

  private static func checkKey(_ key: CacheKey) throws(Broken) {
    let text = Layout.freshPorts.text(of: key)
    try require((try? Layout.freshPorts.key(text: text)) == key, "\(text) does not come back")
    try require(!text.contains("\n"), "a line's end in \(text)")
  }

  // MARK: Files of ours

  private static func checkSettle(_ bytes: [UInt8]) throws(Broken) {
    let log = MemorySettleLog()
    log.append(bytes)
    let settle = Settle(
      .seconds(1), log, layout: .freshPorts, Logger(label: "f") { _ in SwiftLogNoOpLogHandler() },
      now: { 1_000_000 })
    var turns = 0
    var cleared: [CacheKey] = []
    while settle.waiting > 0 {
      let left = settle.run { cleared += $0 }
      if let left, left > .zero { break }
      turns += 1
      try require(turns <= bytes.count + 2, "does not come to an end")
    }
    for key in cleared { try checkKey(key) }
    if settle.waiting == 0 {
      let key = (try? Layout.freshPorts.all(of: "news")).map { [$0] } ?? []
      settle.add(key)
      try require(settle.waiting == key.count, "a torn line swallows the next")
    }
  }

  private static func checkJSON(_ bytes: [UInt8]) throws(Broken) {
    for text in [String(decoding: bytes, as: UTF8.self), escape(bytes)] {
      let document = JSON.object([(text, .array([.string(text), .null]))]).text
      try require(
        document.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
        "a control character in \(document)")
      let written = document.dropFirst()
      guard let end = endOfString(written), let back = jsonString(written[..<end]) else {
        throw Broken(what: "no string: \(document)")
      }
      try require(
        Array(back.utf8) == Array(text.utf8), "comes back as \(back) from \(document)")
      try require(
        Array(document[end...].utf8) == Array((":[" + written[..<end] + ",null]}").utf8),
        "is not one document: \(document)")
    }
  }

  /// Where the JSON string ends that `text` begins with.
  private static func endOfString(_ text: Substring) -> Substring.Index? {
    let scalars = text.unicodeScalars
    guard scalars.first == "\"" else { return nil }
    var index = scalars.index(after: scalars.startIndex)
    while index < scalars.endIndex {
      let scalar = scalars[index]
      index = scalars.index(after: index)
      if scalar == "\"" { return index }
      if scalar == "\\", index < scalars.endIndex { index = scalars.index(after: index) }
    }
    return nil
  }

  /// RFC 8259, section 7, read strictly.
  private static func jsonString(_ text: Substring) -> String? {
    var rest = text.unicodeScalars.dropFirst().dropLast()
    var result = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        if scalar == "\"" { return nil }
        result.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "t": result.append("\t")
      case "\"": result.append("\"")
      case "\\": result.append("\\")
      case "u":
        guard let value = UInt32(String(rest.prefix(4)), radix: 16),
          let read = Unicode.Scalar(value)
        else { return nil }
        rest = rest.dropFirst(4)
        result.append(read)
      default: return nil
      }
    }
    return String(result)
  }

  private static func checkPrometheus(_ bytes: [UInt8]) throws(Broken) {
    let value = String(decoding: bytes, as: UTF8.self)
    let escaped = PrometheusText.escaped(value)
    var text = PrometheusText()
    text.add(.gauge("m", "h", by: "l"), [Sample(1, value)])
    try require(
      text.text.utf8.count { $0 == 0x0A } == 3, "a line's end in a label: \(escape(bytes))")
    var rest = escaped.unicodeScalars[...]
    var back = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      try require(scalar != "\"" && scalar != "\n", "the label ends early: \(escaped)")
      guard scalar == "\\" else {
        back.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": back.append("\n")
      case "\\": back.append("\\")
      case "\"": back.append("\"")
      default: throw Broken(what: "no escape of the format: \(escaped)")
      }
    }
    try require(Array(String(back).utf8) == Array(value.utf8), "comes back as \(String(back))")
  }

  // MARK: Secrets

  /// What is a connection string, as libpq reads it, must not show the password it holds.
  private static func checkSecret(_ bytes: [UInt8]) throws(Broken) {
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    let shown = redacted(text)
    try require(redacted(shown) == shown, "shown as \(shown), and then otherwise")
    // What begins with a star begins like what is shown instead.
    let secrets = ConnectionParameters.secrets(in: text).filter { secret in
      secret.utf8.count > 3 && !secret.allSatisfy(\.isWhitespace) && secret.first != "*"
    }
    for secret in secrets {
      try require(holdsPassword(text), "\(secret) is not seen")
      // What stands there a second time may be a user's name.
      let places = text.utf8.indices.count { text.utf8[$0...].starts(with: secret.utf8) }
      guard places == 1 else { continue }
      let isThere = shown.utf8.indices.contains { shown.utf8[$0...].starts(with: secret.utf8) }
      try require(!isThere, "\(secret) stands in \(shown)")
    }
  }
}
