// SPDX-License-Identifier: BSD-2-Clause
//
// What the chain of open folders takes for granted, and for how long.

import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct OpenChainTests {
  private func path(_ text: String) -> [[UInt8]] {
    text.split(separator: "/").map { bytes(String($0)) }
  }

  @Test("a folder that was missing is looked for again, unless its absence was to be for good")
  func absence() throws {
    let tree = try TemporaryTree()
    let root = try tree.open()
    var (patient, hasty) = (OpenChain(), OpenChain(takesAbsenceForGood: true))
    for name in ["p", "q"] {
      #expect(throws: OpenChain.Failure.self) {
        try patient.open(path("ports/\(name)"), from: root)
      }
      #expect(throws: OpenChain.Failure.self) { try hasty.open(path("ports/\(name)"), from: root) }
    }
    try tree.makeDirectory("ports/p")
    try tree.makeDirectory("other/p")
    _ = try patient.open(path("ports/p"), from: root)
    #expect(throws: OpenChain.Failure.self) { try hasty.open(path("ports/p"), from: root) }
    // It says nothing of other folders, nor of the one itself.
    _ = try hasty.open(path("other/p"), from: root)
  }

  @Test("a last folder that was missing says nothing of those beside it, however many were")
  func manyMisses() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("ports/there")
    try tree.plant(["ports/file"])
    try tree.link("ports/link", to: "there")
    let root = try tree.open()
    for wanted in ["there", "file", "link"] {
      var chain = OpenChain(takesAbsenceForGood: true)
      for number in 0..<50 {
        #expect(throws: OpenChain.Failure.self) {
          try chain.open(path("ports/gone\(number)"), from: root)
        }
      }
      if wanted == "there" {
        _ = try chain.open(path("ports/there"), from: root)
        continue
      }
      let failure = #expect(throws: OpenChain.Failure.self) {
        try chain.open(path("ports/\(wanted)"), from: root)
      }
      #expect(failure?.error == .notDirectory)
      #expect(failure?.isPlainFile == (wanted == "file"))
    }
  }
}
