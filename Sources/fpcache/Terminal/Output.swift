// SPDX-License-Identifier: BSD-2-Clause
//
// Writing to the standard streams. A reader who has gone (EPIPE) is no reason to die by signal, and
// none to complain; a result that could not be written for another reason is an error.

import Basics
import SystemPackage

/// Whether somebody still reads what is written.
enum Audience {
  case there
  case gone
}

/// A line on standard output: the result and nothing else.
/// - Throws: ``UserError`` with status 1 when it cannot be written, as to a full disk.
@discardableResult
func printResult(_ line: String) throws(UserError) -> Audience { try printResult([line]) }

/// Lines on standard output, written at once.
/// - Throws: ``UserError`` with status 1 when they cannot be written, as to a full disk.
@discardableResult
func printResult(_ lines: [String]) throws(UserError) -> Audience {
  if lines.isEmpty { return .there }
  return try writeResult(shown(lines.joined(separator: "\n"), on: STDOUT_FILENO) + "\n")
}

/// Text as it is on standard output.
/// - Throws: ``UserError`` with status 1 when it cannot be written, as to a full disk.
@discardableResult
func writeResult(_ text: String) throws(UserError) -> Audience {
  do throws(Errno) {
    try writeAll(Array(text.utf8)[...], to: STDOUT_FILENO)
    return .there
  } catch {
    if error == .brokenPipe { return .gone }
    let reason = error == .badFileDescriptor ? "closed" : "\(error)"
    throw UserError(
      .incomplete, "standard output: \(reason); the result could not be written")
  }
}

/// A line on standard error: everything that is not the result, and never a password. What others
/// have written is escaped where it enters a message; should some of it get here all the same, no
/// terminal obeys it. Where the line cannot be written, there is nowhere left to say so.
/// - Parameter head: stands before it as it is, with our own colours.
func printError(_ line: String, after head: String = "") {
  writeError(head + withoutControls(redacted(line)) + "\n")
}

/// Text on standard error that has been made fit to be shown. What cannot be written is lost: there is nowhere to say
/// so.
func writeError(_ text: String) {
  let bytes = Array(shown(text, on: STDERR_FILENO).utf8)
  do throws(Errno) { try writeAll(bytes[...], to: STDERR_FILENO) } catch {}
}

/// A terminal that knows no UTF-8 may take bytes of it for commands.
private func shown(_ text: String, on descriptor: CInt) -> String {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
  return Screen.isAt(descriptor) && !localeIsUnicode ? asciiOnly(text) : text
}

/// Writing to a pipe that nobody reads fails from here on, instead of ending the program.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Opens what the caller has closed of the standard streams. A descriptor of our own would take
/// their number otherwise, and be written to: the listener once read its log as signals. Standard output is
/// opened for reading only, so that a result that cannot be written is an error.
func openStandardStreams() {
  while true {
    var descriptor = open("/dev/null", O_RDWR)
    if descriptor == STDOUT_FILENO {
      close(descriptor)
      descriptor = open("/dev/null", O_RDONLY)
    }
    if (STDIN_FILENO...STDERR_FILENO).contains(descriptor) { continue }
    if descriptor >= 0 { close(descriptor) }
    return
  }
}
