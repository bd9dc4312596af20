// Clearing single files that an audit has found, by the same rules as keys.

import SystemPackage

extension Clearer {
  /// Removes what each finding accuses, where that is safe, and tells of each what came of it.
  public func fix(_ findings: [Finding]) -> [Finding] {
    var matcher = Matcher(layout)
    var chain = OpenChain()
    return findings.map { finding in
      guard finding.code.isFixable, isClearable(finding.subject, &matcher) else { return finding }
      var fixed = finding
      do throws(Errno) {
        try remove(finding.subject, &chain)
        fixed.fix = .removed
      } catch {
        fixed.fix = .failed(ClearFailure(path: finding.subject, error: error))
      }
      return fixed
    }
  }

  private func isClearable(_ path: CachePath, _ matcher: inout Matcher) -> Bool {
    let classification = matcher.classify(path)
    guard classification.hasKnownShape, let family = classification.family else { return false }
    return layout.families[family].clearing != .never
  }

  private func remove(_ path: CachePath, _ chain: inout OpenChain) throws(Errno) {
    let names = path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard let name = names.last else { return }
    do throws(OpenChain.Failure) {
      let folder = try chain.open(names.dropLast(), from: root)
      try unlink(name, folder)
    } catch {
      // Somebody was faster.
      if error.error != .noSuchFileOrDirectory { throw error.error }
    }
  }

  private func unlink(_ name: [UInt8], _ folder: Directory) throws(OpenChain.Failure) {
    guard dryRun == .no else { return }
    do throws(Errno) {
      try Directory.withCName(name) { (name) throws(Errno) in try folder.unlink(name, kernel) }
    } catch {
      throw OpenChain.Failure(depth: 0, error: error, isPlainFile: false)
    }
  }
}
