// SPDX-License-Identifier: BSD-2-Clause
//
// The table of codes: scripts and monitors rely on its names, so each is written down here.

import Testing

@testable import CacheFS

@Suite struct FindingCodeTests {
  @Test func codesAreStable() {
    #expect(
      FindingCode.allCases.map(\.rawValue) == [
        "unknown", "misplaced", "bad-date", "future-date", "empty", "stub", "symlink", "special",
        "not-clearable", "unreadable", "spool-leftover", "empty-dir", "expired", "stale", "orphan",
        "pending", "backlog", "missed", "held-queue", "no-listener", "node-lag", "node-lost",
        "unknown-event", "missing-table", "no-permission", "risky-trigger", "missing-dir",
        "odd-value", "quoted-value", "unused-key",
      ])
  }

  @Test func severitiesAreStable() {
    func codes(_ severity: Severity) -> [FindingCode] {
      FindingCode.allCases.filter { $0.severity == severity }
    }
    #expect(
      codes(.critical) == [
        .empty, .notClearable, .unreadable, .stale, .pending, .backlog, .noListener, .nodeLag,
        .nodeLost, .unknownEvent, .noPermission, .missingDirectory,
      ])
    #expect(codes(.notice) == [.emptyDirectory, .quotedValue, .unusedKey])
    #expect(Severity.allCases == [.notice, .warning, .critical])
    #expect(Severity.notice < .warning && Severity.warning < .critical)
    #expect(!(Severity.critical < .notice) && !(Severity.warning < .warning))
  }

  /// Never the unknown, a link or a special.
  @Test func onlyWhatIsSafeIsFixable() {
    #expect(
      FindingCode.allCases.filter(\.isFixable) == [
        .empty, .stub, .spoolLeftover, .emptyDirectory, .expired, .stale, .orphan, .pending,
      ])
  }

  @Test func everyCodeIsToldInFull() {
    for code in FindingCode.allCases {
      #expect(!code.meaning.isEmpty && !code.remedy.isEmpty)
      #expect(!code.meaning.contains(".") && code.meaning.first?.isLowercase == true, "\(code)")
    }
    #expect(Set(FindingCode.allCases.map(\.meaning)).count == FindingCode.allCases.count)
    #expect(Set(FindingCode.allCases.map(\.area)) == Set(FindingCode.Area.allCases))
  }
}
