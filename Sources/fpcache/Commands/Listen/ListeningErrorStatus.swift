// SPDX-License-Identifier: BSD-2-Clause
//
// The exit status of what ended the engine.

import Listening

extension UserError {
  /// What ended the listener.
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
