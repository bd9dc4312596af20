// The listener's status file, as `stats` reads it.

import CacheFS
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What became of reading the status file.
enum StatusFile: Equatable {
  /// Nobody has said where it would be.
  case notNamed
  case missing(path: String)
  case unreadable(path: String, why: String)
  case read(path: String, ListenerStatus)

  /// - Parameter isAlive: whether a process of this number runs on this machine.
  static func read(
    _ path: String?, _ files: FileReader = .ours, isAlive: (Int64) -> Bool = processIsAlive
  ) -> StatusFile {
    guard let path else { return .notNamed }
    do throws(Errno) {
      let bytes = try files.read(path)
      guard let json = JSON(parsing: bytes), let status = ListenerStatus(json, isAlive: isAlive)
      else { return .unreadable(path: path, why: "is no status file of fpcache listen") }
      return .read(path: path, status)
    } catch {
      if error == .noSuchFileOrDirectory { return .missing(path: path) }
      return .unreadable(path: path, why: error.description)
    }
  }

  var status: ListenerStatus? {
    if case .read(_, let status) = self { status } else { nil }
  }
}

/// What the listener said of itself (HealthReporter writes it, RenderHealth words it).
struct ListenerStatus: Equatable {
  let process: Int64
  /// Whether that process is there.
  let isAlive: Bool
  let state: String
  /// Times are in nanoseconds since the epoch.
  let stateSince: Int64?
  /// When a drain and a probe had last succeeded.
  let healthyAt: Int64?
  let lastDrain: Int64?
  let rows: Int64
  let retriesWaiting: Int64
  let settleWaiting: Int64
  /// The queues that the server refuses it.
  let refused: [String]
  let lastError: (at: Int64?, message: String)?

  /// Nil when the document is none of ours.
  init?(_ json: JSON, isAlive: (Int64) -> Bool) {
    guard let process = json["pid"]?.wholeNumber, let state = json["state"]?.string else {
      return nil
    }
    self.process = process
    self.isAlive = isAlive(process)
    self.state = state
    stateSince = Self.time(json["since"])
    healthyAt = Self.time(json["healthy_at"])
    lastDrain = Self.time(json["last_drain"]?["at"])
    rows = json["total"]?["rows"]?.wholeNumber ?? 0
    retriesWaiting = json["retries_waiting"]?.wholeNumber ?? 0
    settleWaiting = json["settle_waiting"]?.wholeNumber ?? 0
    refused = json["queues_refused"]?.elements.compactMap(\.string) ?? []
    lastError = json["last_error"]?["message"]?.string.map { message in
      (Self.time(json["last_error"]?["at"]), message)
    }
  }

  static func == (left: Self, right: Self) -> Bool {
    left.process == right.process && left.isAlive == right.isAlive && left.state == right.state
      && left.stateSince == right.stateSince && left.healthyAt == right.healthyAt
      && left.lastDrain == right.lastDrain && left.rows == right.rows
      && left.retriesWaiting == right.retriesWaiting && left.settleWaiting == right.settleWaiting
      && left.refused == right.refused
      && left.lastError?.at == right.lastError?.at
      && left.lastError?.message == right.lastError?.message
  }

  private static func time(_ json: JSON?) -> Int64? { json?.string.flatMap(parseTimestamp) }
}

/// The time that ``utcTimestamp(_:)`` wrote, in nanoseconds since the epoch.
func parseTimestamp(_ text: String) -> Int64? {
  let digits = Array(text.utf8)
  let marks = Array("0000-00-00T00:00:00Z".utf8)
  func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  guard digits.count == marks.count,
    zip(digits, marks).allSatisfy({ isDigit($1) ? isDigit($0) : $0 == $1 })
  else { return nil }
  func number(_ range: Range<Int>) -> CInt {
    digits[range].reduce(0) { $0 * 10 + CInt($1 - UInt8(ascii: "0")) }
  }
  var parts = tm()
  parts.tm_year = number(0..<4) - 1900
  parts.tm_mon = number(5..<7) - 1
  parts.tm_mday = number(8..<10)
  parts.tm_hour = number(11..<13)
  parts.tm_min = number(14..<16)
  parts.tm_sec = number(17..<19)
  let (time, overflow) = Int64(timegm(&parts)).multipliedReportingOverflow(by: 1_000_000_000)
  return overflow ? nil : time
}

private func processIsAlive(_ process: Int64) -> Bool {
  guard process > 0, let process = pid_t(exactly: process) else { return false }
  return kill(process, 0) == 0 || errno == EPERM
}
