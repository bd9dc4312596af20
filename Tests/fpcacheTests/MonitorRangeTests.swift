// SPDX-License-Identifier: BSD-2-Clause
//
// What the Monitoring Plugins Development Guidelines ask of ranges and of a plugin's output.

import Testing

@testable import fpcache

@Suite("The plugin guidelines") struct MonitorRangeTests {
  @Test(
    "a range alerts outside of it, or inside where it begins with @",
    arguments: [
      ("10", [-1, 11], [0, 5, 10]), ("10:", [9.9, -1], [10, 1e12]),
      ("~:10", [10.1], [-1e12, 0, 10]), ("10:20", [9, 21], [10, 15, 20]),
      ("@10:20", [10, 15, 20], [9, 21]), ("@5", [0, 5], [-1, 6]), (":7", [-1, 8], [0, 7]),
      ("~:", [], [-1e12, 1e12]), ("@~:0", [-3, 0], [1]), ("-5:-1", [0, -6], [-3]),
      ("1.5:2.5", [1, 3], [2]),
    ] as [(String, [Double], [Double])])
  func range(_ text: String, _ alerts: [Double], _ well: [Double]) throws {
    let range = try #require(MonitorRange(text))
    #expect(range.text == text)
    for value in alerts { #expect(range.alerts(at: value), "\(text) at \(value)") }
    for value in well { #expect(!range.alerts(at: value), "\(text) at \(value)") }
  }

  @Test(
    "what is no range",
    arguments: [
      "", ":", "@", "a", "10:5", "1:2:3", "@@1", "nan", "inf", "1:inf", "0x10", "1e3", " 1", "~",
      "10:~", "--5", "10s",
    ])
  func none(_ text: String) { #expect(MonitorRange(text) == nil) }

  @Test("a range of the age, a comma, a range of the rows; either may be left out")
  func pair() throws {
    let both = try #require(QueueThresholds.parse("60,@5:10"))
    #expect(both.wait?.text == "60" && both.rows?.text == "@5:10")
    let rows = try #require(QueueThresholds.parse(",1000"))
    #expect(rows.wait == nil && rows.rows?.text == "1000")
    #expect(QueueThresholds.parse("60")?.rows == nil)
    for wrong in ["", ",", "60,", "x,5", "60,x", "1,2,3"] where wrong != "60," {
      #expect(QueueThresholds.parse(wrong) == nil, "\(wrong)")
    }
  }

  @Test(
    "performance data: label, value, unit, warning, critical, least, most",
    arguments: [
      (PerformanceDatum(label: "rows", value: 3), "rows=3;;;0"),
      (
        PerformanceDatum(
          label: "age", value: 9, unit: .seconds, warning: MonitorRange("60"),
          critical: MonitorRange("@600:")), "age=9s;60;@600:;0"
      ),
      (
        PerformanceDatum(label: "queue", value: 1, unit: .percent, most: 100), "queue=1%;;;0;100"
      ),
      (PerformanceDatum(label: "n", value: -1, unit: .counter, least: nil), "n=-1c"),
      (PerformanceDatum(label: "a b", value: 1, unit: .bytes), "'a b'=1B;;;0"),
      (PerformanceDatum(label: "a='|\nb", value: 1), "a____b=1;;;0"),
    ])
  func datum(_ datum: PerformanceDatum, _ text: String) { #expect(datum.text == text) }

  @Test("one line, one bar; the rest on lines of its own, whatever the words hold")
  func output() {
    let answer = PluginAnswer(
      state: .warning, text: "a|b\nc\u{1B}[2J", data: [PerformanceDatum(label: "n", value: 1)],
      details: ["one | two", "three\nfour"])
    #expect(
      answer.output == "FPCACHE WARNING - a/b c\\x1b[2J | n=1;;;0\none / two\nthree four")
    #expect(PluginAnswer(state: .ok, text: "well").output == "FPCACHE OK - well")
  }
}
