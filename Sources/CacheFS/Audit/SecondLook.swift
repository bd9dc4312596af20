// SPDX-License-Identifier: BSD-2-Clause
//
// Checks findings again. A page that is gone or was rewritten since is not a finding.

import Basics
import SystemPackage

/// Confirms suspicions, each according to its code.
struct SecondLook {
  /// A page with a recent write may still be incomplete: a page that is copied into place is empty at first,
  /// and grows. In nanoseconds.
  fileprivate static let writing: Int64 = 1_000_000_000
  /// How far another machine's clock may be ahead of the file system's, in nanoseconds.
  private static let aheadAtMost: Int64 = 60_000_000_000
  /// How long a listener may need to empty the news for a row that it has already retired, in milliseconds.
  /// Emptying the news is its last step.
  private static let clearing = 1000

  private let root: Directory
  private let query: VerifyQuery
  private var chain = OpenChain()

  init(_ root: Directory, _ query: VerifyQuery) {
    self.root = root
    self.query = query
  }

  /// Waits until work in progress can finish: for a page that is too small and was written just now, and for
  /// a page that is older than its content.
  mutating func wait(for suspects: [Finding]) {
    let hasOld = suspects.contains { $0.code == .stale || $0.code == .orphan }
    let now = fileSystemTime
    let youngest = suspects.compactMap { suspect in
      suspect.code.isOfSize ? suspect.path.flatMap { status($0)?.modified } : nil
    }.filter { Self.isBeingWritten($0, now: now) }.max()
    // File times advance in steps of some milliseconds.
    let left = youngest.map { (Self.writing - max(0, clampedDifference(now, $0))) / 1_000_000 + 20 }
    pause(milliseconds: max(left.map(Int.init) ?? 0, hasOld ? Self.clearing : 0))
  }

  /// Whether something with this time may be in the middle of a write. A time further ahead than a clock may
  /// be was set explicitly, and means nothing.
  fileprivate static func isBeingWritten(_ modified: Int64, now: Int64) -> Bool {
    let age = clampedDifference(now, modified)
    return age < writing && age > -aheadAtMost
  }

  private var fileSystemTime: Int64 { root.fileSystemTime() ?? currentTime() }

  /// Whether the finding is still true.
  mutating func confirms(_ suspect: Finding) -> Bool {
    // A subject that is not a path is not looked for in the tree.
    guard let path = suspect.path else { return true }
    return switch suspect.code {
    // Whatever it was, a file that is gone is not a finding. A file that can be read now could not be read
    // during the audit; the next audit checks it.
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

  /// The folder of a path, and its last name.
  private mutating func folder(of path: CachePath) -> (Directory, [UInt8])? {
    let names = path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard let name = names.last, let folder = try? chain.open(names.dropLast(), from: root) else {
      return nil
    }
    return (folder, name)
  }

  /// Opens a folder by its path and does not keep it: the next lookup may be of the same folder, changed.
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
  /// Whether the finding is about a page's size, which grows while it is being written.
  fileprivate var isOfSize: Bool { self == .empty || self == .stub }
}

extension Finding {
  /// Whether the finding is still true for a file.
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
