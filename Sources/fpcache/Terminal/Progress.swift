// SPDX-License-Identifier: BSD-2-Clause
//
// Shows the progress of a long job: one line on standard error, rewritten in place while the job runs and removed when
// it ends. It is shown only on a terminal, and only after a second.

import Basics

/// A line that shows the progress of a job, from its own thread.
final class Progress: Sendable {
  /// A job shorter than this needs no line.
  static let delay = Duration.seconds(1)
  /// The time between two updates.
  private static let interval = Duration.milliseconds(200)

  private let thread: pthread_t
  /// Closed to end the thread.
  private let wakeUp: CInt

  /// Starts the line, or returns nil where no user would see it: the stream is not a terminal, or `isWanted` is false.
  /// - Parameter text: the current text; called on the line's own thread.
  static func start(
    on descriptor: CInt = STDERR_FILENO, after delay: Duration = delay, if isWanted: Bool = true,
    _ text: @escaping @Sendable () -> String
  ) -> Progress? {
    isWanted && Screen.isAt(descriptor) ? Progress(descriptor, delay, text) : nil
  }

  private init?(
    _ descriptor: CInt, _ delay: Duration, _ text: @escaping @Sendable () -> String
  ) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let line = Unmanaged.passRetained(Line(descriptor, delay, wakeUp: ends[0], text))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Line>.fromOpaque(argument).takeRetainedValue().show()
        return nil
      }, line.toOpaque())
    guard status == 0 else {
      line.release()
      close(ends[1])
      return nil
    }
    self.thread = thread
    wakeUp = ends[1]
  }

  /// Removes the line. Later output appears in its place.
  func finish() {
    close(wakeUp)
    pthread_join(thread, nil)
  }

  /// The work of the thread.
  private final class Line: Sendable {
    private let descriptor: CInt
    private let delay: Duration
    private let wakeUp: CInt
    private let text: @Sendable () -> String

    init(
      _ descriptor: CInt, _ delay: Duration, wakeUp: CInt,
      _ text: @escaping @Sendable () -> String
    ) {
      self.descriptor = descriptor
      self.delay = delay
      self.wakeUp = wakeUp
      self.text = text
    }

    deinit { close(wakeUp) }

    func show() {
      var wait = pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0)
      var timeout = milliseconds(delay)
      var isShown = false
      while true {
        let ready = poll(&wait, 1, timeout)
        if ready < 0, errno == EINTR { continue }
        guard ready == 0 else { break }
        // A wrapped line could not be removed.
        let terminal = Terminal(
          columns: Screen.width(descriptor) - 1, isTerminal: true, isUnicode: localeIsUnicode)
        let line = terminal.start(of: text(), columns: terminal.columns)
        Screen.put("\r\(line)\u{1B}[K", on: descriptor)
        isShown = true
        timeout = milliseconds(Progress.interval)
      }
      if isShown { Screen.wipeLine(on: descriptor) }
    }

    private func milliseconds(_ duration: Duration) -> CInt {
      let (seconds, attoseconds) = duration.components
      return CInt(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
  }
}
