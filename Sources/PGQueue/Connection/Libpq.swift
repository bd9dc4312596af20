// SPDX-License-Identifier: BSD-2-Clause
//
// Whether libpq is there. It is loaded when the first of its functions is called: most commands call none.

import Basics
import CLibpq

/// The library that speaks to PostgreSQL.
enum Libpq {
  /// Why it cannot be loaded, in the system's words; nil where it is loaded. Loads it, and tries again after a failure.
  static var problem: String? { fpc_libpq_problem().map { String(cString: $0) } }
}
