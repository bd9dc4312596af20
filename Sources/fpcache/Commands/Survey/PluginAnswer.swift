// SPDX-License-Identifier: BSD-2-Clause
//
// The answer of a monitoring plugin, as the Monitoring Plugins Development Guidelines and Nagios' plugin API define
// it: one line, `|`, performance data, then lines of detail; and a status from 0 to 3.

import Basics

/// The statuses of a monitoring plugin (Monitoring Plugins Development Guidelines).
enum NagiosState: Int32 {
  case ok = 0
  case warning = 1
  case critical = 2
  case unknown = 3

  var word: String {
    switch self {
    case .ok: "OK"
    case .warning: "WARNING"
    case .critical: "CRITICAL"
    case .unknown: "UNKNOWN"
    }
  }

  /// The one of two that counts. A known problem outweighs an unknown state, and an unknown state outweighs a good
  /// one.
  static func worse(_ left: NagiosState, _ right: NagiosState) -> NagiosState {
    left.rank >= right.rank ? left : right
  }

  private var rank: Int {
    switch self {
    case .ok: 0
    case .unknown: 1
    case .warning: 2
    case .critical: 3
    }
  }
}

/// One number of the performance data: `'label'=value[UOM];[warn];[crit];[min];[max]`.
struct PerformanceDatum {
  /// Units of measurement that the guidelines know.
  enum Unit: String {
    case none = ""
    case seconds = "s"
    case bytes = "B"
    case percent = "%"
    /// A number that only grows while the program that counts runs.
    case counter = "c"
  }

  let label: String
  let value: Int64
  var unit = Unit.none
  var warning: MonitorRange?
  var critical: MonitorRange?
  var least: Int64? = 0
  var most: Int64?

  var text: String {
    var fields = [
      "\(quotedLabel)=\(value)\(unit.rawValue)", warning?.text ?? "", critical?.text ?? "",
      least.map(String.init) ?? "", most.map(String.init) ?? "",
    ]
    while fields.last == "" { fields.removeLast() }
    return fields.joined(separator: ";")
  }

  /// A label must not contain an equals sign or a quote. A label with anything but plain letters is quoted.
  private var quotedLabel: String {
    let plain = label.unicodeScalars.map { scalar in
      switch scalar {
      case "=", "'", "|", "\n": "_"
      default: String(scalar)
      }
    }.joined()
    let isPlain = plain.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "/"):
        true
      default: false
      }
    }
    return isPlain ? plain : "'\(plain)'"
  }
}

/// The answer of a plugin.
struct PluginAnswer {
  let state: NagiosState
  /// The first line, without its prefix.
  let text: String
  var data: [PerformanceDatum] = []
  /// Shown when a person opens the service.
  var details: [String] = []

  /// The whole output, without the newline at its end.
  var output: String {
    let data = self.data.map(\.text).joined(separator: " ")
    let first = "FPCACHE \(state.word) - \(Self.fit(text))" + (data.isEmpty ? "" : " | \(data)")
    return ([first] + details.map(Self.fit)).joined(separator: "\n")
  }

  /// The bar separates the text from the performance data and must not occur anywhere else. A newline separates the
  /// first line from the rest.
  private static func fit(_ text: String) -> String {
    withoutControls(text).replacingEach("|", with: "/").replacingEach("\n", with: " ")
  }
}

extension String {
  fileprivate func replacingEach(_ character: Unicode.Scalar, with other: Unicode.Scalar) -> String
  {
    String(String.UnicodeScalarView(unicodeScalars.map { $0 == character ? other : $0 }))
  }
}
