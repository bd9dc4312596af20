// SPDX-License-Identifier: BSD-2-Clause
//
// Mounts that only one thread sees: it leaves the process's mount namespace and dies with its own,
// so nothing can be left mounted.

import Foundation
import TestSupport
import Testing

enum PrivateMounts {
  private typealias Unshare = @convention(c) (CInt) -> CInt
  private typealias Mount =
    @convention(c) (
      UnsafePointer<CChar>?, UnsafePointer<CChar>, UnsafePointer<CChar>?, CUnsignedLong,
      UnsafePointer<CChar>?
    ) -> CInt

  // linux/sched.h and linux/mount.h.
  private static let newNamespace: CInt = 0x0002_0000
  private static let (bind, recursive, isPrivate) = (4096, 16384, 1 << 18)
  private static let (readOnly, remount) = (1, 32)

  /// Whether this process may mount at all.
  static let areAllowed = (try? run { 1 }) == 1

  /// Runs `body` on a thread with mounts of its own, and waits for it.
  static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws
    -> Result
  {
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var result: Swift.Result<Result, any Error>?
    let thread = Thread {
      result = Swift.Result {
        guard let unshare: Unshare = function("unshare"), unshare(newNamespace) == 0 else {
          throw SupportError("unshare: \(String(cString: strerror(errno)))")
        }
        try mount(nil, "/", nil, recursive | isPrivate)
        return try body()
      }
      done.signal()
    }
    thread.start()
    done.wait()
    return try #require(result).get()
  }

  /// An empty file system at `path`, of at most so many bytes.
  static func mountMemory(at path: String, size: Int = 1 << 20) throws {
    try mount("none", path, "tmpfs", 0, "size=\(size)")
  }

  /// A folder, seen at `path` too.
  static func bind(_ source: String, at path: String) throws {
    try mount(source, path, nil, bind)
  }

  static func makeReadOnly(_ path: String) throws {
    try mount(path, path, nil, bind)
    try mount(nil, path, nil, bind | remount | readOnly)
  }

  private static func mount(
    _ source: String?, _ target: String, _ type: String?, _ flags: Int, _ data: String? = nil
  ) throws {
    guard let call: Mount = function("mount"),
      call(source, target, type, CUnsignedLong(flags), data) == 0
    else { throw SupportError("mount \(target): \(String(cString: strerror(errno)))") }
  }

  private static func function<Function>(_ name: String) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
  }
}
