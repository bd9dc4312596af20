// SPDX-License-Identifier: BSD-2-Clause
//
// What may differ between a capture and a command's output now: the time of day, durations, process ids, and
// file-system details of a folder. Nothing else may differ.

/// Compares a capture with an output.
public enum OutputComparison {
  /// Whether both texts say the same.
  public static func isSame(_ some: [String], _ other: [String]) -> Bool {
    some == other
      || normalised(some.joined(separator: "\n")) == normalised(other.joined(separator: "\n"))
  }

  /// The text without the parts that may differ.
  static func normalised(_ text: String) -> String {
    var text = text
    text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/, with: "TIME")
    // A duration has a fraction; an age, a setting and a retry have no fraction.
    text.replace(/\b\d+\.\d+ s\b/, with: "DURATION")
    text.replace(/("[a-z_]*seconds":)\d+(\.\d+)?/) { "\($0.1)0" }
    text.replace(/(_oldest=)[1-9]\d*s/) { "\($0.1)0s" }
    text.replace(/(_age=)\d+s/) { "\($0.1)0s" }
    // What status prints about the listener.
    text.replace(/\bsince TIME, \d+ (s|min)\b/, with: "since TIME, AGE")
    text.replace(/\b\d+ s ago\b/, with: "AGE ago")
    text.replace(/\bprocess \d+,/, with: "process N,")
    text.replace(
      /SESSION +PROCESS +ROLE +SINCE +LISTENS/, with: "SESSION PROCESS ROLE SINCE LISTENS")
    text.replace(/("(pid|process)":)\d+/) { "\($0.1)0" }
    text.replace(/LISTENING +PROCESS +ROLE +SINCE/, with: "LISTENING PROCESS ROLE SINCE")
    // The listener's connections in stats, and how long they have existed.
    text.replace(/(fpcache listen(?: --once)?) +\d+( \d+)* +(\w+) +(?:\d+ (?:s|min)\b|\?)/) {
      "\($0.1) PROCESSES \($0.3) AGE"
    }
    // The owner of a folder that the tests made.
    text.replace(/\bthat \w+ could not\b/, with: "that SOMEBODY could not")
    text.replace(/owner \d+, group \d+/, with: "owner N, group N")
    // The first line of stats wraps at a place that depends on the length of the folder's real path.
    text.replace(/, at\s+TIME,\s+scanned in/, with: ", at TIME, scanned in")
    // Blocks on disk, and the sizes of folders.
    text.replace(/[ ]+[\d,.]+[KMGT]?(?= +<?[\d.]+ %)/, with: " BLOCKS")
    text.replace(/as du counts:\s+[\d,]+ bytes,\s+[\d,]+ on disk/, with: "as du counts")
    return text
  }
}
