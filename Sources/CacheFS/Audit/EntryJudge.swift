// SPDX-License-Identifier: BSD-2-Clause
//
// How one thread of an audit judges the entries of the walk. The findings are only suspicions; SecondLook.swift
// checks them again.
//
// An entry without a fault costs comparisons and no allocation. The rules of a family are prepared in advance.
// Whatever a folder's own name decides is decided once, when the walk enters the folder.

import Basics
import SystemPackage

/// Judges entries.
struct EntryJudge: ScanVisitor {
  private let query: VerifyQuery
  private let layout: Layout
  private let rules: [FamilyRule]
  private var namings: NameTeller
  private let limits: TimeLimits
  private(set) var suspects: [Finding] = []
  private(set) var files = 0
  /// Folders on read-only mounts. Folders below such a folder are left out where this is easy to see.
  private(set) var readOnlyFolders: [(path: CachePath, Ownership)] = []
  private var here: FolderView

  init(_ query: VerifyQuery, _ layout: Layout, _ namings: NameTeller) {
    self.query = query
    self.layout = layout
    self.namings = namings
    rules = FamilyRule.all(query, layout)
    limits = TimeLimits(query)
    here = FolderView(tables: query.changes.count)
  }

  private func wants(_ code: FindingCode) -> Bool { query.codes.contains(code) }

  /// Removes and returns the last suspicion.
  mutating func takeSuspect() -> Finding? { suspects.popLast() }

  private mutating func suspect(
    _ code: FindingCode, _ entry: borrowing ScannedEntry, _ evidence: Finding.Evidence = .none
  ) {
    var finding = Finding(code, entry.path, evidence)
    if code == .orphan { finding.written = entry.status.modified }
    if let family = entry.classification.family { finding.isRecreated = rules[family].isRecreated }
    suspects.append(finding)
  }

