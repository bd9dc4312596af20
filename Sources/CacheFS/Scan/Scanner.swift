// SPDX-License-Identifier: BSD-2-Clause
//
// A parallel walk of the whole tree by directory descriptor. Each thread gives its entries and errors to its
// own visitor, and no error stops the walk.

import Basics
import SystemPackage

/// The purpose of a walk. Each thread has its own visitor.
package protocol ScanVisitor: Sendable {
  /// Whether to call ``enter(_:_:)``, which costs one kernel call for each folder.
  static var wantsFolders: Bool { get }
  /// Called for each folder, including the cache directory and folders that cannot be listed.
  mutating func enter(_ place: LayoutPlace, _ status: FileStatus)
  /// Called for each folder before its entries.
  mutating func enter(_ folder: ScannedFolder)
  /// Called for everything except folders.
  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher)
  /// Called for each folder after its entries; `entries` counts everything in it.
  mutating func leave(_ folder: ScannedFolder, entries: Int)
  /// Called for what could not be opened or listed, or whose status could not be read.
  mutating func fail(_ failure: PathFailure)
}

extension ScanVisitor {
  package static var wantsFolders: Bool { false }
  package mutating func enter(_ place: LayoutPlace, _ status: FileStatus) {}
  package mutating func enter(_ folder: ScannedFolder) {}
  package mutating func leave(_ folder: ScannedFolder, entries: Int) {}
}

/// A folder on the walk.
package struct ScannedFolder: Sendable {
  let directory: Directory
  let place: LayoutPlace
  /// The path relative to the cache directory, with a trailing slash; empty for the cache directory.
  let prefix: [UInt8]

  /// Whether it is the cache directory itself, which stays open and may have been listed before.
  var isRoot: Bool { prefix.isEmpty }

  package var path: CachePath { CachePath(Array(prefix.dropLast())) }

  /// Whether it lies deeper than any page should.
  fileprivate var isDeep: Bool { prefix.count { $0 == UInt8(ascii: "/") } > OpenChain.heldAlways }
}

/// A file, link or special on the walk. Valid during the visit only.
package struct ScannedEntry: ~Copyable {
  let name: UnsafeBufferPointer<UInt8>
  let folder: ScannedFolder
  package let status: FileStatus
  /// How the layout classifies it.
  package let classification: Classification

  /// The path. It is built only on request.
  package var path: CachePath { CachePath(folder.prefix + Array(name)) }

  /// Passes each field of the entry, as a file of `family`, to `visit`. Some fields may come twice.
  func visitFields(
    of family: Int, _ matcher: inout Matcher, _ visit: (String, UnsafeRawBufferPointer) -> Void
  ) {
    matcher.visitFields(of: name, at: folder.place, family: family, visit)
    guard let hashed = matcher.hashed(family) else { return }
    withHead { head in
      if let key = head.key { visit(hashed.keyField.name, UnsafeRawBufferPointer(key)) }
    }
  }

  /// The value of each field of the layout.
  package func fields(_ matcher: inout Matcher) -> [String: [UInt8]] {
    var fields = matcher.fields(of: name, at: folder.place)
    if let family = classification.family, let hashed = matcher.hashed(family) {
      withHead { head in
        if let key = head.key { fields[hashed.keyField.name] = Array(key) }
      }
    }
    return fields
  }
}

