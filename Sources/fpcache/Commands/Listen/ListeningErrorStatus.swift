// SPDX-License-Identifier: BSD-2-Clause
//
// The exit status for the error that ended the engine.

import Listening

extension UserError {
  /// The exit status for the error that ended the listener.
  init(_ error: ListeningError) {
    let status: ExitStatus =
      switch error.kind {
      case .badSetting: .usage
      case .taken: .incomplete
      case .configuration: .configuration
      case .noDatabase: .noDatabase
      case .noCacheDirectory: .noCacheDirectory
      }
    self.init(status, error.message)
  }
}
