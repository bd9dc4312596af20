// SPDX-License-Identifier: BSD-2-Clause
//
// One thing that an audit has found, with what it was judged by. Wording is for those who print it.

import Basics
import SystemPackage

/// One thing found.
package struct Finding: Equatable, Sendable {
  package let code: FindingCode
  package let subject: Subject
  package let evidence: Evidence
  /// Whether a visitor re-creates what is accused when it is gone.
  var isRecreated = true
  /// When the page was written that was found, where the evidence does not say: one that was written since is
  /// another page. In nanoseconds since the epoch.
  var written: Int64?
  /// What `--fix` did about it: nil when it was not asked or may not.
  package internal(set) var fix: Fix?

  /// What is accused.
  package enum Subject: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// A path below the cache directory, which itself is `.`.
    case path(CachePath)
    /// A table, a node, a channel, or a place in a file.
    case name([UInt8])

    /// On one line.
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

  /// What the accusation rests on, where the code does not say all. Times are in nanoseconds
  /// since the epoch, sizes in bytes.
  package enum Evidence: Equatable, Sendable {
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

  package enum Fix: Equatable, Sendable {
    case removed
    /// Somebody knows of it now.
    case acknowledged
    /// It is no longer so, by somebody else's hand.
    case passed
    case failed(PathFailure)
  }

  package init(_ code: FindingCode, _ path: CachePath, _ evidence: Evidence = .none) {
    self.code = code
    subject = .path(path)
    self.evidence = evidence
  }

  /// What is accused is no path.
  package init(_ code: FindingCode, name: [UInt8], _ evidence: Evidence) {
    self.code = code
    subject = .name(name)
    self.evidence = evidence
  }

  /// The same with what `--fix` did about it.
  package func fixed(_ fix: Fix) -> Finding {
    var finding = self
    finding.fix = fix
    return finding
  }

  /// What is accused; nil when it is no path.
  package var path: CachePath? {
    if case .path(let path) = subject { path } else { nil }
  }

  /// What puts it right.
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

/// Why a user could not delete what lies in a folder.
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
  /// How many pages lie in the folder itself; 0 when that cannot be told.
  package internal(set) var pages: Int
}