/// Walks one cache directory.
package struct Scanner: Sendable {
  /// The kernel's name cache limits a scan, not the disk. With more than one thread for each core, the
  /// threads only wait for each other (ARCHITECTURE.md, "Threads").
  package static let defaultThreads = 2

  let root: Directory
  let layout: Layout
  let threads: Int
  /// Folders that can hold no page of this family are not entered; nil means the whole tree.
  let family: Int?
  /// Called before each folder, and may wait. The walk ends when it returns false.
  let goesOn: @Sendable () -> Bool

  package init(
    _ root: Directory, layout: Layout, threads: Int = defaultThreads, family: Int? = nil,
    while goesOn: @escaping @Sendable () -> Bool = { true }
  ) {
    self.root = root
    self.layout = layout
    self.threads = threads
    self.family = family
    self.goesOn = goesOn
  }

  /// Walks the tree and returns the visitors, one for each thread. The caller adds them up.
  package func scan<Visitor: ScanVisitor>(
    _ visitor: @escaping @Sendable () -> Visitor
  ) -> [Visitor] {
    let top = ScannedFolder(directory: root, place: LayoutPlace(root: layout), prefix: [])
    let (root, layout, family, goesOn) = (self.root, self.layout, self.family, self.goesOn)
    let workers = WorkPool.run(
      [ScanTask.walk(top)], threads: threads,
      worker: ScanWorker(visitor: visitor(), root, layout, family)
    ) {
      worker, task, pool in
      if goesOn() { worker.perform(task) { pool.push($0) } }
      return false
    }
    return workers.map(\.visitor)
  }
}

/// A piece of work. A folder found by listing is opened only when its turn comes: a category has thousands of
/// ports, and a process has a thousand descriptors.
private enum ScanTask: Sendable {
  case walk(ScannedFolder)
  case enter(name: [UInt8], parent: ScannedFolder)
  /// The rest of a folder whose first subfolders are above this task on the stack. Few subfolders wait at a
  /// time, however many there are.
  case resume(ScannedFolder, entries: Int)
  /// Like `enter`, for a deep parent: a waiting task then holds no descriptor.
  case reach(name: [UInt8], place: LayoutPlace, prefix: [UInt8])
}

/// What one thread of a scan does.
private struct ScanWorker<Visitor: ScanVisitor> {
  /// This many subfolders of a folder are found before they are walked, plus up to one buffer more.
  private static var foldersAtATime: Int { 512 }

  var visitor: Visitor
  private var matcher: Matcher
  private let buffers = ListingBuffers()
  private let root: Directory
  private let family: Int?
  private var chain = OpenChain()

  init(visitor: Visitor, _ root: Directory, _ layout: Layout, _ family: Int?) {
    self.visitor = visitor
    self.root = root
    self.family = family
    matcher = Matcher(layout)
  }

  mutating func perform(_ task: ScanTask, push: (ScanTask) -> Void) {
    switch task {
    case .walk(let folder):
      enter(folder)
      walk(folder, push)
    case .resume(let folder, let entries): walk(folder, entries, push)
    case .enter(let name, let parent):
      let opened = Result { () throws(Errno) in try parent.directory.openDirectory(name) }
      if let folder = folder(name, parent.place, parent.prefix, opened) {
        enter(folder)
        walk(folder, push)
      } else if case .failure(let error) = opened {
        enterUnopened(name, parent.place, in: parent.directory, error)
      }
    case .reach(let name, let place, let prefix):
      let parents = prefix.split(separator: UInt8(ascii: "/")).map(Array.init)
      let opened = reach(parents + [name])
      if let folder = folder(name, place, prefix, opened) {
        enter(folder)
        walk(folder, push)
      } else if case .failure(let error) = opened, Visitor.wantsFolders {
        if let parent = try? reach(parents).get() { enterUnopened(name, place, in: parent, error) }
      }
    }
  }

  private mutating func reach(_ names: [[UInt8]]) -> Result<Directory, Errno> {
    do throws(OpenChain.Failure) {
      return .success(try chain.open(names, from: root))
    } catch {
      return .failure(error.error)
    }
  }

  private mutating func enter(_ folder: ScannedFolder) {
    if Visitor.wantsFolders, let status = try? folder.directory.status() {
      visitor.enter(folder.place, status)
    }
  }

  /// A folder that cannot be opened may still have a status, if the process may search its parent. A mounted
  /// file system is not part of this tree.
  private mutating func enterUnopened(
    _ name: [UInt8], _ place: LayoutPlace, in parent: Directory, _ error: Errno
  ) {
    guard Visitor.wantsFolders, error != .improperLink else { return }
    let status = try? Directory.withCName(name) { (name) throws(Errno) in try parent.status(name) }
    guard let status, status.type == .directory else { return }
    visitor.enter(name.withUnsafeBufferPointer { matcher.enter($0, at: place) }, status)
  }

