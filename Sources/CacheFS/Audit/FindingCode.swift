// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit can find: one table of codes. Help, text, JSON, the monitoring plugin, the documents and the
// tests read it. A code is stable, because scripts and monitors rely on it.

import Basics

/// How bad a finding is.
package enum Severity: String, CaseIterable, Comparable, Sendable {
  /// Worth knowing, but not urgent.
  case notice
  case warning
  case critical

  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .notice: 0
    case .warning: 1
    case .critical: 2
    }
  }
}

/// What an audit can find, in the order of the report.
package enum FindingCode: String, CaseIterable, Sendable {
  case unknown
  case misplaced
  case badDate = "bad-date"
  case futureDate = "future-date"
  case empty
  case stub
  case symlink
  case special
  case notClearable = "not-clearable"
  case unreadable
  case spoolLeftover = "spool-leftover"
  case emptyDirectory = "empty-dir"
  case expired
  case stale
  case orphan
  case pending
  case backlog
  case missed
  case heldQueue = "held-queue"
  case noListener = "no-listener"
  case nodeLag = "node-lag"
  case nodeLost = "node-lost"
  case unknownEvent = "unknown-event"
  case missingTable = "missing-table"
  case noPermission = "no-permission"
  case riskyTrigger = "risky-trigger"
  case missingDirectory = "missing-dir"
  case oddValue = "odd-value"
  case quotedValue = "quoted-value"
  case unusedKey = "unused-key"

  /// Where an audit looks for the code.
  package enum Area: String, CaseIterable, Sendable {
    case tree
    case database
    case configuration
  }

  /// Whether clearing the subject is safe and fixes the problem.
  package enum Fixing: Sendable {
    case clearing
    case byHand
  }

  /// A code's row of the table.
  struct Row {
    let area: Area
    let severity: Severity
    let fixing: Fixing
    /// It continues the sentence that begins with the path.
    let meaning: String
    let remedy: String

    init(
      _ area: Area, _ severity: Severity, _ fixing: Fixing, _ meaning: String, _ remedy: String
    ) {
      self.area = area
      self.severity = severity
      self.fixing = fixing
      self.meaning = meaning
      self.remedy = remedy
    }
  }

  private static let clear = "run fpcache verify --fix; the next visitor re-creates the page"

  var row: Row {
    switch self {
    case .unknown:
      Row(
        .tree, .warning, .byHand, "matches no pattern of the layout",
        "remove it by hand, or add it to the layout")
    case .misplaced:
      Row(
        .tree, .warning, .byHand, "is named like a page that lies in another folder",
        "if the configuration names the right folder, remove it by hand and find the program that wrote it"
      )
    case .badDate:
      Row(
        .tree, .warning, .byHand, "names a date that does not exist",
        "remove it by hand and find the program that wrote it")
    case .futureDate:
      Row(
        .tree, .warning, .byHand, "has a date in the future",
        "remove it by hand and find the program that wrote it, or set the clock")
    case .empty: Row(.tree, .critical, .clearing, "is a page of zero bytes", Self.clear)
    case .stub:
      Row(.tree, .warning, .clearing, "is smaller than a page of its family can be", Self.clear)
    case .symlink:
      Row(
        .tree, .warning, .byHand, "is a symbolic link, which is never followed",
        "find out who put it there, and remove it by hand")
    case .special:
      Row(
        .tree, .warning, .byHand, "is a socket, fifo or device",
        "find out who put it there, and remove it by hand")
    case .notClearable:
      Row(
        .tree, .critical, .byHand, "could not be deleted by the user who runs the listener",
        "give that user permission to write, list and enter the folder")
    case .unreadable:
      Row(
        .tree, .critical, .byHand, "cannot be read",
        "give the user who runs fpcache permission to read it")
    case .spoolLeftover:
      Row(
        .tree, .warning, .clearing, "was being written more than an hour ago and never finished",
        "run fpcache verify --fix, and look for what stopped the render")
    case .emptyDirectory:
      Row(
        .tree, .notice, .clearing, "is a folder that has been empty for more than an hour",
        "nothing to do; fpcache verify --fix removes it")
    case .expired: Row(.tree, .warning, .clearing, "is older than the age allowed", Self.clear)
    case .stale:
      Row(
        .database, .critical, .clearing, "is older than the last change of its content",
        "run fpcache verify --fix, and look for the trigger that queued nothing")
    case .orphan:
      Row(
        .database, .warning, .clearing, "shows what the database no longer has",
        "run fpcache verify --fix")
    case .pending:
      Row(
        .database, .critical, .clearing, "has waited for more than a minute to be cleared",
        "check that fpcache listen runs, or run fpcache listen --once")
    case .backlog:
      Row(
        .database, .critical, .byHand, "has too many rows waiting, or a row waiting for too long",
        "check that fpcache listen runs, or run fpcache listen --once")
    case .missed:
      Row(
        .database, .warning, .byHand, "is a family with changes that no queue announced",
        "look for the trigger that queued nothing; then run fpcache verify --only missed --fix"
      )
    case .heldQueue:
      Row(
        .database, .warning, .byHand,
        "is a queue that a transaction has held for more than a minute",
        "end the transaction")
    case .noListener:
      Row(
        .database, .critical, .byHand, "has no listener on its channels",
        "start fpcache listen and read its log")
    case .nodeLag:
      Row(
        .database, .critical, .byHand, "is a node that has not cleared what others have",
        "check that fpcache listen runs on it, and read its log")
    case .nodeLost:
      Row(
        .database, .critical, .byHand, "is a node that is away, or was away for too long",
        "start fpcache listen on it, or retire it: DELETE FROM fpcache_node WHERE name = ...")
    case .unknownEvent:
      Row(
        .database, .critical, .byHand, "names an event that fpcache does not know",
        "correct script_name in listen_for")
    case .missingTable:
      Row(
        .database, .warning, .byHand, "is a table that this database does not have",
        "create it, or remove its event from listen_for")
    case .noPermission:
      Row(
        .database, .critical, .byHand, "lacks permissions that the listener needs",
        "grant the missing permissions")
    case .riskyTrigger:
      Row(
        .database, .warning, .byHand,
        "is a trigger function that can lose a change silently",
        "add the row by one INSERT ... ON CONFLICT DO NOTHING: see docs/drain-protocol.md")
    case .missingDirectory:
      Row(
        .configuration, .critical, .byHand, "is a configured folder that does not exist",
        "correct the configuration, or create the folder")
    case .oddValue:
      Row(
        .configuration, .warning, .byHand, "is probably a mistake",
        "correct the configuration")
    case .quotedValue:
      Row(
        .configuration, .notice, .byHand, "is in quotes, which are ignored",
        "nothing to do; remove the quotes if no other program needs them")
    case .unusedKey:
      Row(
        .configuration, .notice, .byHand, "is a known key that fpcache does not use",
        "nothing to do; remove the key if no other program needs it")
    }
  }

  package var area: Area { row.area }

  /// Everything needed to look for the code. A code that does not need the tree does not need a cache
  /// directory.
  package var needs: Set<Area> {
    switch self {
    case .stale, .orphan: [.tree, .database, .configuration]
    case .pending: [.tree, .database]
    case .missingDirectory: [.tree, .configuration]
    default: [area]
    }
  }

  package var severity: Severity { row.severity }
  /// One plain sentence about the finding, without its subject.
  package var meaning: String { row.meaning }
  package var remedy: String { row.remedy }
  /// Whether the subject has content that is lost on removal until it is re-created.
  var losesContent: Bool { self != .empty && self != .emptyDirectory }
  /// Whether removing the file, or the empty folder, is safe and fixes the problem.
  package var isFixable: Bool { row.fixing == .clearing }
}
