// SPDX-License-Identifier: BSD-2-Clause
//
// Clears single files and empty folders that an audit has found, by the same rules as keys.

import Basics
import SystemPackage

extension Clearer {
  /// Removes the subject of each finding, where that is safe, and reports the result for each.
  package func fix(_ findings: [Finding]) -> [Finding] {
    var matcher = Matcher(layout)
    var chain = OpenChain()
    return findings.map { finding in
      guard finding.code.isFixable, let path = finding.path,
        isClearable(finding, path, &matcher)
      else { return finding }
      var fixed = finding
      do throws(Errno) {
        fixed.fix = try remove(finding, path, &chain)
      } catch {
        fixed.fix = .failed(PathFailure(path: path, error: error))
      }
      return fixed
    }
  }

  private func isClearable(
    _ finding: Finding, _ path: CachePath, _ matcher: inout Matcher
  ) -> Bool {
    if finding.code == .emptyDirectory {
      let place = matcher.place(ofFolder: path)
      return !place.rows.isEmpty && !place.isOfLayout
    }
    let classification = matcher.classify(path)
    guard classification.hasKnownShape, let family = classification.family else { return false }
    return layout.families[family].clearing != .never
      && (layout.families[family].isRecreated || !finding.code.losesContent)
  }

  private func remove(
    _ finding: Finding, _ path: CachePath, _ chain: inout OpenChain
  ) throws(Errno) -> Finding.Fix {
    let names = path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard let name = names.last else { return .passed }
    do throws(OpenChain.Failure) {
      let folder = try chain.open(names.dropLast(), from: root)
      guard dryRun == .no else { return .removed }
      return try remove(name, of: folder, finding)
    } catch {
      // Another process was faster.
      if error.error != .noSuchFileOrDirectory { throw error.error }
      return .removed
    }
  }

  private func remove(
    _ name: [UInt8], of folder: Directory, _ finding: Finding
  ) throws(OpenChain.Failure) -> Finding.Fix {
    let isFolder = finding.code == .emptyDirectory
    do throws(Errno) {
      if !isFolder {
        // Rewritten since the audit, or being written: it is a valid page now.
        guard
          finding.isStillSo(
            try folder.status(name), now: folder.fileSystemTime() ?? currentTime())
        else { return .passed }
      }
      try Directory.withCName(name) { (name) throws(Errno) in
        isFolder ? try folder.removeDirectory(name, kernel) : try folder.unlink(name, kernel)
      }
      return .removed
    } catch {
      // Meanwhile a page was written into it, or a file system was mounted there.
      if isFolder, [.directoryNotEmpty, .fileExists, .resourceBusy].contains(error) {
        return .passed
      }
      throw OpenChain.Failure(depth: 0, error: error, isPlainFile: false)
    }
  }
}
