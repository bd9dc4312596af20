// SPDX-License-Identifier: BSD-2-Clause
//
// Text in a configuration file that works but is probably a mistake. The audit reports it, and so does the log of a
// listener that starts or reloads its configuration.

import Basics
import CacheFS
import Logging
import SystemPackage

extension INI {
  /// What is odd about the file, in the order of the file.
  /// - Parameter settings: the settings that are read.
  func oddities(_ settings: [Setting]) -> [Oddity] {
    var found: [Oddity] = []
    func note(_ line: Int, _ words: String, _ code: FindingCode = .oddValue) {
      found.append(Oddity(place: "\(file):\(line)", words: words, code: code))
    }
    let known = settings.sections + Setting.openSections
    for section in sections where !Setting.openSections.contains(section) {
      guard known.contains(section) else {
        let near = nearest(to: Array(section.utf8), among: known.map { Array($0.utf8) })
        if let near, let line = line(ofSection: section) {
          let name = String(decoding: near, as: UTF8.self)
          note(line, "unknown section [\(escaped(section))]; did you mean [\(name)]?")
        }
        continue
      }
      for key in ownKeys(in: section) {
        let name = key.spelling.uppercased()
        if let words = Setting.unused(name, in: section) {
          note(key.line, words, .unusedKey)
        } else if let words = oddity(key, in: section, settings) {
          note(key.line, words)
        } else if key.isQuoted, settings.keys(of: section).contains(key.spelling.uppercased()) {
          let code = FindingCode.quotedValue
          note(key.line, "\(escaped(key.spelling)) \(code.meaning)", code)
        }
      }
    }
    return found
  }

  private func oddity(
    _ key: KeyPlace, in section: String, _ settings: [Setting]
  ) -> String? {
    let known = settings.keys(of: section)
    let name = escaped(key.spelling)
    guard known.contains(key.spelling.uppercased()) else { return unknown(key, in: section, known) }
    guard let value = try? value(key.spelling, in: section)?.text else { return nil }
    switch key.spelling.uppercased() {
    case "BASEDIR" where value.utf8.first != UInt8(ascii: "/"):
      return "\(name) is not an absolute path: it depends on the folder where fpcache is started"
    case Setting.settle.key where ListenSettings.seconds(value, 0...0) != nil:
      return "\(name) is 0: a page that was being rendered while it was cleared stays stale"
    case Setting.pollInterval.key where ListenSettings.seconds(value, 3_601...86_400) != nil:
      return "\(name) is more than an hour: a change without a notification waits that long"
    default: return nil
    }
  }

  /// A key that is not read. In a section that belongs to the site, only a key that looks like a misspelling.
  private func unknown(
    _ key: KeyPlace, in section: String, _ known: [String]
  ) -> String? {
    let own = Set(ownKeys(in: section).map { $0.spelling.uppercased() })
    let free = known.filter { !own.contains($0) }.map { Array($0.utf8) }
    let near = nearest(to: Array(key.spelling.uppercased().utf8), among: free)
    if near == nil, Setting.sharedSections.contains(section) { return nil }
    let suggestion = near.map { "; did you mean \(String(decoding: $0, as: UTF8.self))?" }
    return "unknown key \(escaped(key.spelling)) in [\(section)]\(suggestion ?? "")"
  }

  private func escaped(_ name: String) -> String { escape(Array(name.utf8)) }
}

extension Config {
  /// What is odd about the configuration on this machine.
  var oddities: [Finding] {
    (fileOddities + surroundingOddities).map(\.finding)
  }

  /// Logs what is odd about the file, each with its line. Quotes around a value do no harm.
  func logOddities(_ logger: Logger) {
    for oddity in fileOddities where oddity.code != .quotedValue {
      logger.log(
        level: oddity.code.severity == .notice ? .notice : .warning,
        "\(oddity.place): \(oddity.words)")
    }
  }

  private var surroundingOddities: [Oddity] {
    guard let file else { return [] }
    var found: [Oddity] = []
    let place = escape(Array(file.utf8))
    if holdsPassword, (try? Ownership(of: FilePath(file)))?.isReadableByOthers == true {
      found.append(
        Oddity(
          place: place,
          words: "contains a password and everybody can read it; remove the others' permission"))
    }
    for (key, path) in [(Setting.stateDirectory.key, listen.stateDirectory)]
      + [
        (Setting.statusFile.key, listen.statusFile), (Setting.metricsFile.key, listen.metricsFile),
      ].map({ ($0, $1.map { FilePath($0).removingLastComponent().string }) })
    {
      guard let path, !path.isEmpty, isNoFolder(FilePath(path)) else { continue }
      found.append(
        Oddity(
          place: place,
          words: "\(key) names the folder \(escape(Array(path.utf8))), which is not there"))
    }
    return found
  }

  /// Whether the folder does not exist. A path that we may not look at may be a folder.
  private func isNoFolder(_ path: FilePath) -> Bool {
    do throws(Errno) {
      return try !Ownership(of: path).isFolder
    } catch {
      return error == .noSuchFileOrDirectory || error == .notDirectory
    }
  }
}
