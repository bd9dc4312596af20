// SPDX-License-Identifier: BSD-2-Clause
//
// The folders that a worker opened last, outermost first. Neighbouring keys share all but the last folder, so
// most are opened with one call.

import Basics
import SystemPackage

struct OpenChain {
  /// Which folder could not be opened, and why.
  struct Failure: Error {
    /// How many folders above it were opened.
    let depth: Int
    let error: Errno
    /// Whether a plain file is in the place of the folder.
    var isPlainFile = false
    /// The state of the folder above it, read before the folder was looked for; nil unless the chain keeps states.
    var parent: FolderState?
  }

  /// Not every folder of a very deep path is held open. A process has a thousand descriptors, and a path of
  /// 4,095 bytes can have two thousand folders.
  static let heldAlways = 16
  private static let heldBelow = 64

  private var names: [[UInt8]] = []
  private var directories: [Directory?] = []
  /// Whether a folder that was missing once is not looked for again.
  private let takesAbsenceForGood: Bool
  /// The last folder that was found missing when something in it was looked up, and the state of the folder above it.
  private var absent: (path: [[UInt8]], parent: FolderState?) = ([], nil)
  /// Whether the state of each folder is read before something is looked for in it.
  private let keepsStates: Bool
  /// The states of the root and of the folders, as far as they were read.
  private var states: [FolderState?] = []
  /// How many paths in a row lacked the last folder.
  private var misses = 0
  /// After this many misses, the next name is looked up before it is opened. The kernel reports a missing
  /// name in half the time when it does not prepare to open it (0.8 us and 1.7 us), and most keys of a queue
  /// of 100,000 have no page.
  private static let missesBeforeAsking = 8

  /// Whether the last folder was already held open, and so may have been listed.
  private(set) var turn = ListingTurn.again

  /// - Parameters:
  ///   - takesAbsenceForGood: for chains that live as long as one clear, which looks only for what was there
  ///     when it began. A missing category is then looked for once, not once for each of its ports.
  ///   - keepsStates: whether a failure tells the state of the folder above.
  init(takesAbsenceForGood: Bool = false, keepsStates: Bool = false) {
    self.takesAbsenceForGood = takesAbsenceForGood
    self.keepsStates = keepsStates
  }

  /// Opens `path` below `root`, component by component. It never follows a link.
  mutating func open(_ path: [[UInt8]], from root: Directory) throws(Failure) -> Directory {
    do throws(Failure) {
      return try extend(to: path, from: root)
    } catch {
      // On a network file system, a folder held open may be gone and another may be in its place.
      guard error.error == .staleNFSFileHandle, !names.isEmpty else { throw error }
      names = []
      directories = []
      states = []
      return try extend(to: path, from: root)
    }
  }

  private mutating func extend(
    to path: [[UInt8]], from root: Directory
  ) throws(Failure) -> Directory {
    var shared = 0
    while shared < names.count, shared < path.count, names[shared] == path[shared] {
      shared += 1
    }
    if !absent.path.isEmpty, path.starts(with: absent.path) {
      throw Failure(
        depth: absent.path.count - 1, error: .noSuchFileOrDirectory, parent: absent.parent)
    }
    while shared > 0, directories[shared - 1] == nil { shared -= 1 }
    names.removeSubrange(shared...)
    directories.removeSubrange(shared...)
    if states.count > shared + 1 { states.removeSubrange((shared + 1)...) }
    turn = shared == path.count ? .again : .first
    var parent = directories.last.flatMap { $0 } ?? root
    for name in path[shared...] {
      if keepsStates, states.count == names.count { states.append(parent.state()) }
      do throws(Errno) {
        if misses >= Self.missesBeforeAsking, names.count + 1 == path.count {
          _ = try parent.status(name)
        }
        parent = try parent.openDirectory(name)
      } catch {
        let state = keepsStates ? states[names.count] : nil
        if error == .noSuchFileOrDirectory { misses += 1 }
        if takesAbsenceForGood, error == .noSuchFileOrDirectory, names.count + 1 < path.count {
          absent = (names + [name], state)
        }
        throw Failure(
          depth: names.count, error: error, isPlainFile: parent.isPlainFile(name, error),
          parent: state)
      }
      let isHeld = names.count < Self.heldAlways || names.count.isMultiple(of: Self.heldBelow)
      names.append(name)
      directories.append(isHeld ? parent : nil)
    }
    misses = 0
    return parent
  }
}

extension Directory {
  /// Whether `error` of opening a folder only means that a plain file has its name. A link is different: it
  /// is not followed, and this must be reported.
  fileprivate func isPlainFile(_ name: [UInt8], _ error: Errno) -> Bool {
    guard error == .notDirectory else { return false }
    do throws(Errno) {
      let status = try self.status(name)
      return status.type != .symbolicLink
    } catch {
      return true
    }
  }

  /// The type of an entry whose listing did not report it; `unknown` when it is gone.
  func type(of name: CName) -> EntryType { (try? status(name).type) ?? .unknown }
}

/// Buffers for listing, one for each folder that a thread has open at the same time.
final class ListingBuffers {
  private var free: [UnsafeMutableRawBufferPointer] = []

  deinit { for buffer in free { buffer.deallocate() } }

  func take() -> UnsafeMutableRawBufferPointer {
    free.popLast() ?? .allocate(byteCount: Directory.listingBufferSize, alignment: 8)
  }

  func give(_ buffer: UnsafeMutableRawBufferPointer) { free.append(buffer) }
}
