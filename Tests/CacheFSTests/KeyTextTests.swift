// SPDX-License-Identifier: BSD-2-Clause
//
// Keys as lines of a file that survives the process: each comes back, and a torn or forged line
// makes none that a value from elsewhere could not make.

import Testing

@testable import CacheFS

@Suite struct KeyTextTests {
  private let layout = Layout.freshPorts

  @Test func theFormIsStable() throws {
    let key = try layout.port("net", "libsigc++20")
    #expect(layout.text(of: key) == "ports\tcategory=net\tport=libsigc++20")
    #expect(layout.text(of: try layout.all(of: "news")) == "news")
    let file = try layout.file(path: bytes("Mk/a=b\tc\\d\ne"))
    #expect(layout.text(of: file) == "files\tpath=Mk/a=b\\x09c\\\\d\\x0ae")
  }

  /// Values of any bytes, those among them that run together with the sign before.
  @Test(arguments: [
    "a", "\u{301}a", "\u{200D}", "=", "==a", "\\", "\t", "\n", "\r\n", "\u{FE0F}x", "é",
    "\u{1F3FD}",
    "a\u{301}", "\u{E000}", "\u{202E}",
  ])
  func anyFileComesBack(_ name: String) throws {
    for path in [name, "Mk/\(name)", "net/a/\(name)"] {
      let key = try layout.file(path: bytes(path))
      let line = layout.text(of: key)
      #expect(try layout.key(text: line) == key)
      #expect(!line.utf8.contains(UInt8(ascii: "\n")))
    }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func generatedKeysComeBack(_ seed: UInt64) throws {
    var dice = Dice(seed)
    for made in layout.paths(400, &dice) {
      let family = layout.families[made.family]
      guard family.clearing != .never else { continue }
      let some = made.values.sorted { $0.key < $1.key }.filter { _ in dice.once(in: 2) }
      let key = try layout.key(family.name, some.map { (field: $0.key, value: $0.value) })
      #expect(try layout.key(text: layout.text(of: key)) == key, "\(made.path)")
    }
  }

  @Test("one reader reads lines of all forms, whatever stands between them")
  func manyForms() throws {
    var dice = Dice(7)
    var reader = KeyReader(layout)
    for made in layout.paths(1000, &dice) {
      let family = layout.families[made.family]
      guard family.clearing != .never else { continue }
      let some = made.values.sorted { $0.key < $1.key }.filter { _ in dice.once(in: 2) }
      let key = try layout.key(family.name, some.map { (field: $0.key, value: $0.value) })
      if dice.once(in: 3) {
        let torn = dice.pick(["ports\tcategory", "nothing", "ports\tport=..", "", "ports\tx=a"])
        #expect(throws: KeyError.self) { try reader.key(bytes(torn)[...]) }
      }
      let line = bytes("12\t" + layout.text(of: key))
      #expect(try reader.key(line[3...]) == key, "\(made.path)")
    }
  }

  @Test(arguments: [
    "", "nothing", "ports\t", "ports\tcategory", "ports\tcategory=", "ports\tcategory=..",
    "ports\tcategory=net\tport=a/b", "ports\tcategory=net\t", "ports\tcategory=net\tport=",
    "ports\tnothing=a", "ports\tcategory=a\\", "ports\tcategory=a\\x2", "searchlog", "ports ",
    "files\tpath=../a", "files\tpath=/a", "pages\tpage=a\\x00b", "ports\t=net", "\tports",
  ])
  func tornAndForgedLinesMakeNone(_ line: String) {
    #expect(throws: KeyError.self) { try layout.key(text: line) }
  }
}
