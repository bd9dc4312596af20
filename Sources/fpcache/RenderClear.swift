// The result of a clear in JSON, and the wording of what went wrong with it.

import CacheFS
import SystemPackage

extension ClearSummary {
  /// The document of the contract; it only grows.
  func json(listing: Bool) -> JSON {
    var members: [(String, JSON)] = [
      ("version", .integer(1)),
      ("dry_run", .boolean(dryRun)),
      ("keys", .integer(keys)),
      ("files_removed", .integer(cleared.filesRemoved)),
      ("bytes_removed", .integer(cleared.bytesRemoved)),
      ("keys_without_match", .integer(keysWithoutMatch)),
      ("failures", .array(cleared.failures.map(\.json))),
    ]
    if interruption != nil { members.append(("interrupted", .boolean(true))) }
    if listing {
      members.append(("removed", .array(cleared.removed.sorted().map { .string("\($0)") })))
    }
    return .object(members)
  }
}

extension ClearFailure {
  var json: JSON {
    .object([
      ("path", .string("\(path)")),
      ("error", .string(error.symbol)),
      ("message", .string(reason)),
    ])
  }

  /// What, where, and what to try.
  var explanation: String {
    "\(path): \(reason)" + (error.remedy.map { "; \($0)" } ?? "")
  }
}

extension Errno {
  /// The name of errno.h, for programs.
  var symbol: String {
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
    default: "E\(rawValue)"
    }
  }

  fileprivate var remedy: String? {
    switch self {
    case .permissionDenied, .notPermitted:
      "run fpcache as the user who owns the cache, or give this one leave to write the folder"
    case .notDirectory, .tooManySymbolicLinkLevels:
      "a link is never followed: put a real folder in its place"
    case .readOnlyFileSystem: "mount the cache for writing"
    case .improperLink: ClearFailure.mountRemedy
    case .mountAway: "mount it"
    default: nil
    }
  }
}

extension KeyError {
  /// What is wrong with a value and what was expected.
  var explanation: String {
    switch self {
    case .unknownFamily(let family): "the layout has no family \(family)"
    case .unknownField(let field, let family): "the family \(family) has no field \(field)"
    case .neverCleared(let family): "the family \(family) is never cleared"
    case .badValue(let value, let field, let kind):
      "\"\(excerpt(value))\" is no \(field): expected \(kind.expectation)"
    }
  }
}

/// Others' words, escaped, of which a line of the log has to bear no more than some hundred bytes.
func excerpt(_ bytes: [UInt8]) -> String {
  let most = 255
  guard bytes.count > most else { return escape(bytes) }
  return "\(escape(bytes.prefix(100)))... (\(grouped(bytes.count)) bytes)"
}

/// A number of things: `1 file`, `2 files`.
func counted(_ number: Int, _ noun: String) -> String {
  "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

/// A number as people write it: without a fraction where it has none.
func plain(_ number: Double) -> String { Int(exactly: number).map { "\($0)" } ?? "\(number)" }

/// A whole number with its thousands apart.
func grouped(_ number: some BinaryInteger) -> String {
  var text = ""
  for (index, digit) in String(number.magnitude).reversed().enumerated() {
    if index > 0, index.isMultiple(of: 3) { text.append(",") }
    text.append(digit)
  }
  return (number < 0 ? "-" : "") + String(text.reversed())
}
