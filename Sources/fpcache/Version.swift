// SPDX-License-Identifier: BSD-2-Clause

/// The version, as `--version` prints it and as the changelog's heading has it.
let fpcacheVersion = "0.1.0"
