// SPDX-License-Identifier: BSD-2-Clause
//
// `status` as Prometheus' text format: the metrics of `stats --queues`, without those that a brief look skips.

import Basics

extension StatusReport {
  var prometheus: String {
    var text = PrometheusText()
    text.add(.surveyedAt, time: at)
    text.add(database, now: at)
    text.add(statusFile)
    return text.text
  }
}