  private mutating func walk(_ folder: ScannedFolder, _ push: (ScanTask) -> Void) {
    do throws(Errno) {
      if folder.isRoot { try folder.directory.rewind() }
    } catch {
      return visitor.fail(PathFailure(path: folder.path, error: error))
    }
    walk(folder, 0, push)
  }

  /// - Parameter seen: how many of the folder's entries were listed before.
  private mutating func walk(_ folder: ScannedFolder, _ seen: Int, _ push: (ScanTask) -> Void) {
    let buffer = buffers.take()
    defer { buffers.give(buffer) }
    var entries = seen
    var found: [ScanTask] = []
    if seen == 0 { visitor.enter(folder) }
    do throws(Errno) {
      var hasMore = true
      while hasMore {
        hasMore = try folder.directory.listNext(buffer) { name, length, type in
          entries += 1
          let bytes = UnsafeBufferPointer(
            start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: length)
          let type = type == .unknown ? folder.directory.type(of: name) : type
          if type == .directory {
            if let task = task(Array(bytes), folder) { found.append(task) }
          } else {
            visit(name, bytes, of: folder)
          }
        }
        // The descriptor of a deep folder is not kept for later.
        guard hasMore, found.count >= Self.foldersAtATime, !folder.isDeep else { continue }
        push(.resume(folder, entries: entries))
        found.forEach(push)
        return
      }
      visitor.leave(folder, entries: entries)
    } catch {
      // getdents64(2) fails with ENOENT for a folder that was removed after it was opened.
      if error != .noSuchFileOrDirectory {
        visitor.fail(PathFailure(path: folder.path, error: error))
      }
    }
    found.forEach(push)
  }

  private mutating func task(_ name: [UInt8], _ folder: ScannedFolder) -> ScanTask? {
    if let family {
      let place = name.withUnsafeBufferPointer { matcher.enter($0, at: folder.place) }
      guard place.rows.contains(where: { $0.family == family }) else { return nil }
    }
    if !folder.isDeep { return .enter(name: name, parent: folder) }
    // Longer than any path by which a page could be requested.
    guard folder.prefix.count + name.count <= FieldKind.longestPath else {
      visitor.fail(PathFailure(path: CachePath(folder.prefix + name), error: .fileNameTooLong))
      return nil
    }
    return .reach(name: name, place: folder.place, prefix: folder.prefix)
  }

  /// The opened folder; nil when the failure was reported or need not be.
  private mutating func folder(
    _ name: [UInt8], _ place: LayoutPlace, _ prefix: [UInt8], _ opened: Result<Directory, Errno>
  ) -> ScannedFolder? {
    switch opened {
    case .success(let directory):
      return ScannedFolder(
        directory: directory,
        place: name.withUnsafeBufferPointer { matcher.enter($0, at: place) },
        prefix: name.withUnsafeBufferPointer { prefix.appending(folder: $0) })
    case .failure(.noSuchFileOrDirectory): return nil
    case .failure(let error):
      visitor.fail(PathFailure(path: CachePath(prefix + name), error: error))
      return nil
    }
  }

  private mutating func visit(
    _ name: CName, _ bytes: UnsafeBufferPointer<UInt8>, of folder: ScannedFolder
  ) {
    do throws(Errno) {
      let entry = ScannedEntry(
        name: bytes, folder: folder, status: try folder.directory.status(name),
        classification: matcher.classify(bytes, at: folder.place))
      visitor.visit(entry, &matcher)
    } catch {
      // Gone since the listing: nothing to report.
      if error != .noSuchFileOrDirectory {
        visitor.fail(PathFailure(path: CachePath(folder.prefix + Array(bytes)), error: error))
      }
    }
  }
}
