// SPDX-License-Identifier: BSD-2-Clause
//
// The head of a cache file: each version as nginx writes it, and what somebody else might write. Property: whatever the
// bytes are, the reader says something and reads nothing beyond them.

import Foundation
import TestSupport
import Testing

@testable import CacheFS

@Suite struct NginxHeadTests {
  private func read(_ bytes: [UInt8]) -> NginxHead.Reading {
    // In memory of just that size, so that a sanitizer sees what lies beyond.
    let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    defer { exact.deallocate() }
    exact.copyBytes(from: bytes)
    return NginxHead.read(UnsafeRawBufferPointer(exact))
  }

  @Test("each version is read as nginx writes it", arguments: [3, 4, 5] as [UInt64])
  func versions(_ version: UInt64) throws {
    var file = NginxFile("https://host/a?b=c")
    file.version = version
    file.vary = "Accept-Encoding"
    file.variant = Array(1...16)
    file.validUntil = 1_700_000_000
    let bytes = file.bytes
    guard case .head(let head) = read(bytes) else {
      Issue.record("no head")
      return
    }
    #expect(head.version == version && head.validUntil == 1_700_000_000)
    #expect(Array(bytes[head.key]) == file.key)
    #expect(head.variant == Array(1...16) && head.crc == 0x1234_5678)
    #expect(text(Array(bytes[head.headerStart..<head.bodyStart])) == file.response)
    #expect(head.key.lowerBound == [3: 150, 4: 166, 5: 342][version])
    file.vary = ""
    guard case .head(let plain) = read(file.bytes) else { return }
    #expect(plain.variant == nil)
  }

  @Test("what is cut off or no file of nginx's has no head") func damaged() {
    let whole = NginxFile("k").bytes
    for length in [0, 1, 7, 8, 100, 335] { #expect(read(Array(whole[..<length])) == .damaged) }
    for (place, value) in [(0, UInt8(2)), (0, 0), (1, 1), (54, 0), (187, 129)] {
      var bytes = whole
      bytes[place] = value
      if place == 54 { bytes[55] = 0 }
      #expect(read(bytes) == .damaged, "\(place)")
    }
    var newer = whole
    newer[0] = 6
    #expect(read(newer) == .foreign)
    #expect(read(Array(newer[..<8])) == .foreign)
  }

  @Test("whatever the bytes are", arguments: 1...3 as ClosedRange<UInt64>) func hostile(
    _ seed: UInt64
  ) {
    var dice = Dice(seed)
    for _ in 0..<3_000 {
      var file = NginxFile(String(repeating: "k", count: dice.below(40)))
      file.version = UInt64(3 + dice.below(3))
      var bytes = file.bytes
      for _ in 0..<dice.below(4) {
        bytes[dice.below(min(400, bytes.count))] = UInt8(dice.below(256))
      }
      bytes = Array(bytes[..<dice.below(bytes.count + 1)])
      guard case .head(let head) = read(bytes) else { continue }
      #expect(head.key.upperBound < head.headerStart && head.headerStart <= NginxHead.longest)
      #expect(head.headerStart <= head.bodyStart)
      #expect(head.key.lowerBound <= head.key.upperBound)
    }
  }
}
