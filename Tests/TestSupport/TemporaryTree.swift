// SPDX-License-Identifier: BSD-2-Clause
//
// A test's own folder, used as a cache tree. It is filled a file at a time, examined, compared with its earlier state
// (TreeSnapshot.swift), and removed with its last reference.

import Foundation

/// A temporary folder. All paths are relative to it, with `/` between their parts.
public final class TemporaryTree: Sendable, CustomStringConvertible {
  /// Its full path.
  public let path: String

  /// Where the tree is stored.
  public enum Medium: Sendable {
    /// In memory, if there is room: many times faster.
    case memory
    /// On a file system with blocks.
    case disk
  }

  /// Makes an empty folder, mode 0755.
  public init(on medium: Medium = .memory) throws {
    path = try Scratch.makeFolder("tree", on: medium == .memory ? .memory : .disk)
  }

  deinit {
    TemporaryTree.erase(path)
  }

  /// The full path of something in the tree.
  public func fullPath(_ relative: String) -> String {
    relative.isEmpty ? path : path + "/" + relative
  }

  // MARK: Writing

  /// Writes a file of this many bytes, and makes the folders above it (mode 0774, as the site's).
  ///
  /// The bytes depend only on the path.
  public func write(_ relative: String, bytes count: Int, mode: mode_t = 0o664) throws {
    let line = Array("<!-- \(relative) -->\n".utf8)
    var content: [UInt8] = []
    content.reserveCapacity(count + line.count)
    while content.count < count { content += line }
    try write(relative, content: Array(content[..<count]), mode: mode)
  }

  /// Writes a file with this text, and makes the folders above it.
  public func write(_ relative: String, text: String, mode: mode_t = 0o664) throws {
    try write(relative, content: Array(text.utf8), mode: mode)
  }

  /// Writes a file of these bytes, and makes the folders above it.
  public func write(_ relative: String, content: [UInt8], mode: mode_t = 0o664) throws {
    let whole = fullPath(relative)
    var number = create(whole)
    if number < 0, errno == ENOENT {
      try makeDirectory((relative as NSString).deletingLastPathComponent)
      number = create(whole)
    }
    guard number >= 0 else { throw SupportError.system("open", whole) }
    let file = Descriptor(number)
    guard fchmod(number, mode) == 0 else { throw SupportError.system("chmod", whole) }
    try writeAll(content, to: file.number)
  }

  private func create(_ whole: String) -> Int32 {
    open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  }

  /// Makes a folder and the missing folders above it.
  public func makeDirectory(_ relative: String, mode: mode_t = 0o774) throws {
    let whole = fullPath(relative)
    guard mkdir(whole, 0o700) != 0 else {
      guard chmod(whole, mode) == 0 else { throw SupportError.system("chmod", whole) }
      return
    }
    switch errno {
    case EEXIST: return
    case ENOENT where !relative.isEmpty:
      try makeDirectory((relative as NSString).deletingLastPathComponent, mode: mode)
      try makeDirectory(relative, mode: mode)
    default: throw SupportError.system("mkdir", whole)
    }
  }

  /// Makes a symbolic link with the content `target`, whether or not the target exists.
  public func link(_ relative: String, to target: String) throws {
    try makeDirectory((relative as NSString).deletingLastPathComponent)
    guard symlink(target, fullPath(relative)) == 0 else {
      throw SupportError.system("symlink", fullPath(relative))
    }
  }

  /// Sets a file's or folder's mode.
  public func setMode(_ relative: String, _ mode: mode_t) throws {
    guard chmod(fullPath(relative), mode) == 0 else {
      throw SupportError.system("chmod", fullPath(relative))
    }
  }

  /// Makes a file look as if it was last written `age` ago.
  public func setAge(_ relative: String, _ age: Duration) throws {
    let then = Date().addingTimeInterval(-Double(age.components.seconds))
    let time = timeval(tv_sec: Int(then.timeIntervalSince1970), tv_usec: 0)
    guard utimes(fullPath(relative), [time, time]) == 0 else {
      throw SupportError.system("utimes", fullPath(relative))
    }
  }

  /// Makes an account the owner of the tree and everything in it, so that a program under that account may delete.
  public func give(to account: Account) throws {
    try account.take(path)
    for entry in try entries() { try account.take(fullPath(entry.path)) }
  }

  /// Removes a file, or a folder with everything in it; no error if it does not exist.
  public func remove(_ relative: String) {
    TemporaryTree.erase(fullPath(relative))
  }

  // MARK: Looking

  /// Whether something of that name exists; a dangling link counts.
  public func exists(_ relative: String) -> Bool {
    var information = stat()
    return lstat(fullPath(relative), &information) == 0
  }

  /// A file's bytes as text.
  public func read(_ relative: String) throws -> String {
    let file = try Descriptor.open(fullPath(relative), O_RDONLY)
    return String(decoding: file.contents(), as: UTF8.self)
  }

  /// The relative paths of everything that is not a folder, sorted; below `folder` if one is given.
  public func files(below folder: String = "") throws -> [String] {
    try entries(below: folder).filter { !$0.isFolder }.map(\.path).sorted()
  }

  /// The relative paths of all folders, sorted; below `folder` if one is given.
  public func folders(below folder: String = "") throws -> [String] {
    try entries(below: folder).filter(\.isFolder).map(\.path).sorted()
  }

  /// Its path and its contents, at most 60 names.
  public var description: String {
    guard let files = try? files() else { return "\(path) (unreadable or gone)" }
    let shown = files.prefix(60).map { "\n  \($0)" }.joined()
    let rest = files.count > 60 ? "\n  ... and \(files.count - 60) more" : ""
    return "\(path), \(files.count) files\(shown)\(rest)"
  }

  /// Everything below a folder, in no order.
  /// - Throws: `SupportError` if a folder cannot be read.
  func entries(below folder: String = "") throws -> [(path: String, isFolder: Bool)] {
    var result: [(path: String, isFolder: Bool)] = []
    var pending = [folder]
    while let next = pending.popLast() {
      guard let names = TemporaryTree.names(in: fullPath(next)) else {
        throw SupportError.system("opendir", fullPath(next))
      }
      for (name, isFolder) in names {
        let relative = next.isEmpty ? name : next + "/" + name
        result.append((relative, isFolder))
        if isFolder { pending.append(relative) }
      }
    }
    return result
  }

  /// The contents of a folder, or nil if it cannot be read.
  private static func names(in folder: String) -> [(name: String, isFolder: Bool)]? {
    guard let stream = opendir(folder) else { return nil }
    defer { closedir(stream) }
    var result: [(name: String, isFolder: Bool)] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      var kind = Int32(entry.pointee.d_type)
      if kind == Int32(DT_UNKNOWN) {
        var information = stat()
        lstat(folder + "/" + name, &information)
        kind = information.st_mode & S_IFMT == S_IFDIR ? Int32(DT_DIR) : Int32(DT_REG)
      }
      result.append((name, kind == Int32(DT_DIR)))
    }
    return result
  }

  /// Removes whatever exists there, read-only folders too.
  private static func erase(_ whole: String) {
    guard unlink(whole) != 0, errno != ENOENT else { return }
    chmod(whole, 0o700)
    for (name, _) in names(in: whole) ?? [] { erase(whole + "/" + name) }
    rmdir(whole)
  }
}
