// SPDX-License-Identifier: BSD-2-Clause
//
// What proves a listener's health: a drain and a probe, both since the last proof, and nothing that keeps
// a queue from being drained meanwhile.

import Testing

@testable import Listening

@Suite("Health") struct HealthTests {
  private enum Event {
    case batch(isProof: Bool)
    case drain(isProof: Bool)
    case probe, lost
  }

  private static let histories: [(events: [Event], isProved: Bool)] = [
    ([.drain(isProof: true), .probe], true),
    ([.probe, .drain(isProof: true)], true),
    ([.probe, .batch(isProof: true)], true),
    ([.drain(isProof: true)], false),
    ([.probe, .probe], false),
    ([.drain(isProof: true), .lost, .probe], false),
    // Refused since: what was drained before proves nothing any more.
    ([.drain(isProof: true), .drain(isProof: false), .probe], false),
    ([.drain(isProof: true), .batch(isProof: false), .probe], false),
    ([.probe, .batch(isProof: false), .drain(isProof: false)], false),
    // The probe counts as soon as everything is drained again.
    ([.probe, .drain(isProof: false), .drain(isProof: true)], true),
  ]

  @Test(arguments: histories.indices)
  func proof(_ index: Int) {
    let (events, isProved) = Self.histories[index]
    var health = Health(now: 0)
    var proofs = 0
    for (time, event) in zip(Int64(1)..., events) {
      let isProof =
        switch event {
        case .batch(let isProof): health.served(DrainTally(), isProof: isProof, now: time)
        case .drain(let isProof):
          health.drained(DrainTally(), seconds: 0, isProof: isProof, now: time)
        case .probe: health.probed(now: time)
        case .lost: false
        }
      if case .lost = event { health.lost() }
      proofs += isProof ? 1 : 0
    }
    #expect(proofs == (isProved ? 1 : 0), "\(events)")
    #expect(health.healthyAt == (isProved ? Int64(events.count) : nil), "\(events)")
  }
}
