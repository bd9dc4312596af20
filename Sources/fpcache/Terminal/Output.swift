// SPDX-License-Identifier: BSD-2-Clause
//
// Writes to the standard streams. When the reader has closed its end (EPIPE), the program neither dies by a signal nor
// complains; a result that could not be written for another reason is an error.

import Basics
import SystemPackage

/// Whether a reader still has the stream open.
enum Audience {
  case there
  case gone
}

/// Writes a line to standard output: the result and nothing else.
/// - Throws: ``UserError`` with status 1 when it cannot be written, for example to a full disk.
@discardableResult
func printResult(_ line: String) throws(UserError) -> Audience { try printResult([line]) }

/// Writes lines to standard output, in one write.
/// - Throws: ``UserError`` with status 1 when they cannot be written, for example to a full disk.
@discardableResult
func printResult(_ lines: [String]) throws(UserError) -> Audience {
  if lines.isEmpty { return .there }
  return try writeResult(shown(lines.joined(separator: "\n"), on: STDOUT_FILENO) + "\n")
}

/// Writes text to standard output unchanged.
/// - Throws: ``UserError`` with status 1 when it cannot be written, for example to a full disk.
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

/// Writes a line to standard error: everything that is not the result, and never a password. Text from other sources is
/// escaped where it enters a message. If some of it arrives here unescaped, it is made harmless for the terminal. If
/// the line cannot be written, there is no other place to report that.
/// - Parameter head: printed before the line unchanged, with our own colours.
func printError(_ line: String, after head: String = "") {
  writeError(head + withoutControls(redacted(line)) + "\n")
}

/// Writes text to standard error that is already safe to display. Text that cannot be written is lost: there is no
/// other place to report that.
func writeError(_ text: String) {
  let bytes = Array(shown(text, on: STDERR_FILENO).utf8)
  do throws(Errno) { try writeAll(bytes[...], to: STDERR_FILENO) } catch {}
}

/// A terminal without UTF-8 may interpret some of its bytes as commands.
private func shown(_ text: String, on descriptor: CInt) -> String {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
  return Screen.isAt(descriptor) && !localeIsUnicode ? asciiOnly(text) : text
}

/// From here on, writing to a pipe without a reader fails instead of ending the program.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Opens the standard streams that the caller has closed. Otherwise one of our own descriptors would get their number
/// and be written to: the listener once read its log as signals. Standard output is opened for reading only, so that a
/// result that cannot be written is an error.
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
