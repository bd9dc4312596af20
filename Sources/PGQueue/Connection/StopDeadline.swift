// SPDX-License-Identifier: BSD-2-Clause
//
// How a stop reaches the connections, and how long it lets the server answer.

import Basics

/// That a stop was asked for, as the connections of one thread learn it.
package final class StopDeadline {
  /// What is left to all that the server has to answer yet: with what else is to be done, within the 5 s in
  /// which the listener promises to leave.
  package static let patience = Duration.seconds(3)

  private let patience: Duration
  /// Readable for good once a stop was asked for.
  package let descriptor: CInt
  /// When the server has to have answered; nil until a connection has seen that it is to stop.
  private(set) var deadline: ContinuousClock.Instant?

  package init(descriptor: CInt, patience: Duration = StopDeadline.patience) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// A time that begins by itself, for whoever waits for an answer and for no stop.
  package init(patience: Duration) {
    self.patience = patience
    descriptor = -1
    begin()
  }

  /// Begins the time again: what is asked from here on has all of it.
  package func begin() { deadline = .now + patience }

  /// Begins the time, if it has not begun.
  func noteSeen() { deadline = deadline ?? .now + patience }
}
