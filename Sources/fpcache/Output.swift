// Writing to the standard streams. A reader who has gone (EPIPE) is no reason to die by signal.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A line on standard output: the result and nothing else.
func printResult(_ line: String) { write(line, to: STDOUT_FILENO) }

/// A line on standard error: everything that is not the result, and never a password. What others
/// have written is escaped where it enters a message; this is for what the parser quotes.
/// - Parameter head: stands before it as it is, with our own colours.
func printError(_ line: String, after head: String = "") {
  write(head + withoutControls(redacted(line)), to: STDERR_FILENO)
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

private func write(_ line: String, to descriptor: CInt) {
  var bytes = Array(line.utf8)[...]
  bytes.append(UInt8(ascii: "\n"))
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if written < 0 {
      if errno == EINTR || errno == EAGAIN { continue }
      return
    }
    bytes = bytes.dropFirst(written)
  }
}