  // MARK: Files

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    files += 1
    if let family = entry.classification.family, rules[family].isCleared {
      here.pages += 1
      if here.asksOwners { judgeOwner(entry) }
    }
    if let (code, evidence) = fault(entry, &matcher) { suspect(code, entry, evidence) }
  }

  /// The worst fault of an entry, among the requested codes.
  private mutating func fault(
    _ entry: borrowing ScannedEntry, _ matcher: inout Matcher
  ) -> (FindingCode, Finding.Evidence)? {
    let type = entry.status.type
    if type != .file {
      let code = type == .symbolicLink ? FindingCode.symlink : .special
      return wants(code) ? (code, .none) : nil
    }
    guard let index = entry.classification.family else { return unknown(entry) }
    let rule = rules[index]
    if !entry.classification.hasKnownShape {
      // Whatever it is, a clear treats it as a page, and no page is empty.
      if entry.status.size == 0, rule.isCleared, wants(.empty) { return (.empty, .unshaped) }
      return unknown(entry)
    }
    if rule.isDated, let fault = dateFault(entry, index, &matcher) { return fault }
    if rule.takesAllNames, wants(.misplaced) {
      let families = namings.families(ofMoreTelling: entry.name)
      if !families.isEmpty { return (.misplaced, .families(families)) }
    }
    if rule.hashed != nil, let fault = headFault(entry) { return fault }
    return rule.isCleared ? pageFault(entry, index, rule, &matcher) : nil
  }

  /// An entry that is not a page of its place. It may be a page of another place.
  private mutating func unknown(_ entry: borrowing ScannedEntry) -> (FindingCode, Finding.Evidence)?
  {
    if wants(.misplaced) {
      let families = namings.families(of: entry.name)
      if !families.isEmpty { return (.misplaced, .families(families)) }
    }
    return wants(.unknown) ? (.unknown, .none) : nil
  }

  /// A fault in the content or the age of a page, according to its status.
  private func pageFault(
    _ entry: borrowing ScannedEntry, _ index: Int, _ rule: FamilyRule, _ matcher: inout Matcher
  ) -> (FindingCode, Finding.Evidence)? {
    let (size, written) = (entry.status.size, entry.status.modified)
    if written > limits.future, wants(.futureDate) { return (.futureDate, .written(written)) }
    if rule.isSpool || rule.hashed != nil && entry.name.count != MD5.digits {
      // A page that is being written may have any size.
      guard written < limits.leftover, wants(.spoolLeftover) else { return nil }
      return (.spoolLeftover, .written(written))
    }
    if size == 0, wants(.empty) { return (.empty, .none) }
    if size < rule.leastSize, wants(.stub) {
      return (.stub, .size(size, least: rule.leastSize))
    }
    if rule.table >= 0, let fault = changeFault(entry, rule.table, &matcher) { return fault }
    if written < limits.expiry, wants(.expired) { return (.expired, .written(written)) }
    return nil
  }

  /// A fault in the head of a file of a hashed family.
  private func headFault(
    _ entry: borrowing ScannedEntry
  ) -> (FindingCode, Finding.Evidence)? {
    guard entry.name.count == MD5.digits, entry.status.size > 0,
      wants(.stub) || wants(.misplaced) || wants(.unreadable)
    else { return nil }
    let written = entry.status.modified
    let name = Array(entry.name)
    do throws(Errno) {
      let fault = try entry.readHead { (head) -> (FindingCode, Finding.Evidence)? in
        switch head.reading {
        case .foreign: (.unreadable, .error(.isForeign))
        case .damaged: (.stub, .written(written))
        case .head where !head.isWhole: (.stub, .written(written))
        case .head: head.isNamed(name) ? nil : (.misplaced, .written(written))
        }
      }
      return fault.flatMap { wants($0.0) ? $0 : nil }
    } catch {
      // Removed, or replaced by a link, since the listing.
      guard error != .noSuchFileOrDirectory, error != .tooManySymbolicLinkLevels else { return nil }
      return wants(.unreadable) ? (.unreadable, .error(error)) : nil
    }
  }

  private func changeFault(
    _ entry: borrowing ScannedEntry, _ table: Int, _ matcher: inout Matcher
  ) -> (FindingCode, Finding.Evidence)? {
    let written = entry.status.modified
    switch here.verdicts[table] ?? query.changes[table].verdict(of: entry, &matcher) {
    case .unjudged, .changed(nil): return nil
    case .absent:
      guard query.changes[table].judgesOrphans, written < limits.orphan, wants(.orphan) else {
        return nil
      }
      return (.orphan, .none)
    case .changed(let changed?):
      guard written < clampedDifference(changed, limits.allowance), wants(.stale) else {
        return nil
      }
      return (
        .stale,
        .changed(written: written, changed: clampedDifference(changed, limits.wholeLead))
      )
    }
  }

  private func dateFault(
    _ entry: borrowing ScannedEntry, _ index: Int, _ matcher: inout Matcher
  ) -> (FindingCode, Finding.Evidence)? {
    var (year, month, day): (Int?, Int?, Int?)
    entry.visitFields(of: index, &matcher) { name, value in
      switch name {
      case "year": year = CalendarDate.number(value, digits: 4)
      case "month": month = CalendarDate.number(value, digits: 2)
      case "day": day = CalendarDate.number(value, digits: 2)
      default: break
      }
    }
    guard let year, let month, let day else { return nil }
    guard let date = CalendarDate(year: year, month: month, day: day) else {
      return wants(.badDate) ? (.badDate, .none) : nil
    }
    return date > limits.lastDay && wants(.futureDate) ? (.futureDate, .day(date)) : nil
  }

  // MARK: Folders

  mutating func enter(_ folder: ScannedFolder) {
    here.reset()
    for (index, table) in query.changes.enumerated() {
      if let row = folder.place.rows.first(where: { $0.family == table.family }) {
        here.verdicts[index] = table.verdict(inFolderOf: row)
      }
    }
    guard wants(.notClearable) || wants(.emptyDirectory) || wants(.unknown) else { return }
    here.ownership = try? folder.directory.ownership()
    if wants(.notClearable), let ownership = here.ownership { judgeRights(folder, ownership) }
  }

  private mutating func judgeRights(_ folder: ScannedFolder, _ ownership: Ownership) {
    if folder.directory.isReadOnly {
      // Report the mount, not each of its folders.
      if readOnlyFolders.last.map({ !folder.prefix.starts(with: $0.path.bytes) }) ?? true {
        readOnlyFolders.append((CachePath(folder.prefix), ownership))
      }
      return
    }
    here.denial = folder.directory.denial(of: query.actor, ownership)
    here.asksOwners =
      here.denial == nil && !query.actor.isRoot && ownership.isSticky
      && ownership.owner != query.actor.user
  }

  private mutating func judgeOwner(_ entry: borrowing ScannedEntry) {
    let directory = entry.folder.directory
    guard let folder = here.ownership,
      let file = try? Directory.withCName(
        Array(entry.name), { (name) throws(Errno) in try directory.ownership(of: name) }),
      query.actor.isBarred(from: file, in: folder)
    else { return }
    suspect(.notClearable, entry, .denied(Denial(.sticky, query.actor, file)))
  }

  mutating func leave(_ folder: ScannedFolder, entries: Int) {
    if let reason = here.denial, let ownership = here.ownership,
      reason == .write ? here.pages > 0 : entries > 0 && !folder.place.rows.isEmpty
    {
      let denial = Denial(reason, query.actor, ownership, pages: here.pages)
      suspects.append(Finding(.notClearable, folder.path.orDot, .denied(denial)))
    }
    if entries == 0, !folder.place.isOfLayout, !folder.prefix.isEmpty { judgeEmpty(folder) }
  }

  private mutating func judgeEmpty(_ folder: ScannedFolder) {
    // A folder is normally empty between the clear of a page and its next visitor.
    guard let ownership = here.ownership, ownership.modified < limits.leftover else { return }
    if folder.place.rows.isEmpty {
      if wants(.unknown) { suspects.append(Finding(.unknown, folder.path)) }
    } else if wants(.emptyDirectory), !folder.directory.isMountPoint {
      suspects.append(Finding(.emptyDirectory, folder.path, .written(ownership.modified)))
    }
  }

  mutating func fail(_ failure: PathFailure) {
    guard wants(.unreadable) else { return }
    suspects.append(Finding(.unreadable, failure.path.orDot, .error(failure.error)))
  }
}

