// SPDX-License-Identifier: BSD-2-Clause
//
// What one thread of a clear does: it opens, lists, matches and unlinks, and counts what it did.

import Basics
import SystemPackage

struct ClearWorker {
  let clearer: Clearer
  let keys: [CacheKey]
  /// The sweeps that the last keys stand for, where a file's name does not show its key.
  let sweeps: [KeySweep]
  /// The indices of the keys, in the order in which tasks name them.
  private let order: [Int]
  var matcher: Matcher
  private var chain: OpenChain
  private let buffer: ListingBuffers
  /// What this thread did, by the index of the key. One key may have several parts, in order of the work.
  private(set) var reports: [(index: Int, report: ClearReport)] = []
  /// How many files it has unlinked.
  private(set) var removals = 0
  /// Where folders of keys were missing, if the plan asks for it.
  private(set) var absences: [AbsentKeys.Missing] = []
  /// The modification time of the last file that it removed.
  private var lastModified: Int64 = 0

  init(_ clearer: Clearer, _ plan: ClearPlan) {
    self.clearer = clearer
    keys = plan.keys
    sweeps = plan.sweeps
    order = plan.order
    matcher = clearer.matchers.take()
    chain = OpenChain(takesAbsenceForGood: true, keepsStates: plan.notesAbsence)
    buffer = ListingBuffers()
  }

  /// - Parameter push: gives a task to another thread; false means that this thread must do it.
  mutating func perform(_ task: ClearTask, push: (ClearTask) -> Bool) {
    switch task {
    case .keys(let range):
      for index in order[range] {
        if isStopped(before: index) { continue }
        clear(index, push)
      }
    case .folder(let index, let found):
      if isStopped(before: index) { return }
      let name = found.name + [0]
      name.withUnsafeBytes { bytes in
        guard let name = bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
          let folder = open(name, found.name.count, found.row, index, found.parent)
        else { return }
        clear(index, in: folder, push)
      }
    }
  }

  /// Whether nothing new may begin. If so, the key's report records it.
  private mutating func isStopped(before index: Int) -> Bool {
    guard clearer.watch?.stopped == true else { return false }
    report(index) { $0.isPartial = true }
    return true
  }

  // MARK: Down to the first folder that must be listed

  private mutating func clear(_ index: Int, _ push: (ClearTask) -> Bool) {
    let key = keys[index]
    // A pattern is for the sweep, which reads the heads of the files.
    if key.hashed?.glob != nil { return }
    let components = matcher.components(of: key.family)
    var names: [[UInt8]] = []
    names.reserveCapacity(components.count)
    while names.count + 1 < components.count,
      let name = components[names.count].render({ key.value(of: $0.name) })
    {
      names.append(name)
    }
    let depth = names.count
    let isLast = depth + 1 == components.count
    let tail = isLast ? tailFolders(of: key) : []
    names += tail
    // Most keys of a long queue have no folder; only those that have one continue here.
    guard let directory = open(names, index) else { return }
    let bound = key.shown.filter { binding in
      components.prefix(depth).contains { $0.fields.contains { $0.name == binding.field } }
    }
    let row = PlacedRow(
      family: key.family, component: depth, bound: bound, tail: Self.path(ofFolders: tail))
    let folder = OpenFolder(
      directory: directory, row: row, path: Self.path(ofFolders: names), turn: chain.turn)
    if isLast, let name = components[depth].render({ key.value(of: $0.name) }) {
      // Never use a path: the kernel would follow a link among its folders.
      removeByName(Array(name.split(separator: UInt8(ascii: "/")).last ?? []), index, folder)
    } else {
      clear(index, in: folder, push)
    }
  }

  private static func path(ofFolders names: [[UInt8]]) -> [UInt8] {
    var path: [UInt8] = []
    path.reserveCapacity(names.reduce(0) { $0 + $1.count + 1 })
    for name in names {
      path += name
      path.append(UInt8(ascii: "/"))
    }
    return path
  }

