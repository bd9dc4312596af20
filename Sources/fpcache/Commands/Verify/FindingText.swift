// SPDX-License-Identifier: BSD-2-Clause
//
// A finding in words: a predicate of its path, for any kind of finding.

import Basics
import CacheFS
import SystemPackage

extension Finding {
  /// The problem of the subject.
  var words: String {
    switch evidence {
    case .none: code.meaning
    case .words(let words), .advised(let words, _): words
    case .unshaped: "has zero bytes and a name that no page here has"
    case .families(let families):
      "is named like a page of \(families.joined(separator: " or ")), which lies in another folder"
    case .day(let day): "names the day \(day), which is in the future"
    case .written(let time): words(written: timestamp(time))
    case .size(let size, let least):
      "has \(counted(Int(size), "byte")); a page of its family has at least \(grouped(least))"
    case .changed(let written, let changed):
      "was written at \(timestamp(written)); its content changed at \(timestamp(changed))"
    case .waiting(let table, let since):
      "has waited in \(table) since \(timestamp(since)) to be cleared"
    case .denied(let denial): denial.words
    // A file system mounted inside the cache could be read. It is not read for another reason.
    case .error(.isForeign): "cannot be read: it is \(PathFailure.reason(of: .isForeign))"
    case .error(.improperLink): PathFailure.reason(of: .improperLink)
    case .error(let error): "cannot be read: \(error.description)"
    case .nearby(let name): "\(code.meaning); did you mean \(escape(name))?"
    }
  }

  private func words(written time: String) -> String {
    switch code {
    case .futureDate: "was written at \(time), which is in the future"
    case .spoolLeftover: "was being written at \(time) and never finished"
    case .stub: "has no complete header of a cache file, so nginx does not serve it"
    case .misplaced: "has a name that does not belong to the key in its header"
    case .emptyDirectory: "is a folder that has been empty since \(time)"
    default: "was written at \(time), which is longer ago than allowed"
    }
  }
}

extension Denial {
  fileprivate var words: String {
    let rights = "mode \(octal), owner \(owner), group \(group)"
    switch reason {
    case .readOnlyMount: return "is mounted for reading only: nothing in it can be deleted"
    case .sticky:
      return "could not be deleted by \(user): the folder is sticky, and neither is \(user)'s "
        + "(owner \(owner))"
    case .write: return "holds \(counted(pages, "page")) that \(user) could not delete (\(rights))"
    case .list: return "could not be listed by \(user), and so not be cleared (\(rights))"
    case .enter: return "could not be entered by \(user), and so not be cleared (\(rights))"
    }
  }

  private var octal: String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }
}
