// How the listener runs: flags, then [listen] and [syslog] of the configuration, then defaults.

import PGQueue

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Settings of `listen`, each nil until somebody says otherwise.
struct ListenSettings: Equatable, Sendable {
  /// Longer than the slowest render (docs/drain-protocol.md, "Settle").
  static let defaultSettle = Duration.seconds(5)
  /// Where systemd has made no directory for us: the BSDs' place and Linux' (hier(7)).
  static let defaultStateDirectories = ["/var/db/fpcache", "/var/lib/fpcache"]
  /// The first of them that is there.
  static var defaultStateDirectory: String {
    defaultStateDirectories.first { access($0, F_OK) == 0 } ?? defaultStateDirectories[0]
  }

  var settle: Duration?
  var pollInterval: Duration?
  var stateDirectory: String?
  var statusFile: String?
  var metricsFile: String?
  /// The name among many nodes; nil for a listener that is alone.
  var node: String?
  var syslog = SyslogSettings.standard

  init() {}

  /// What the file says.
  /// - Throws: ``UserError`` with status 78.
  init(_ ini: INI) throws(UserError) {
    let reader = Reader(ini: ini)
    settle = try reader.seconds("SETTLE", 0...3600)
    pollInterval = try reader.seconds("POLL_INTERVAL", 0.1...86_400)
    stateDirectory = try reader.text("STATE_DIR", in: "listen")?.text
    statusFile = try reader.text("STATUS_FILE", in: "listen")?.text
    metricsFile = try reader.text("METRICS_FILE", in: "listen")?.text
    node = try reader.node()
    if let facility = try reader.facility() { syslog.facility = facility }
    if let identity = try reader.text("IDENT", in: "syslog") { syslog.identity = identity.text }
  }

  /// These settings where they are given, and the other's where they are not.
  func orElse(_ other: ListenSettings) -> ListenSettings {
    var merged = other
    merged.settle = settle ?? other.settle
    merged.pollInterval = pollInterval ?? other.pollInterval
    merged.stateDirectory = stateDirectory ?? other.stateDirectory
    merged.statusFile = statusFile ?? other.statusFile
    merged.metricsFile = metricsFile ?? other.metricsFile
    merged.node = node ?? other.node
    return merged
  }

  /// The keys of what others say differently, among those that hold for as long as a listener runs:
  /// SIGHUP takes up all but these, and NODE, which is told in its own words.
  func changed(in others: ListenSettings) -> [String] {
    let keys: [(name: String, isSame: Bool)] = [
      ("SETTLE", settle == others.settle),
      ("STATE_DIR", stateDirectory == others.stateDirectory),
      ("STATUS_FILE", statusFile == others.statusFile),
      ("METRICS_FILE", metricsFile == others.metricsFile),
      ("FACILITY", syslog.facility == others.syslog.facility),
      ("IDENT", syslog.identity == others.syslog.identity),
    ]
    return keys.filter { !$0.isSame }.map(\.name)
  }

  /// A number of seconds within a range, or nil.
  static func seconds(_ text: String, _ range: ClosedRange<Double>) -> Duration? {
    guard let seconds = Double(text), range.contains(seconds) else { return nil }
    return .milliseconds(Int64(seconds * 1000))
  }
}

/// Reads values of the file and tells what was expected of those that are none.
private struct Reader {
  let ini: INI

  func text(_ key: String, in section: String) throws(UserError) -> INIValue? {
    try ini.checkedValue(key, in: section)
  }

  func seconds(_ key: String, _ range: ClosedRange<Double>) throws(UserError) -> Duration? {
    guard let value = try text(key, in: "listen") else { return nil }
    guard let seconds = ListenSettings.seconds(value.text, range) else {
      throw value.problem(
        key,
        "is no number in this range; expected seconds from \(plain(range.lowerBound)) to "
          + plain(range.upperBound))
    }
    return seconds
  }

  func node() throws(UserError) -> String? {
    guard let value = try text("NODE", in: "listen") else { return nil }
    guard Node.isName(value.text) else {
      throw value.problem("NODE", "is no node's name; \(Node.expectation)")
    }
    return value.text
  }

  func facility() throws(UserError) -> CInt? {
    guard let value = try text("FACILITY", in: "syslog") else { return nil }
    let facilities = SyslogSettings.facilities
    guard let facility = facilities.first(where: { $0.name == value.text.lowercased() }) else {
      throw value.problem(
        "FACILITY",
        "is no facility of syslog; expected one of "
          + facilities.map(\.name).joined(separator: ", "))
    }
    return facility.value
  }
}