  /// The folders that a key names inside its family's tail: those of `{file...}` or `{page...}`.
  private func tailFolders(of key: CacheKey) -> [[UInt8]] {
    guard let path = tailPath(of: key) else { return [] }
    return path.split(separator: UInt8(ascii: "/")).dropLast().map(Array.init)
  }

  /// The value of a field that spans components, when the key binds one.
  private func tailPath(of key: CacheKey) -> [UInt8]? {
    for field in matcher.spanningFields(of: key.family) {
      if let value = key.value(of: field) { return value }
    }
    return nil
  }

  /// Opens the folder, or reports why not. A folder that does not exist holds nothing to clear.
  private mutating func open(_ names: [[UInt8]], _ index: Int) -> Directory? {
    do throws(OpenChain.Failure) {
      return try chain.open(names, from: clearer.root)
    } catch {
      if let state = error.parent, error.error == .noSuchFileOrDirectory {
        noteAbsence(index, in: names.prefix(error.depth), state)
      }
      if !Self.saysAbsent(error.error), !error.isPlainFile {
        fail(index, Array(names.prefix(error.depth + 1).joined(separator: [0x2F])), error.error)
      }
      return nil
    }
  }

  /// Neighbouring keys are missing in the same folder.
  private mutating func noteAbsence(
    _ index: Int, in path: ArraySlice<[UInt8]>, _ state: FolderState
  ) {
    if absences.last?.place.state != state || absences.last?.place.path[...] != path {
      let place = AbsentKeys.Place(path: Array(path), state: state)
      absences.append(AbsentKeys.Missing(place: place, keys: []))
    }
    absences[absences.count - 1].keys.append(index)
  }

  // MARK: In a folder

  private mutating func clear(
    _ index: Int, in folder: OpenFolder, _ push: (ClearTask) -> Bool
  ) {
    let isLast = folder.row.component + 1 == matcher.components(of: folder.row.family).count
    if isLast, isSeen(index, folder) { return }
    list(index, folder) { worker, name, length, type in
      // A link in place of a folder is tried and reported. What it leads to is not cleared.
      if type == .directory || (type == .symbolicLink && !isLast) {
        guard let row = worker.row(of: name, length, index, folder) else { return false }
        if isLast {
          worker.emptyFolder(name, length, index, row, of: folder)
        } else {
          let name = Array(Self.bytes(name, length))
          let task = ClearTask.folder(
            key: index, FoundFolder(name: name, row: row, parent: folder))
          if !push(task) { worker.perform(task, push: push) }
        }
        return false
      }
      guard isLast, worker.isWanted(name, length, index, folder.row),
        let owner = worker.owner(of: name, length, type, index, folder)
      else { return false }
      return worker.remove(name, length, owner, folder)
    }
  }

  /// Clears a folder within a tail, and removes it when the key covers all of it.
  private mutating func emptyFolder(
    _ name: CName, _ length: Int, _ index: Int, _ row: PlacedRow, of parent: OpenFolder
  ) {
    // A key of one file names its folder: it does not cover the folders beside and below.
    if let path = tailPath(of: keys[index]), !path.starts(with: row.tail) { return }
    guard let child = open(name, length, row, index, parent) else { return }
    let before = removals
    if row.isDeep { emptyDeep(index, child) } else { clear(index, in: child, { _ in false }) }
    // When only some pages are removed, a folder without any of them is left alone.
    if clearer.choice != nil, removals == before { return }
    removeFolder(name, index, child, of: parent.directory)
  }

  /// Removes an emptied folder if its key covers everything in it.
  mutating func removeFolder(
    _ name: CName, _ index: Int, _ child: OpenFolder, of parent: Directory
  ) {
    guard isUnfiltered(index, child.row), clearer.dryRun == .no else { return }
    do throws(Errno) {
      try parent.removeDirectory(name, clearer.kernel)
    } catch {
      // Not empty: a page was written meanwhile, or a page could not be removed and was reported. Busy: a
      // file system is mounted there, and its pages are gone.
      switch error {
      case .noSuchFileOrDirectory, .directoryNotEmpty, .fileExists, .resourceBusy: break
      default: fail(index, Array(child.path.dropLast()), error)
      }
    }
  }

