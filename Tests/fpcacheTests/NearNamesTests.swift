// SPDX-License-Identifier: BSD-2-Clause
//
// How alike two names are, and which names are near enough to be suggested.

import Testing

@testable import Basics
@testable import fpcache

@Suite struct NearNamesTests {
  @Test(
    "missing, added, wrong and swapped letters count one each, case counts nothing",
    arguments: [
      ("gimp", "gimp", 0), ("gmip", "gimp", 1), ("gim", "gimp", 1), ("gimpp", "gimp", 1),
      ("gamp", "gimp", 1), ("GIMP", "gimp", 0), ("igpm", "gimp", 2), ("", "abc", 3),
      ("abc", "", 3), ("abcd", "wxyz", nil), ("graphcis", "graphics", 1), ("ca", "abc", 3),
      ("python", "python37", 2), ("a", "abcde", nil),
    ] as [(String, String, Int?)])
  func distance(_ left: String, _ right: String, _ expected: Int?) {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    #expect(editDistance(left, right, atMost: 3) == expected)
    #expect(editDistance(right, left, atMost: 3) == expected)
    if let expected, expected > 0 {
      #expect(editDistance(left, right, atMost: expected) == expected)
      #expect(editDistance(left, right, atMost: expected - 1) == nil)
    }
  }

  @Test("short names forgive less than long ones, a prefix is always forgiven")
  func near() {
    func near(_ wanted: String, _ names: String...) -> [String] {
      NearNames.near(Array(wanted.utf8), names.map { Array($0.utf8) })
        .map { String(decoding: $0.1, as: UTF8.self) }
    }
    #expect(near("gd", "gdb", "gimp", "x", "dg") == ["gdb", "dg"])
    #expect(near("xterm", "xtrem", "rxvt", "aterm2") == ["xtrem", "aterm2"])
    #expect(near("knitr", "R-cran-knitr", "xknitr", "py-other") == ["R-cran-knitr", "xknitr"])
    #expect(near("gd", "py-gd") == [])
  }
}
