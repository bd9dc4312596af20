// SPDX-License-Identifier: BSD-2-Clause
//
// How a stop reaches the connections, and how long the server may still take to answer.

import Basics

/// Whether a stop was requested, as the connections of one thread learn it.
package final class StopDeadline {
  /// The time for all answers that the server still owes. Together with the other work at a stop, it fits into the 5 s
  /// within which the listener promises to exit.
  package static let patience = Duration.seconds(3)

  private let patience: Duration
  /// Becomes readable, and stays readable, when a stop is requested.
  package let descriptor: CInt
  /// When the server must have answered; nil until a connection has seen the request to stop.
  private(set) var deadline: ContinuousClock.Instant?

  package init(descriptor: CInt, patience: Duration = StopDeadline.patience) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// A deadline that starts on its own, for a caller that waits for an answer and not for a stop.
  package init(patience: Duration) {
    self.patience = patience
    descriptor = -1
    begin()
  }

  /// Starts the time again: the next requests have all of it.
  package func begin() { deadline = .now + patience }

  /// Starts the time, if it has not started.
  func noteSeen() { deadline = deadline ?? .now + patience }
}