  /// The row in the folder `name`, if it may hold pages of the key.
  mutating func row(
    of name: CName, _ length: Int, _ index: Int, _ folder: OpenFolder
  ) -> PlacedRow? {
    let bytes = Self.bytes(name, length)
    guard let row = matcher.enter(bytes, folder.row), agrees(row, with: keys[index]) else {
      return nil
    }
    if isInTail(row, bytes) { return row }
    if row.isTooLong { fail(index, folder.path + Array(bytes), .fileNameTooLong) }
    return nil
  }

  /// Opens the folder `name` of another, or reports why not.
  private mutating func open(
    _ name: CName, _ length: Int, _ row: PlacedRow, _ index: Int, _ folder: OpenFolder
  ) -> OpenFolder? {
    let path = folder.path + Array(Self.bytes(name, length)) + [UInt8(ascii: "/")]
    do throws(Errno) {
      let directory = try folder.directory.openDirectory(name)
      return OpenFolder(directory: directory, row: row, path: path, turn: .first)
    } catch {
      if error != .noSuchFileOrDirectory { fail(index, Array(path.dropLast()), error) }
      return nil
    }
  }

  /// Whether a folder's name may begin or continue the tail (news does not touch hidden names).
  private func isInTail(_ row: PlacedRow, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    let component = matcher.components(of: row.family)[row.component]
    guard !row.tail.isEmpty, let field = component.fields.last else { return true }
    return field.kind.accepts(row.tail.dropLast())
  }

  private func agrees(_ row: PlacedRow, with key: CacheKey) -> Bool {
    row.bound.allSatisfy { binding in
      key.value(of: binding.field).map { $0 == binding.value } ?? true
    }
  }

  /// Whether no file in the key's tail is spared, because the folders have already shown all that the key
  /// binds.
  private func isUnfiltered(_ index: Int, _ row: PlacedRow) -> Bool {
    clearer.branches == nil && clearer.layout.rows[row.family].clearing == .everything
      && keys[index].bindings.allSatisfy { binding in
        row.bound.contains { $0.field == binding.field }
      }
  }

  /// Whether the file is a page of the key, and of a requested branch.
  mutating func isWanted(
    _ name: CName, _ length: Int, _ index: Int, _ row: PlacedRow
  ) -> Bool {
    let key = keys[index]
    let branches = clearer.branches
    var isOfBranch = branches == nil
    var disagrees = false
    // Usually the folders have shown all that the key binds, and the set takes no memory.
    let shown = key.shown
    var unseen = Set(
      shown.indices.lazy.filter { place in
        !row.bound.contains { $0.field == shown[place].field }
      })
    if let branches {
      isOfBranch = row.bound.contains { $0.field == "branch" && branches.contains($0.value) }
    }
    let known = matcher.match(Self.bytes(name, length), row) { field, value in
      if let wanted = key.value(of: field.name) {
        if !value.elementsEqual(wanted) { disagrees = true }
        shown.see(field.name, &unseen)
      }
      if let branches, field.name == "branch", branches.contains(Array(value)) {
        isOfBranch = true
      }
    }
    guard known != nil, !disagrees, unseen.isEmpty, isOfBranch else { return false }
    return !isBeingWritten(name, length, row)
  }

  /// More listings of a folder than any file system needs. A writer that sets old times on its files must not
  /// block the clear.
  private static let mostListings = 64

