// The audit of the tree: every file classified and judged. It changes nothing.

/// How bad a finding is.
public enum Severity: String, Comparable, Sendable {
  case warning
  case critical

  public static func < (left: Self, right: Self) -> Bool {
    left == .warning && right == .critical
  }
}

/// What can be found: the codes are stable, scripts and monitors rely on them.
public enum FindingCode: String, CaseIterable, Sendable {
  case unknown
  case badDate = "bad-date"
  case empty
  case symlink
  case special
  case unreadable
  case expired
  case missingDirectory = "missing-dir"
  case backlog
  case missingTable = "missing-table"
  case unknownEvent = "unknown-event"

  public var severity: Severity {
    switch self {
    case .empty, .missingDirectory, .unreadable, .backlog, .unknownEvent: .critical
    case .unknown, .badDate, .symlink, .special, .expired, .missingTable: .warning
    }
  }

  /// One plain sentence on the thing found.
  public var meaning: String {
    switch self {
    case .unknown: "matches no pattern of the layout"
    case .badDate: "names a date that does not exist"
    case .empty: "is a page of zero bytes"
    case .symlink: "is a symbolic link, which is never followed"
    case .special: "is a socket, fifo or device"
    case .unreadable: "cannot be read"
    case .expired: "is older than the age allowed"
    case .missingDirectory: "is a configured folder that does not exist"
    case .backlog: "has more rows waiting than allowed"
    case .missingTable: "is a queue table that this database does not have"
    case .unknownEvent: "names an event that fpcache does not know"
    }
  }

  public var remedy: String {
    switch self {
    case .unknown: "remove it by hand, or describe it in the layout"
    case .badDate: "remove it by hand and look for what wrote it"
    case .empty: "run fpcache verify --fix; the next visitor re-creates the page"
    case .symlink, .special: "find out who put it there, and remove it by hand"
    case .unreadable: "give the user who runs fpcache leave to read it"
    case .expired: "run fpcache verify --fix; the next visitor re-creates the page"
    case .missingDirectory: "correct the configuration, or create the folder"
    case .backlog: "see that fpcache listen runs, or run fpcache listen --once"
    case .missingTable: "nothing, if the site's schema is meant to lack it"
    case .unknownEvent: "correct script_name in listen_for"
    }
  }

  /// Whether removing the file is safe and puts it right.
  public var isFixable: Bool { self == .empty || self == .expired }
}

/// One thing found.
public struct Finding: Equatable, Sendable {
  public let code: FindingCode
  /// The path below the cache directory, or the name of what else is meant.
  public let subject: CachePath
  /// More on it, where the code does not say all.
  public let detail: String?
  /// What `--fix` did about it: nil when it was not asked or may not.
  public internal(set) var fix: Fix?

  public enum Fix: Equatable, Sendable {
    case removed
    case failed(ClearFailure)
  }

  public init(_ code: FindingCode, _ subject: CachePath, detail: String? = nil) {
    self.code = code
    self.subject = subject
    self.detail = detail
  }
}

/// What an audit looks for.
public struct VerifyQuery: Sendable {
  /// Codes that are looked for.
  public var codes: Set<FindingCode>
  /// Pages modified before this time have expired; nanoseconds since the epoch.
  public var modifiedBefore: Int64?

  public init(codes: Set<FindingCode> = Set(FindingCode.allCases), modifiedBefore: Int64? = nil) {
    self.codes = codes
    self.modifiedBefore = modifiedBefore
  }
}

/// Audits the tree below a cache directory.
public struct Verifier: Sendable {
  let scanner: Scanner
  let query: VerifyQuery

  public init(_ scanner: Scanner, _ query: VerifyQuery) {
    self.scanner = scanner
    self.query = query
  }

  /// The findings, by path, and how many files were looked at.
  public func audit() -> (findings: [Finding], files: Int) {
    let query = self.query
    let layout = scanner.layout
    let judges = scanner.scan { Judge(query, layout) }
    let findings =
      judges.flatMap(\.findings) + missingDirectories().filter { query.codes.contains($0.code) }
    return (
      findings.sorted { ($0.subject, $0.code.rawValue) < ($1.subject, $1.code.rawValue) },
      judges.reduce(0) { $0 + $1.files }
    )
  }

  /// The folders that the layout names and the tree lacks.
  private func missingDirectories() -> [Finding] {
    let configured = Layout(scanner.layout.families.filter(\.isConfigured))
    return configured.missingFolders(in: scanner.root).map { Finding(.missingDirectory, $0) }
  }
}

extension Layout {
  /// The folders, above each family's first field, that do not exist below `root`.
  public func missingFolders(in root: Directory) -> [CachePath] {
    var missing: [CachePath] = []
    for family in families where family.clearing != .never {
      let names = family.pattern.components.dropLast().prefix { $0.literal != nil }
        .compactMap(\.literal)
      let path = CachePath(Array(names.joined(separator: [UInt8(ascii: "/")])))
      var chain = OpenChain()
      do throws(OpenChain.Failure) {
        _ = try chain.open(names, from: root)
      } catch {
        if error.error == .noSuchFileOrDirectory || error.isPlainFile, !missing.contains(path) {
          missing.append(path)
        }
      }
    }
    return missing
  }
}

private struct Judge: ScanVisitor {
  private let query: VerifyQuery
  private let layout: Layout
  private(set) var findings: [Finding] = []
  private(set) var files = 0

  init(_ query: VerifyQuery, _ layout: Layout) {
    self.query = query
    self.layout = layout
  }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    files += 1
    guard let code = judge(entry, &matcher), query.codes.contains(code) else { return }
    findings.append(Finding(code, entry.path))
  }

  /// The first thing wrong with a file, the worst first.
  private func judge(
    _ entry: borrowing ScannedEntry, _ matcher: inout Matcher
  ) -> FindingCode? {
    switch entry.status.type {
    case .symbolicLink: return .symlink
    case .special: return .special
    default: break
    }
    guard entry.classification.hasKnownShape, let family = entry.classification.family else {
      return .unknown
    }
    if namesImpossibleDate(entry, layout.families[family], &matcher) { return .badDate }
    if layout.families[family].clearing == .never { return nil }
    if entry.status.size == 0 { return .empty }
    if let limit = query.modifiedBefore, entry.status.modified < limit { return .expired }
    return nil
  }

  private func namesImpossibleDate(
    _ entry: borrowing ScannedEntry, _ family: Family, _ matcher: inout Matcher
  ) -> Bool {
    guard family.hasDate else { return false }
    let fields = entry.fields(&matcher)
    guard let year = fields["year"], let month = fields["month"], let day = fields["day"] else {
      return false
    }
    return CalendarDate([year, month, day].joined(separator: [UInt8(ascii: "-")]).map { $0 }) == nil
  }

  mutating func fail(_ failure: ClearFailure) {
    guard query.codes.contains(.unreadable) else { return }
    findings.append(Finding(.unreadable, failure.path, detail: failure.reason))
  }
}

extension Family {
  /// Whether its paths name a day.
  fileprivate var hasDate: Bool {
    ["year", "month", "day"].allSatisfy { field(named: $0) != nil }
  }
}
