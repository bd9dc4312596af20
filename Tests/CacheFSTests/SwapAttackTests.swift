// SPDX-License-Identifier: BSD-2-Clause
//
// Somebody swaps folders for links to a canary while we clear, count and mend. `make attack` does
// the same 200,000 times, and with the program itself.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite(.serialized, .enabled(if: SwapAttack.isPossible, "needs renameat2 with an exchange"))
struct SwapAttackTests {
  private let layout = Layout.freshPorts

  /// What the clears under an attack came to.
  private struct Counts {
    var rounds = 0
    /// Rounds in which pages of the cache went.
    var hits = 0
    /// Rounds in which a link stood in a folder's place.
    var links = 0
    /// The most files that a count found: the cache has six.
    var mostFiles = 0
  }

  /// One round of everything that deletes.
  private func round(_ attack: SwapAttack, _ kernel: Kernel, _ tally: inout Counts) throws {
    let root = try Directory(root: FilePath(attack.cache.path), kernel: kernel)
    let clearer = Clearer(root, layout: layout, threads: 2)
    let report = ClearReport.sum(
      clearer.clear([
        try layout.port("net", "a"), try layout.ports(of: bytes("net")), try layout.year(2020),
        try layout.all(of: "news"),
      ]))
    tally.rounds += 1
    tally.hits += report.filesRemoved > 0 ? 1 : 0
    tally.links += report.failures.contains { $0.error == .notDirectory } ? 1 : 0
    if tally.rounds.isMultiple(of: 10) {
      let scanner = Scanner(root, layout: layout, threads: 1)
      tally.mostFiles = max(tally.mostFiles, measure(scanner, StatsQuery()).total.files)
      _ = clearer.fix(Verifier(scanner, VerifyQuery()).audit().findings)
    }
  }

  @Test("nothing behind the link goes", arguments: [true, false])
  func safe(_ hasOpenat2: Bool) throws {
    let attack = try SwapAttack()
    let open = hasOpenat2 ? Kernel.openBeneath : Kernel.openByParts
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      attack.strike()
      return open(directory, name, mounts)
    }
    var tally = Counts()
    try attack.run {
      // Until both have happened often: a clear that found pages, and one that met a link.
      while tally.rounds < 400 || tally.hits < 100 || tally.links < 100 {
        try round(attack, kernel, &tally)
        // Whoever follows links meets none, and would go on for ever.
        if tally.rounds.isMultiple(of: 20), try !attack.losses().isEmpty { break }
      }
    }
    #expect(try attack.losses().isEmpty)
    // Two files of the folder that is moved about may be counted twice, and a link is counted.
    #expect(tally.mostFiles <= 12, "\(tally)")
    #expect(attack.swaps > 400)
  }

  @Test("the same without O_NOFOLLOW loses the canary: the attack is a real one")
  func unsafe() throws {
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, _ in
      openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    let attack = try SwapAttack()
    var tally = Counts()
    try attack.run {
      while tally.rounds < 100_000 {
        try round(attack, kernel, &tally)
        if tally.rounds.isMultiple(of: 20), try !attack.losses().isEmpty { break }
      }
    }
    #expect(try !attack.losses().isEmpty, "\(tally)")
  }
}
