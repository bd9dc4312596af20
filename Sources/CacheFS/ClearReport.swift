// What a clear did, as a value.

import SystemPackage

/// Whether the last call, the one that changes the tree, is made.
public enum DryRun: Sendable {
  case yes
  case no
}

/// Whether a report lists each path that was removed.
public enum PathList: Sendable {
  case kept
  case dropped
}

/// Something that should have gone and did not.
public struct ClearFailure: Hashable, Sendable {
  public let path: CachePath
  public let error: Errno

  public init(path: CachePath, error: Errno) {
    self.path = path
    self.error = error
  }

  /// What to do about a file system that is mounted where none belongs to the cache.
  public static let mountRemedy =
    "if it belongs to the cache, set CROSS_MOUNTS = yes in [dirs] or give --cross-mounts"

  /// What the error means here, where nothing but folders is opened and no link is made.
  public var reason: String {
    switch error {
    case .improperLink: "another file system is mounted here"
    case .mountAway: "its file system is not mounted"
    case .isRefilled: "others write to it faster than it is cleared"
    default: error.description
    }
  }
}

extension Errno {
  /// What a folder is refused with that could not be cleared in the time that there was.
  public static var isRefilled: Errno { .alreadyInProcess }
}

/// The outcome of clearing one key, or several.
public struct ClearReport: Equatable, Sendable {
  public internal(set) var filesRemoved = 0
  /// Apparent sizes, in bytes, as they were before.
  public internal(set) var bytesRemoved: Int64 = 0
  /// Whether anything of the key was found, removed or not.
  public internal(set) var matched = false
  public internal(set) var failures: [ClearFailure] = []
  /// Whether the clear was stopped before it had seen all of the key.
  public internal(set) var isPartial = false
  /// A folder in the midst of which it was stopped.
  public internal(set) var cutShort: CachePath?
  /// Empty unless asked for.
  public internal(set) var removed: [CachePath] = []

  public init() {}

  /// Whether nothing could be cleared since the file system of the family is not mounted.
  public var isMountAway: Bool { failures.contains { $0.error == .mountAway } }

  public mutating func add(_ other: ClearReport) {
    filesRemoved += other.filesRemoved
    bytesRemoved = clampedSum(bytesRemoved, other.bytesRemoved)
    matched = matched || other.matched
    isPartial = isPartial || other.isPartial
    cutShort = cutShort ?? other.cutShort
    failures += other.failures
    removed += other.removed
  }
}
