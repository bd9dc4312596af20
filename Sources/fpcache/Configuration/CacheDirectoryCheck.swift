// SPDX-License-Identifier: BSD-2-Clause
//
// Checks which folder may be the cache directory. A typing error in its path would turn every clear against files that
// are not pages.

import Basics
import CacheFS
import SystemPackage

extension Config {
  /// Opens the cache directory, which every command then holds from the start.
  /// - Throws: ``UserError`` with status 66 or 77, or 78 for a folder that is not a cache directory.
  /// - Parameter remembersMounts: whether to refuse a family's folder when a file system was mounted on it and none is
  ///   now.
  func openCacheDirectory(remembersMounts: Bool = false) throws(UserError) -> Directory {
    let directory: Directory
    let objection: String?
    do throws(Errno) {
      directory = try Directory(
        root: cacheDirectory,
        mounts: MountPlaces(
          of: layout, elsewhere: crossesMounts ? .crossed : .refused,
          remembers: remembersMounts))
      objection = takesAnyDirectory ? nil : try self.objection(to: directory)
    } catch {
      throw UserError.cacheDirectory(cacheDirectory, error, from: cacheDirectoryOrigin)
    }
    guard let objection else { return directory }
    throw UserError(
      .configuration,
      "cache directory \(cacheDirectoryText) (\(cacheDirectoryOrigin)) \(objection); "
        + "name the right one with --cache-dir, or use --any-cache-dir to insist")
  }

  /// Why this is probably not a cache directory.
  private func objection(to directory: Directory) throws(Errno) -> String? {
    let path = directory.realPath.string
    if Self.systemFolders.contains(path) { return "is a system directory" }
    if let home = getenv("HOME"), directory.stands(at: FilePath(platformString: home)) {
      return "is your home directory"
    }
    if let owner = Self.owner(ofHome: path) { return "is the home directory of \(owner)" }
    // A family that the configuration looks for in a wrong place must not hide the other families.
    let known = hasOwnLayout ? layout : Layout(layout.families + Layout.freshPorts.families)
    switch try known.presence(in: directory) {
    case .some, .empty: return nil
    case .foreign:
      return "contains other files and none of \(layout.topNames.joined(separator: ", "))"
    }
  }

  /// Folders of hier(7) that the whole system uses; some have a `ports`, a `news` or an `html`.
  private static let systemFolders: Set<String> = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run",
    "/sbin", "/sys", "/usr", "/usr/home", "/usr/local", "/usr/local/www", "/usr/share", "/var",
    "/var/cache", "/var/db", "/var/lib", "/var/log", "/var/mail", "/var/run", "/var/spool",
    "/var/www",
  ]

  /// The user whose home this is, by passwd(5). Read as a file: getpwent(3) may ask a server.
  private static func owner(ofHome path: String) -> String? {
    guard let passwd = try? FileReader.real.read("/etc/passwd") else { return nil }
    for line in passwd.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      if fields.count > 5, fields[5].elementsEqual(path.utf8) { return escape(fields[0]) }
    }
    return nil
  }
}

extension UserError {
  /// The cache directory cannot be opened.
  static func cacheDirectory(_ path: FilePath, _ error: Errno, from origin: String) -> UserError {
    let name = escape(Array(path.string.utf8))
    switch error {
    case .permissionDenied:
      return UserError(
        .noPermission,
        "cache directory \(name): permission denied; run fpcache as the user who owns the cache")
    case .noSuchFileOrDirectory:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)) does not exist; name the right one with --cache-dir"
          + (origin == Config.defaultOrigin ? ", or a configuration with --config" : ""))
    case .notDirectory:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)) is not a directory; "
          + "name the right one with --cache-dir")
    default:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)): \(error); name another with --cache-dir")
    }
  }
}
