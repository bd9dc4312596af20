// SPDX-License-Identifier: BSD-2-Clause
//
// What all other files here use: the one error type, waiting for a condition, and the few libc calls that need a retry
// or a Swift interface.

import Foundation
import Synchronization

/// An error of the test support itself, or of a condition that it was waiting for.
public struct SupportError: Error, CustomStringConvertible, Sendable {
  /// The full text for a person: what failed, on what, and what to try.
  public let description: String

  /// An error that says `description` and nothing else.
  public init(_ description: String) {
    self.description = description
  }

  /// The error of the C call that has just failed, from `errno`.
  static func system(_ call: String, _ subject: String) -> SupportError {
    let code = errno
    return SupportError("\(call) \(subject): \(String(cString: strerror(code)))")
  }
}

/// Whether the program can be made to die at a step of its work.
#if DEBUG
  public let hasCrashPoints = true
#else
  public let hasCrashPoints = false
#endif

/// How long a test waits for what must happen. Busy machines stand still for ten seconds and more; a condition that
/// holds is never waited for.
public let patience = Duration.seconds(60)

/// Waits until `condition` holds. Checks it every few milliseconds.
///
/// An error that the condition throws counts as "not yet"; the last one is reported on failure.
/// - Parameters:
///   - timeout: how long to wait at most.
///   - what: what is waited for, in words, for the failure's text.
///   - details: more text for a failure, for instance a daemon's log; called once, at the end.
/// - Throws: `SupportError` when the time is over and the condition has not held.
public func eventually(
  timeout: Duration = patience, _ what: @autoclosure () -> String = "the condition holds",
  details: @autoclosure () -> String = "", _ condition: () throws -> Bool
) throws {
  let clock = ContinuousClock()
  let start = clock.now
  var pause: UInt32 = 500
  while true {
    var lastError: (any Error)?
    do {
      if try condition() { return }
    } catch {
      lastError = error
    }
    if clock.now - start >= timeout {
      var text = "waited \(timeout) in vain until \(what())"
      if let lastError { text += "\nlast error: \(lastError)" }
      let more = details()
      if !more.isEmpty { text += "\n\(more)" }
      throw SupportError(text)
    }
    usleep(pause)
    pause = min(pause * 2, 10_000)
  }
}

/// A file descriptor with close-on-exec. It is closed with its last reference.
final class Descriptor: Sendable {
  let number: Int32

  init(_ number: Int32) {
    self.number = number
  }

  deinit {
    close(number)
  }

  /// open(2) with O_CLOEXEC. Only the owner can use a new file.
  static func open(_ path: String, _ flags: Int32) throws -> Descriptor {
    let number = Foundation.open(path, flags | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw SupportError.system("open", path) }
    return Descriptor(number)
  }

  /// A file without a name, open for reading and writing.
  static func temporary(holding bytes: [UInt8] = []) throws -> Descriptor {
    let path = try Scratch.newPath("io")
    let file = try open(path, O_RDWR | O_CREAT | O_EXCL)
    unlink(path)
    try writeAll(bytes, to: file.number)
    lseek(file.number, 0, SEEK_SET)
    return file
  }

  /// A pipe's reading and writing end. A child gets neither unless it is passed explicitly.
  static func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
    var ends: [Int32] = [-1, -1]
    // pipe2(2) is not visible in Swift. So no child may start before the ends are closed on exec.
    try startingChildren.withLock { _ in
      guard Foundation.pipe(&ends) == 0 else { throw SupportError.system("pipe", "") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    return (Descriptor(ends[0]), Descriptor(ends[1]))
  }

  /// The whole content of the file, from its beginning.
  func contents() -> [UInt8] {
    lseek(number, 0, SEEK_SET)
    var result: [UInt8] = []
    while let chunk = readSome(number) { result += chunk }
    return result
  }
}

/// The next bytes of a descriptor, or nil at its end or on an error.
func readSome(_ number: Int32) -> [UInt8]? {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(number, &buffer, buffer.count)
    if count > 0 { return Array(buffer[..<count]) }
    if count < 0, errno == EINTR { continue }
    return nil
  }
}

/// Writes every byte, however many calls it takes.
func writeAll(_ bytes: [UInt8], to number: Int32) throws {
  var offset = 0
  while offset < bytes.count {
    let count = bytes.withUnsafeBytes { write(number, $0.baseAddress! + offset, $0.count - offset) }
    if count < 0 {
      if errno == EINTR { continue }
      throw SupportError.system("write", "descriptor \(number)")
    }
    offset += count
  }
}
