// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a clear, word for word: the JSON of the contract, the text, and its status.

import SystemPackage
import Testing

@testable import Basics
@testable import CacheFS
@testable import fpcache

private func summary(
  dryRun: Bool = false, keys: Int = 2, withoutMatch: Int = 1, files: Int = 5,
  bytes: Int64 = 71_680, failures: [PathFailure] = [], removed: [String] = []
) -> ClearSummary {
  var summary = ClearSummary(dryRun: dryRun, keys: keys, keysWithoutMatch: withoutMatch)
  summary.cleared.filesRemoved = files
  summary.cleared.bytesRemoved = bytes
  summary.cleared.failures = failures
  summary.cleared.removed = removed.map { CachePath(Array($0.utf8)) }
  return summary
}

private func failure(_ path: String, _ error: Errno) -> PathFailure {
  PathFailure(path: CachePath(Array(path.utf8)), error: error)
}

@Suite("Result of a clear") struct RenderClearTests {
  @Test("the document of the contract")
  func document() {
    #expect(
      summary(failures: [failure("ports/a/b", .permissionDenied)]).json(listing: false).text
        == #"{"version":1,"dry_run":false,"keys":2,"files_removed":5,"bytes_removed":71680,"#
        + #""keys_without_match":1,"failures":[{"path":"ports/a/b","error":"EACCES","#
        + #""message":"Permission denied"}]}"#)
  }

  @Test("-v adds what was removed, sorted, and nothing else")
  func listing() {
    let plain = summary(removed: ["b", "a\n\"", "a/b"])
    #expect(
      plain.json(listing: true).text
        == plain.json(listing: false).text.dropLast() + #","removed":["a\\x0a\"","a/b","b"]}"#)
    #expect(summary().json(listing: true).text.hasSuffix(#","removed":[]}"#))
  }

  @Test("-n changes dry_run and nothing else")
  func dryRun() {
    let real = summary(removed: ["a"]).json(listing: true).text
    #expect(
      summary(dryRun: true, removed: ["a"]).json(listing: true).text
        == real.replacing(#""dry_run":false"#, with: #""dry_run":true"#))
  }

  @Test("of others' words, a line of the log has no more than some hundred bytes")
  func longWords() {
    #expect(excerpt(Array(repeating: 0x61, count: 255)).count == 255)
    #expect(
      excerpt(Array(repeating: 0x61, count: 4000))
        == String(repeating: "a", count: 100) + "... (4,000 bytes)")
    #expect(excerpt([0x0A] + Array(repeating: 0x61, count: 300)).hasPrefix("\\x0aaaa"))
  }

  @Test("a failure says what, where and what to try")
  func explanations() {
    #expect(
      failure("a\u{1B}b", .permissionDenied).explanation
        == "a\\x1bb: Permission denied; run fpcache as the user who owns the cache, or give this user "
        + "write permission on the folder")
    #expect(
      failure("ports", .notDirectory).explanation
        == "ports: Not a directory; symbolic links are not followed; put a real folder in its place"
    )
    #expect(
      failure("x", .readOnlyFileSystem).explanation
        == "x: Read-only file system; mount the cache for writing")
    #expect(failure("x", .ioError).explanation == "x: Input/output error")
  }

  @Test(
    "errors have errno's names",
    arguments: [
      (Errno.permissionDenied, "EACCES"), (.notPermitted, "EPERM"), (.ioError, "EIO"),
      (.notDirectory, "ENOTDIR"), (.readOnlyFileSystem, "EROFS"), (Errno(rawValue: 4000), "E4000"),
    ])
  func symbols(_ error: Errno, _ symbol: String) {
    #expect(error.symbol == symbol)
  }

  @Test("thousands stand apart")
  func groups() {
    #expect(
      [0, 7, 999, 1000, 61_871, 1_000_000].map { grouped($0) }
        == ["0", "7", "999", "1,000", "61,871", "1,000,000"])
    #expect([-1, -999, -1000].map { grouped($0) } == ["-1", "-999", "-1,000"])
    #expect(grouped(Int64.min) == "-9,223,372,036,854,775,808")
  }

  @Test("a document of what was interrupted says so, and no other does")
  func interrupted() {
    var summary = summary()
    summary.interruption = (2, 3)
    #expect(
      summary.json(listing: false).text
        == #"{"version":1,"dry_run":false,"keys":2,"files_removed":5,"bytes_removed":71680,"#
        + #""keys_without_match":1,"failures":[],"interrupted":true}"#)
  }

  // MARK: Statuses

  @Test("the statuses of the contract")
  func statuses() {
    let all: [fpcache.ExitStatus] = [
      .done, .incomplete, .noMatch, .usage, .noCacheDirectory, .noDatabase, .noPermission,
      .configuration,
    ]
    #expect(all.map(\.rawValue) == [0, 1, 3, 64, 66, 69, 77, 78])
  }

  @Test("what could not be cleared weighs more than what matched nothing")
  func statusOfASummary() {
    let failed = [failure("x", .ioError)]
    #expect(summary().status(requireMatch: false) == .done)
    #expect(summary().status(requireMatch: true) == .noMatch)
    #expect(summary(withoutMatch: 0).status(requireMatch: true) == .done)
    #expect(summary(failures: failed).status(requireMatch: true) == .incomplete)
    #expect(summary(withoutMatch: 0, failures: failed).status(requireMatch: false) == .incomplete)
  }

  @Test(
    "a cache directory that cannot be opened",
    arguments: [
      (
        Errno.permissionDenied, fpcache.ExitStatus.noPermission,
        "cache directory /c\\x0a: permission denied; run fpcache as the user who owns the cache"
      ),
      (
        .noSuchFileOrDirectory, .noCacheDirectory,
        "cache directory /c\\x0a (f.ini) does not exist; name the right one with --cache-dir"
      ),
      (
        .notDirectory, .noCacheDirectory,
        "cache directory /c\\x0a (f.ini) is not a directory; name the right one with --cache-dir"
      ),
      (
        .ioError, .noCacheDirectory,
        "cache directory /c\\x0a (f.ini): Input/output error; name another with --cache-dir"
      ),
    ])
  func cacheDirectory(_ error: Errno, _ status: fpcache.ExitStatus, _ message: String) {
    #expect(
      UserError.cacheDirectory("/c\n", error, from: "f.ini") == UserError(status, message))
  }
}
