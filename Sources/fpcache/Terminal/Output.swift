// Writing to the standard streams. A reader who has gone (EPIPE) is no reason to die by signal, and
// none to complain; a result that could not be written for another reason is an error.

import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
    try write(text, to: STDOUT_FILENO)
    return .there
  } catch {
    if error == .brokenPipe { return .gone }
    throw UserError(
      .incomplete, "standard output: \(error); the result could not be written")
  }
}

/// A line on standard error: everything that is not the result, and never a password. What others
/// have written is escaped where it enters a message; should some of it get here all the same, no
/// terminal obeys it. Where the line cannot be written, there is nowhere left to say so.
/// - Parameter head: stands before it as it is, with our own colours.
func printError(_ line: String, after head: String = "") {
  let line = shown(head + withoutControls(redacted(line)), on: STDERR_FILENO)
  do throws(Errno) { try write(line + "\n", to: STDERR_FILENO) } catch {}
}

/// A terminal that knows no UTF-8 may take bytes of it for commands.
private func shown(_ text: String, on descriptor: CInt) -> String {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
  return Screen.isAt(descriptor) && !localeIsUnicode ? asciiOnly(text) : text
}

/// The text with what a terminal would obey made visible, but for ends of lines.
func withoutControls(_ text: String) -> String {
  let isClean = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }
  if isClean { return text }
  return text.unicodeScalars.map { scalar in
    switch scalar.properties.generalCategory {
    case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator:
      scalar.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    default: String(scalar)
    }
  }.joined()
}

/// Writing to a pipe that nobody reads fails from here on, instead of ending the program.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Opens what the caller has closed of the standard streams. A descriptor of our own would take
/// their number otherwise, and be written to: the listener once read its log as signals.
func openStandardStreams() {
  while true {
    let descriptor = open("/dev/null", O_RDWR)
    if (STDIN_FILENO...STDERR_FILENO).contains(descriptor) { continue }
    if descriptor >= 0 { close(descriptor) }
    return
  }
}

/// Writes all of it, waiting where the descriptor is one that does not block.
private func write(_ text: String, to descriptor: CInt) throws(Errno) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if written >= 0 {
      rest = rest.dropFirst(written)
      continue
    }
    switch Errno(rawValue: errno) {
    case .interrupted: continue
    case .resourceTemporarilyUnavailable:
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = poll(&wait, 1, -1)
    case let error: throw error
    }
  }
}
