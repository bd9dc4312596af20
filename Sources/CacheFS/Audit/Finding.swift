// SPDX-License-Identifier: BSD-2-Clause
//
// One finding of an audit, with its evidence. The code that prints it chooses the wording.

import Basics
import SystemPackage

/// One finding.
package struct Finding: Equatable, Sendable {
  package let code: FindingCode
  package let subject: Subject
  package let evidence: Evidence
  /// Whether visitors re-create the subject after it is removed.
  var isRecreated = true
  /// When the page was written, where the evidence does not include it. A page written since is a different
  /// page. In nanoseconds since the epoch.
  var written: Int64?
  /// What `--fix` did about it; nil when it was not requested or not allowed.
  package internal(set) var fix: Fix?

  /// The subject of the finding.
  package enum Subject: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// A path below the cache directory; the directory itself is `.`.
    case path(CachePath)
    /// A table, a node, a channel, or a place in a file.
    case name([UInt8])

    /// The subject on one line.
    package var description: String {
      switch self {
      case .path(let path): path.description
      case .name(let name): escape(name)
      }
    }

    private var bytes: [UInt8] {
      switch self {
      case .path(let path): path.bytes
      case .name(let name): name
      }
    }

    package static func < (left: Subject, right: Subject) -> Bool {
      left.bytes.lexicographicallyPrecedes(right.bytes)
    }
  }

  /// The basis of the finding, where the code does not say everything. Times are in nanoseconds since the
  /// epoch, sizes in bytes.
  package enum Evidence: Equatable, Sendable {
    case none
    /// A predicate of the subject, ready for printing.
    case words(String)
    /// The same, with a remedy for this case.
    case advised(String, remedy: String)
    /// The name has no shape that belongs in this place; fpcache must not remove it.
    case unshaped
    /// The families that the name fits.
    case families([String])
    case day(CalendarDate)
    case written(Int64)
    case size(Int64, least: Int64)
    case changed(written: Int64, changed: Int64)
    /// Its invalidation has been in a queue table since this time.
    case waiting(table: String, since: Int64)
    case denied(Denial)
    case error(Errno)
    /// What may have been meant instead.
    case nearby([UInt8])
  }

  package enum Fix: Equatable, Sendable {
    case removed
    /// The operator now knows of it.
    case acknowledged
    /// It is no longer true, because another process changed it.
    case passed
    case failed(PathFailure)
  }

  package init(_ code: FindingCode, _ path: CachePath, _ evidence: Evidence = .none) {
    self.code = code
    subject = .path(path)
    self.evidence = evidence
  }

  /// A finding whose subject is not a path.
  package init(_ code: FindingCode, name: [UInt8], _ evidence: Evidence) {
    self.code = code
    subject = .name(name)
    self.evidence = evidence
  }

  /// The same finding, with what `--fix` did about it.
  package func fixed(_ fix: Fix) -> Finding {
    var finding = self
    finding.fix = fix
    return finding
  }

  /// The subject's path; nil when it is not a path.
  package var path: CachePath? {
    if case .path(let path) = subject { path } else { nil }
  }

  /// How to fix it.
  package var remedy: String {
    if code.isFixable, code.losesContent, !isRecreated {
      return "visitors do not re-create it; run the program that writes it"
    }
    return switch evidence {
    case .unshaped: FindingCode.unknown.remedy
    case .advised(_, let remedy): remedy
    case .error(.improperLink): PathFailure.mountRemedy
    default: code.remedy
    }
  }

  /// By path, then by code.
  package static func precedes(_ left: Finding, _ right: Finding) -> Bool {
    left.subject != right.subject
      ? left.subject < right.subject : left.code.rawValue < right.code.rawValue
  }
}

/// Why a user could not delete what is in a folder.
package struct Denial: Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
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

  package let reason: Reason
  /// The user, by name or number; escaped.
  package let user: String
  /// Owner, group and mode of the folder; of the file where the folder is sticky.
  package let owner: UInt32
  package let group: UInt32
  package let mode: UInt32
  /// How many pages are in the folder itself; 0 when unknown.
  package internal(set) var pages: Int
}
