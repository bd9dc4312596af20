// SPDX-License-Identifier: BSD-2-Clause
//
// The line that says how far a job is: shown at a terminal only, and gone at the end.

import Synchronization
import TestSupport
import Testing

@testable import fpcache

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct ProgressTests {
  @Test("it is rewritten in place, cut to the terminal's width, and taken away")
  func line() throws {
    let terminal = try PseudoTerminal(columns: 10)
    let descriptor = open(terminal.path, O_RDWR | O_NOCTTY)
    defer { close(descriptor) }
    let looks = Atomic<Int>(0)
    let progress = try #require(
      Progress.start(on: descriptor, after: .zero) {
        "\(looks.add(1, ordering: .relaxed).newValue) pages removed"
      })
    try terminal.wait(for: "\r2 pages r\u{1B}[K")
    progress.finish()
    #expect(terminal.output.hasPrefix("\r1 pages r\u{1B}[K\r2 pages r\u{1B}[K"))
    #expect(terminal.output.hasSuffix("\r\u{1B}[K"))
  }

  @Test("a job that is done before its time shows nothing")
  func short() throws {
    let terminal = try PseudoTerminal()
    let descriptor = open(terminal.path, O_RDWR | O_NOCTTY)
    defer { close(descriptor) }
    let progress = try #require(Progress.start(on: descriptor, after: .seconds(3600)) { "x" })
    progress.finish()
    #expect(terminal.output.isEmpty)
  }

  @Test("not for what is no terminal, nor where it is not wanted")
  func unwanted() throws {
    var ends: [CInt] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    #expect(Progress.start(on: ends[1]) { "x" } == nil)
    let terminal = try PseudoTerminal()
    let descriptor = open(terminal.path, O_RDWR | O_NOCTTY)
    defer { close(descriptor) }
    #expect(Progress.start(on: descriptor, if: false) { "x" } == nil)
  }
}
