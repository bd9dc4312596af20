// SPDX-License-Identifier: BSD-2-Clause
//
// Every input that the fuzzer has kept, crashes of old among them, through the same properties.

import Foundation
import Testing

@Suite struct FuzzCorpusTests {
  private static let corpus = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../Fuzz/Corpus").standardized

  @Test("the fuzzer's finds", arguments: FuzzTarget.allCases)
  func corpus(_ target: FuzzTarget) throws {
    let file = Self.corpus.appendingPathComponent(target.rawValue)
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines {
      // A name and the bytes in base64, which of no bytes is nothing.
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      let bytes = try #require(Data(base64Encoded: String(words.last ?? "")), "\(line)")
      try #require(words.count == 2, "\(line)")
      #expect(target.problem(with: Array(bytes)) == nil, "\(file.path): \(words[0])")
    }
  }
}
