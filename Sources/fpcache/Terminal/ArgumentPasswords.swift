// SPDX-License-Identifier: BSD-2-Clause
//
// Hides passwords on the command line from ps(1); they do not belong there.

import Basics
import PGQueue

/// Whether an argument, or the text after the `=` of an option, holds a password: by our rule, or by libpq's, which
/// knows more spellings (`p%61ssword=` in a URI).
func holdsPassword(_ argument: String) -> Bool {
  if redacted(argument) != argument { return true }
  guard argument.utf8.contains(UInt8(ascii: "=")) else { return false }
  let isOption = argument.hasPrefix("--")
  let value = isOption ? argument.split(separator: "=", maxSplits: 1).dropFirst().first : nil
  return !ConnectionParameters.secrets(in: value.map(String.init) ?? argument).isEmpty
}

/// Overwrites arguments that hold a password. Linux shows the overwritten text to all processes. Where the kernel keeps
/// a copy (FreeBSD), other users can still see the password, and a message says so.
func hidePasswordsFromArguments() {
  for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[index] else { return }
    guard holdsPassword(String(cString: argument)) else { continue }
    var end = argument
    while end.pointee != 0 {
      end.pointee = CChar(bitPattern: UInt8(ascii: "*"))
      end += 1
    }
    if kernelCopiesArguments {
      printError(
        "fpcache: other users can read a password on the command line; put it in ~/.pgpass"
      )
    }
  }
}
