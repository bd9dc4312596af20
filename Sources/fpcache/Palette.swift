// Whether a person looks on, and what a person's terminal is given that a file is not: colour.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What stands at the other end of a stream.
enum Screen {
  static func isAt(_ descriptor: CInt) -> Bool { isatty(descriptor) != 0 }

  /// Whether a line on it can be taken back: it is a terminal that knows how.
  static func canRewrite(_ descriptor: CInt) -> Bool {
    guard isAt(descriptor), let kind = environment()["TERM"] else { return false }
    return kind != "dumb"
  }

  /// Takes the line back that the cursor is on.
  static func wipeLine(on descriptor: CInt) { put("\r\u{1B}[K", on: descriptor) }

  /// Columns of the terminal at a stream; 80 where it does not say.
  static func width(_ descriptor: CInt) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Part of a line: a question, or what is rewritten in place. What does not get through need
  /// not.
  static func put(_ text: String, on descriptor: CInt) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// Puts colour into text, or leaves it as it is.
struct Palette: Equatable, Sendable {
  /// SGR parameters of ECMA-48, 8.3.117.
  enum Paint: String {
    case red = "31"
    case yellow = "33"
  }

  static let plain = Palette(isColored: false)

  let isColored: Bool

  init(isColored: Bool) { self.isColored = isColored }

  /// What was asked for; with `auto`, colour for a terminal that knows it, unless NO_COLOR is
  /// set and not empty (no-color.org).
  init(_ choice: ColorChoice, isTerminal: Bool, _ environment: [String: String]) {
    switch choice {
    case .always: isColored = true
    case .never: isColored = false
    case .auto:
      let kind = environment["TERM"]
      isColored =
        isTerminal && environment["NO_COLOR"] == nil && kind != nil && kind != "dumb"
    }
  }

  func paint(_ text: String, _ paint: Paint) -> String {
    isColored && !text.isEmpty ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
  }
}

extension CommonOptions {
  /// The colours for one of the standard streams.
  func palette(_ descriptor: CInt) -> Palette {
    Palette(color, isTerminal: Screen.isAt(descriptor), environment())
  }
}
