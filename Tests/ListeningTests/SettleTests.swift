// SPDX-License-Identifier: BSD-2-Clause
//
// The settle list: what is put on it is cleared once more, a torn line is dropped, and a file
// that cannot be had is a warning.

import Logging
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS
@testable import Listening

@Suite struct SettleTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func key(_ port: String) throws -> CacheKey {
    try Layout.freshPorts.port(category: Array("www".utf8), port: Array(port.utf8))
  }

  private func open(_ folder: String, _ delay: Duration = .milliseconds(1)) -> Settle {
    Settle.open(delay, stateDirectory: FilePath(folder), layout: .freshPorts, logger)
  }

  /// Runs the list until it is empty and returns what it cleared.
  private func drain(_ settle: Settle) throws -> [CacheKey] {
    var cleared: [CacheKey] = []
    try eventually(timeout: .seconds(60), "the list is empty") {
      _ = settle.run { cleared += $0 }
      return settle.waiting == 0
    }
    return cleared
  }

  @Test func keysAreClearedOnceMoreAndTheFileIsEmptied() throws {
    let state = try TemporaryTree()
    let settle = open(state.path)
    let keys = [try key("a"), try key("b.c+d"), try Layout.freshPorts.all(of: "news")]
    settle.add(keys)
    #expect(settle.waiting == 3)
    #expect(try drain(settle) == keys)
    #expect(try state.read("settle").isEmpty)
    #expect(settle.run { _ in Issue.record("nothing is due") } == nil)
  }

  @Test func whatAnEarlierProcessLeftIsCleared() throws {
    let state = try TemporaryTree()
    open(state.path).add([try key("a"), try key("b")])
    #expect(try drain(open(state.path)) == [try key("a"), try key("b")])
  }

  @Test(
    "a time as far away as a number goes is none to wait for",
    arguments: [Int64.min, -1, .max - 1, .max])
  func farTime(due: Int64) throws {
    let state = try TemporaryTree()
    try state.write("settle", text: "\(due)\tports\tcategory=www\tport=a\n")
    #expect(try drain(open(state.path)) == [try key("a")])
  }

  @Test(arguments: [
    "123\tports\tcategory=www\tpo", "9", "\n\n", "x\ty\n", "1\tports\tcategory=..\n",
  ])
  func aTornOrForeignLineIsDroppedAndHarmsNoOther(line: String) throws {
    let state = try TemporaryTree()
    try state.write("settle", text: "1\tports\tcategory=www\tport=a\n" + line)
    let settle = open(state.path)
    settle.add([try key("b")])
    #expect(try drain(settle) == [try key("a"), try key("b")])
  }

  @Test func nothingIsWrittenWithoutADelayButWhatWasLeftIsCleared() throws {
    let state = try TemporaryTree()
    open(state.path).add([try key("a")])
    let settle = open(state.path, .zero)
    settle.add([try key("b")])
    #expect(try drain(settle) == [try key("a")])
  }

  @Test func aFileThatAnotherHasOrThatCannotBeMadeMeansMemory() throws {
    let state = try TemporaryTree()
    let first = open(state.path)
    for settle in [open(state.path), open(state.path + "/nowhere")] {
      settle.add([try key("a")])
      #expect(settle.waiting == 1)
      #expect(try drain(settle) == [try key("a")])
    }
    #expect(first.waiting == 0)
    #expect(try state.read("settle").isEmpty)
  }

  @Test func aLongListIsReadInPiecesAndCopiedWithoutItsSpentPart() throws {
    let state = try TemporaryTree()
    let settle = open(state.path)
    let keys = try (0..<20_000).map { try key("a-port-with-a-name-of-some-length-\($0)") }
    settle.add(keys)
    #expect(try drain(settle).count == keys.count)
    #expect(try state.read("settle").isEmpty)
    #expect(try state.files() == ["settle"])
  }
}
