// One thing that an audit has found, with what it was judged by. Wording is for those who print it.

import SystemPackage

/// One thing found.
public struct Finding: Equatable, Sendable {
  public let code: FindingCode
  /// The path below the cache directory, or the name of what else is meant. The cache directory
  /// itself is `.`.
  public let subject: CachePath
  public let evidence: Evidence
  /// Whether a visitor re-creates what is accused when it is gone.
  var isRecreated = true
  /// What `--fix` did about it: nil when it was not asked or may not.
  public internal(set) var fix: Fix?

  /// What the accusation rests on, where the code does not say all. Times are in nanoseconds
  /// since the epoch, sizes in bytes.
  public enum Evidence: Equatable, Sendable {
    case none
    /// A predicate of the subject, ready to be printed.
    case words(String)
    /// The same, with what puts just this right.
    case advised(String, remedy: String)
    /// The name is none that a page of its place has: it is not for us to remove.
    case unshaped
    /// The families of which the name is.
    case families([String])
    case day(CalendarDate)
    case written(Int64)
    case size(Int64, least: Int64)
    case changed(written: Int64, changed: Int64)
    /// Its invalidation stands in a queue table since.
    case waiting(table: String, since: Int64)
    case denied(Denial)
    case error(Errno)
    /// Something else that may have been meant.
    case nearby([UInt8])
  }

  public enum Fix: Equatable, Sendable {
    case removed
    /// It is no longer so, by somebody else's hand.
    case passed
    case failed(ClearFailure)
  }

  public init(_ code: FindingCode, _ subject: CachePath, _ evidence: Evidence = .none) {
    self.code = code
    self.subject = subject
    self.evidence = evidence
  }

  /// What puts it right.
  public var remedy: String {
    if code.isFixable, code.losesContent, !isRecreated {
      return "no visitor re-creates it: run what writes it"
    }
    return switch evidence {
    case .unshaped: FindingCode.unknown.remedy
    case .advised(_, let remedy): remedy
    case .error(.improperLink): ClearFailure.mountRemedy
    default: code.remedy
    }
  }

  /// By path, then by code.
  public static func precedes(_ left: Finding, _ right: Finding) -> Bool {
    left.subject != right.subject
      ? left.subject < right.subject : left.code.rawValue < right.code.rawValue
  }
}

/// Why a user could not delete what lies in a folder.
public struct Denial: Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case readOnlyMount
    /// The permission to write the folder is missing.
    case write
    /// The permission to list the folder is missing.
    case list
    /// The permission to enter the folder is missing.
    case enter
    /// In a sticky folder only the owners of the file and of the folder may delete.
    case sticky
  }

  public let reason: Reason
  /// The user, by name or number; escaped.
  public let user: String
  /// Owner, group and mode of the folder; of the file where the folder is sticky.
  public let owner: UInt32
  public let group: UInt32
  public let mode: UInt32
  /// How many pages lie in the folder itself; 0 when that cannot be told.
  public internal(set) var pages: Int
}
