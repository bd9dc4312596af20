// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` as Prometheus' text format: the same numbers as in the JSON document.

import Basics
import CacheFS

extension Overview {
  var prometheus: String {
    var text = PrometheusText()
    text.add(.surveyedAt, time: now)
    if scope == .all { addTree(to: &text) }
    text.add(database, now: now)
    text.add(statusFile)
    return text.text
  }

  private func addTree(to text: inout PrometheusText) {
    func add(_ metric: Metric, _ number: (FileTally) -> Int64) {
      text.add(metric, rows.map { Sample(number($0.tally), $0.name) })
    }
    add(.treeFiles) { Int64($0.files) }
    add(.treeBytes, \.bytes)
    add(.treeDiskBytes, \.diskBytes)
    // A family without files has no such time.
    text.add(
      .treeOldestFile,
      rows.compactMap { row in row.tally.oldest.map { Sample(time: $0, row.name) } })
    text.add(
      .treeNewestFile,
      rows.compactMap { row in row.tally.newest.map { Sample(time: $0, row.name) } })
    addFolders(to: &text)
    addBuckets(tree.ages, .treeAgeFiles, .treeAgeBytes, to: &text)
    addBuckets(tree.sizes, .treeSizeFiles, .treeSizeBytes, to: &text)
    text.add(.treeFailures, tree.failureCount)
    text.add(.treeScanSeconds, scanSeconds)
  }

  private func addFolders(to text: inout PrometheusText) {
    // The cache directory belongs to no family. With it, the sum is what du and find print.
    let all = rows + [Row(name: "cache_dir", tally: FileTally(), folders: tree.root)]
    text.add(.treeFolders, all.map { Sample($0.folders.folders, $0.name) })
    text.add(.treeFolderBytes, all.map { Sample($0.folders.bytes, $0.name) })
    text.add(.treeFolderDiskBytes, all.map { Sample($0.folders.diskBytes, $0.name) })
  }

  /// The distribution in a snapshot is not a Prometheus histogram, whose buckets only grow. So each bucket is a
  /// separate gauge.
  private func addBuckets(
    _ histogram: Histogram, _ files: Metric, _ bytes: Metric, to text: inout PrometheusText
  ) {
    let bounds = histogram.bounds.map { "\($0)" } + ["+Inf"]
    text.add(files, zip(histogram.buckets, bounds).map { Sample($0.files, $1) })
    text.add(bytes, zip(histogram.buckets, bounds).map { Sample($0.bytes, $1) })
  }
}
