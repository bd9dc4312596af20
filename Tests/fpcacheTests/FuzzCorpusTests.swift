// Every input that the fuzzer has kept, crashes of old among them, through the same properties.

import Foundation
import Testing

@testable import fpcache

@Suite struct FuzzCorpusTests {
  private static let corpus = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../Fuzz/Corpus").standardized

  @Test("the fuzzer's finds", arguments: FuzzTarget.allCases)
  func corpus(_ target: FuzzTarget) throws {
    let folder = Self.corpus.appendingPathComponent(target.rawValue)
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files {
      let bytes = Array(try Data(contentsOf: file))
      #expect(target.problem(with: bytes) == nil, "\(file.path)")
    }
  }

}
