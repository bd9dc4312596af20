// SPDX-License-Identifier: BSD-2-Clause
//
// How a command ends: the documented exit statuses, and the error that carries one.

import ArgumentParser
import SystemPackage

/// Exit statuses; those from 64 on are sysexits(3).
enum ExitStatus: Int32 {
  case done = 0
  case incomplete = 1
  case noMatch = 3
  case usage = 64
  case noCacheDirectory = 66
  case noDatabase = 69
  case noPermission = 77
  case configuration = 78
}

/// One failure reported to the user: what, where, and what to try.
struct UserError: Error, Equatable {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}

extension ExitStatus {
  /// Ends a command whose work is done and reported.
  func leave() throws {
    if self != .done { throw ExitCode(rawValue) }
  }
}