  /// Lists the folder again until a listing removes no file that was there before. A listing that took
  /// several calls may miss entries that moved while others were deleted. Files written meanwhile do not
  /// cause another listing, because a fast writer would then keep the clear from ending.
  /// docs/drain-protocol.md says why such files need not be removed.
  mutating func list(
    _ index: Int, _ folder: OpenFolder,
    _ body: (inout ClearWorker, CName, Int, EntryType) -> Bool
  ) {
    let buffer = self.buffer.take()
    defer { self.buffer.give(buffer) }
    let failures = failureCount(index)
    var turn = folder.turn
    let began = currentTime()
    let watch = clearer.watch
    do throws(Errno) {
      for _ in 0..<Self.mostListings {
        var removed = 0
        var isWrittenTo = false
        var isStopped = false
        let stop = {
          isStopped = watch?.stopped == true
          return isStopped
        }
        let calls = try folder.directory.listToRemove(
          buffer, turn, until: stop, whenWrittenTo: { isWrittenTo }
        ) { name, length, type in
          let type = type == .unknown ? folder.directory.type(of: name) : type
          guard body(&self, name, length, type) else { return }
          if lastModified < began { removed += 1 } else { isWrittenTo = true }
        }
        if isStopped {
          let path = CachePath(Array(folder.path.dropLast()))
          report(index) {
            $0.isPartial = true
            $0.cutShort = path
          }
        }
        if calls <= 2 || removed == 0 || isStopped || clearer.dryRun == .yes { return }
        turn = .again
        // A failure in this listing occurs again in the next one, or its entry is gone by then.
        if failureCount(index) > failures {
          report(index) { $0.failures.removeSubrange(failures...) }
        }
      }
    } catch {
      // getdents64(2) fails with ENOENT for a folder that was removed after it was opened.
      if error != .noSuchFileOrDirectory { fail(index, Array(folder.path.dropLast()), error) }
    }
  }

  /// Whether an error means that there is no such page. No page can have a name that is too long for the file
  /// system (some store no more than 143 bytes).
  private static func saysAbsent(_ error: Errno) -> Bool {
    error == .noSuchFileOrDirectory || error == .fileNameTooLong
  }

  // MARK: The last call

  private mutating func removeByName(_ name: [UInt8], _ index: Int, _ folder: OpenFolder) {
    (name + [0]).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
      if isWanted(base, name.count, index, folder.row) {
        noteVariants(of: base, index, folder)
        _ = remove(base, name.count, index, folder)
      }
    }
  }

  /// Removes one file. Returns whether this call removed it.
  mutating func remove(
    _ name: CName, _ length: Int, _ index: Int, _ folder: OpenFolder
  ) -> Bool {
    do throws(Errno) {
      let status = try folder.directory.status(name)
      if status.type == .directory { return false }
      if let choice = clearer.choice, !choice(status, { Self.path(of: name, length, folder) }) {
        return false
      }
      if clearer.dryRun == .yes {
        let ghosts = clearer.ghosts
        if ghosts?.remove(Self.path(of: name, length, folder)) == false { return false }
      } else {
        report(index) { $0.matched = true }
        try folder.directory.unlink(name, clearer.kernel)
        removals += 1
      }
      lastModified = status.modified
      clearer.watch?.removed(status.size)
      let path = clearer.pathList == .kept ? Self.path(of: name, length, folder) : nil
      report(index) {
        $0.matched = true
        $0.filesRemoved += 1
        $0.bytesRemoved = clampedSum($0.bytesRemoved, status.size)
        if let path { $0.removed.append(path) }
      }
      return true
    } catch {
      // Another process was faster. The page is gone, as requested.
      if Self.saysAbsent(error) { return false }
      report(index) { $0.matched = true }
      fail(index, Self.path(of: name, length, folder).bytes, error)
      return false
    }
  }

  static func path(of name: CName, _ length: Int, _ folder: OpenFolder) -> CachePath {
    CachePath(folder.path + Array(bytes(name, length)))
  }

  mutating func fail(_ index: Int, _ path: [UInt8], _ error: Errno) {
    report(index) { $0.failures.append(PathFailure(path: CachePath(path), error: error)) }
  }

  mutating func report(_ index: Int, _ change: (inout ClearReport) -> Void) {
    if reports.last?.index != index { reports.append((index, ClearReport())) }
    change(&reports[reports.count - 1].report)
  }

  /// The number of failures in the part of the report that is being written.
  private func failureCount(_ index: Int) -> Int {
    guard let last = reports.last, last.index == index else { return 0 }
    return last.report.failures.count
  }

  static func bytes(_ name: CName, _ length: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: length)
  }
}

extension [BoundField] {
  /// Removes the bindings of `field` from those that a name must still show.
  fileprivate func see(_ field: String, _ unseen: inout Set<Int>) {
    for index in indices where self[index].field == field { unseen.remove(index) }
  }
}
