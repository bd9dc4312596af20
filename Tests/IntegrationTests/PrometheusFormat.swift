// SPDX-License-Identifier: BSD-2-Clause
//
// Whether text is what Prometheus reads: by its own checker, and where there is none, by the grammar.

@testable import TestSupport

/// What is wrong with a text of metrics; nothing, as it should be.
func prometheusComplaints(_ text: String) throws -> [String] {
  var complaints: [String] = []
  if let promtool = findProgram("promtool") {
    var command = Command(promtool, ["check", "metrics"])
    command.input = Array(text.utf8)
    let result = try command.run()
    if result.status != 0 || !result.outputBytes.isEmpty || !result.errorBytes.isEmpty {
      complaints.append("\(result)")
    }
  }
  if !text.hasSuffix("\n") { complaints.append("no newline at its end") }
  let comment = #/# (HELP [a-z_]+ [^\n]+|TYPE [a-z_]+ (counter|gauge|histogram))/#
  let sample =
    #/[a-z_]+(\{([a-z_]+="([^"\\]|\\[\\"n])*",?)+\})? -?([0-9.]+(e[+-]?[0-9]+)?|\+Inf)/#
  var described: Set<Substring> = []
  for line in text.split(separator: "\n") {
    if line.wholeMatch(of: comment) == nil, line.wholeMatch(of: sample) == nil {
      complaints.append("no such line: \(line)")
    }
    if line.hasPrefix("# TYPE "), !described.insert(line.split(separator: " ")[2]).inserted {
      complaints.append("described twice: \(line)")
    }
  }
  return complaints
}
