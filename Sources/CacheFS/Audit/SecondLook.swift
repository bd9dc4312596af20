// SPDX-License-Identifier: BSD-2-Clause
//
// Looking again at what is accused: a page that has gone since, or has been written anew, is none.

import Basics
import SystemPackage

/// Confirms suspicions, each by what it accuses.
struct SecondLook {
  /// A page of which a byte was written so shortly ago may be in the middle of it: where it is copied into
  /// place, it is empty at first, and grows. In nanoseconds.
  fileprivate static let writing: Int64 = 1_000_000_000
  /// How far another machine's clock may be ahead of the file system's, in nanoseconds.
  private static let aheadAtMost: Int64 = 60_000_000_000
  /// How long a listener may need that has retired a row already and empties the news for it, which
  /// it does last of all, in milliseconds.
  private static let clearing = 1000

  private let root: Directory
  private let query: VerifyQuery
  private var chain = OpenChain()

  init(_ root: Directory, _ query: VerifyQuery) {
    self.root = root
    self.query = query
  }

  /// Gives what is under way the time to come to its end: a page that is too small and was written
  /// just now, and one that is older than what it shows.
  mutating func wait(for suspects: [Finding]) {
    let hasOld = suspects.contains { $0.code == .stale || $0.code == .orphan }
    let now = fileSystemTime
    let youngest = suspects.compactMap { suspect in
      suspect.code.isOfSize ? suspect.path.flatMap { status($0)?.modified } : nil
    }.filter { Self.isBeingWritten($0, now: now) }.max()
    // Times of files move on by some milliseconds at once.
    let left = youngest.map { (Self.writing - max(0, clampedDifference(now, $0))) / 1_000_000 + 20 }
    pause(milliseconds: max(left.map(Int.init) ?? 0, hasOld ? Self.clearing : 0))
  }

  /// Whether a time is that of something that may be written just now. One further ahead than a clock may
  /// be was set by somebody, and says nothing.
  fileprivate static func isBeingWritten(_ modified: Int64, now: Int64) -> Bool {
    let age = clampedDifference(now, modified)
    return age < writing && age > -aheadAtMost
  }

  private var fileSystemTime: Int64 { root.fileSystemTime() ?? currentTime() }

  /// Whether what was found is still so.
  mutating func confirms(_ suspect: Finding) -> Bool {
    // What is no path is not looked for in the tree.
    guard let path = suspect.path else { return true }
    return switch suspect.code {
    // Whatever else it was, what is gone is no finding; what can be read by now was not when it
    // mattered, and is left for the next audit to look into.
    case .unreadable: path.isDot || exists(path)
    case .emptyDirectory: confirmsEmptyFolder(suspect, path)
    case .notClearable: confirmsDenial(suspect, path)
    case .unknown: exists(path)
    case .symlink: status(path)?.type == .symbolicLink
    case .special: status(path)?.type == .special
    default: status(path).map { suspect.isStillSo($0, now: fileSystemTime) } ?? false
    }
  }

  // MARK: Asking again

  private mutating func status(_ path: CachePath) -> FileStatus? {
    guard let (folder, name) = folder(of: path) else { return nil }
    return try? Directory.withCName(name) { (name) throws(Errno) in try folder.status(name) }
  }

  private mutating func exists(_ path: CachePath) -> Bool { status(path) != nil }

  /// The folder that a path lies in, and its last name.
  private mutating func folder(of path: CachePath) -> (Directory, [UInt8])? {
    let names = path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard let name = names.last, let folder = try? chain.open(names.dropLast(), from: root) else {
      return nil
    }
    return (folder, name)
  }

  /// Opens a folder by its path, without keeping it: the next may be the same one, changed.
  private mutating func open(_ path: CachePath) throws(Errno) -> Directory {
    if path.isDot { return root }
    guard let (folder, name) = folder(of: path) else { throw .noSuchFileOrDirectory }
    return try folder.openDirectory(name)
  }

  private mutating func confirmsEmptyFolder(_ suspect: Finding, _ path: CachePath) -> Bool {
    guard let folder = try? open(path), let ownership = try? folder.ownership(),
      suspect.evidence == .written(ownership.modified)
    else { return false }
    let buffers = ListingBuffers()
    let buffer = buffers.take()
    defer { buffers.give(buffer) }
    var isEmpty = true
    _ = try? folder.list(buffer) { _, _, _ in isEmpty = false }
    return isEmpty
  }

  private mutating func confirmsDenial(_ suspect: Finding, _ path: CachePath) -> Bool {
    guard case .denied(let denial) = suspect.evidence else { return false }
    switch denial.reason {
    case .readOnlyMount: return (try? open(path).isReadOnly) ?? false
    case .sticky: return exists(path)
    case .enter, .list, .write:
      guard let folder = try? open(path), let ownership = try? folder.ownership() else {
        return false
      }
      return folder.denial(of: query.actor, ownership) != nil
    }
  }
}

extension CachePath {
  fileprivate var isDot: Bool { bytes == [UInt8(ascii: ".")] }
}

extension FindingCode {
  /// Whether it is its size that a page is accused of, which grows while it is being written.
  fileprivate var isOfSize: Bool { self == .empty || self == .stub }
}

extension Finding {
  /// Whether a file is still what is said of it.
  func isStillSo(_ status: FileStatus, now: @autoclosure () -> Int64) -> Bool {
    guard status.type == .file, written == nil || written == status.modified else { return false }
    if code.isOfSize, SecondLook.isBeingWritten(status.modified, now: now()) {
      return false
    }
    switch evidence {
    case .written(let time), .changed(written: let time, changed: _):
      return status.modified == time
    case .size(_, let least): return status.size < least
    default: return code != .empty || status.size == 0
    }
  }
}