/// What the walk's current folder decides about its entries.
private struct FolderView {
  var ownership: Ownership?
  var denial: Denial.Reason?
  var asksOwners = false
  /// How many pages are in it.
  var pages = 0
  /// What each table says about all pages of its family here; nil when each page must be looked up.
  var verdicts: [ChangeTable.Verdict?]

  init(tables: Int) { verdicts = Array(repeating: nil, count: tables) }

  mutating func reset() {
    ownership = nil
    denial = nil
    asksOwners = false
    pages = 0
    for index in verdicts.indices { verdicts[index] = nil }
  }
}

/// The rules for the pages of a family.
private struct FamilyRule {
  let isCleared: Bool
  let isRecreated: Bool
  let isSpool: Bool
  let isDated: Bool
  let hashed: HashedTree?
  /// Whether it matches every name that looks like a page, in any folder.
  let takesAllNames: Bool
  /// In bytes; 0 means that any size is valid.
  let leastSize: Int64
  /// The index of its change table; -1 when there is none.
  let table: Int

  static func all(_ query: VerifyQuery, _ layout: Layout) -> [FamilyRule] {
    layout.families.enumerated().map { index, family in
      FamilyRule(
        isCleared: family.clearing != .never, isRecreated: family.isRecreated,
        isSpool: index == layout.spool,
        isDated: ["year", "month", "day"].allSatisfy { family.field(named: $0) != nil },
        hashed: family.hashed, takesAllNames: family.takesAllNames,
        leastSize: query.leastSizes[family.name] ?? 0,
        table: query.changes.firstIndex { $0.family == index } ?? -1)
    }
  }
}

/// The times to compare pages with, by the file system's clock.
private struct TimeLimits {
  /// A file in the spool written before this is a leftover. A folder unchanged since before this has been
  /// empty for long.
  let leftover: Int64
  /// A page written after this has a time in the future.
  let future: Int64
  /// A page written before this has expired.
  let expiry: Int64
  /// A page written after this may have content that is newer than the database query.
  let orphan: Int64
  /// The tolerance when a page's time is compared with the time of a change.
  let allowance: Int64
  /// How far the database's clock is ahead, in whole seconds, for displayed times.
  let wholeLead: Int64
  /// The last day that has already begun somewhere on earth.
  let lastDay: CalendarDate

  init(_ query: VerifyQuery) {
    let second: Int64 = 1_000_000_000
    leftover = query.now - 3600 * second
    future = query.now + 86_400 * second
    expiry = query.modifiedBefore ?? .min
    allowance = clampedSum(query.clocks.lead, query.clocks.allowance)
    wholeLead = query.clocks.lead / second * second
    orphan = clampedDifference(
      clampedDifference(query.clocks.asked, allowance), 60 * second)
    // UTC+14 is the earliest time zone.
    lastDay = CalendarDate(secondsSinceEpoch: (query.now / second) + 14 * 3600)
  }
}

extension CachePath {
  /// The path, with `.` for the cache directory's own path, which is empty.
  var orDot: CachePath { bytes.isEmpty ? CachePath([UInt8(ascii: ".")]) : self }
}
