// SPDX-License-Identifier: BSD-2-Clause
//
// The errors of a clear, as text for people and as the names of errno.h.

import Basics
import SystemPackage

extension Errno {
  /// The name in errno.h, for programs.
  package var symbol: String {
    switch self {
    case .permissionDenied: "EACCES"
    case .notPermitted: "EPERM"
    case .ioError: "EIO"
    case .readOnlyFileSystem: "EROFS"
    case .notDirectory: "ENOTDIR"
    case .isDirectory: "EISDIR"
    case .tooManySymbolicLinkLevels: "ELOOP"
    case .tooManyOpenFiles: "EMFILE"
    case .tooManyOpenFilesInSystem: "ENFILE"
    case .resourceBusy: "EBUSY"
    case .noMemory: "ENOMEM"
    case .noSpace: "ENOSPC"
    case .fileNameTooLong: "ENAMETOOLONG"
    case .staleNFSFileHandle: "ESTALE"
    case .noSuchFileOrDirectory: "ENOENT"
    case .improperLink: "EXDEV"
    case .mountAway: "ENODEV"
    case .isForeign: "ENOTSUP"
    default: "E\(rawValue)"
    }
  }

  fileprivate var remedy: String? {
    switch self {
    case .permissionDenied, .notPermitted:
      "run fpcache as the user who owns the cache, or give this user write permission on the folder"
    case .notDirectory, .tooManySymbolicLinkLevels:
      "symbolic links are not followed; put a real folder in its place"
    case .readOnlyFileSystem: "mount the cache for writing"
    case .improperLink: PathFailure.mountRemedy
    case .mountAway: "mount it"
    case .isForeign: "clear the whole family, and upgrade fpcache"
    default: nil
    }
  }
}

extension PathFailure {
  /// What failed, where, and what to try.
  package var explanation: String {
    "\(path): \(reason)" + (error.remedy.map { "; \($0)" } ?? "")
  }
}
