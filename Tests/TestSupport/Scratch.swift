// SPDX-License-Identifier: BSD-2-Clause
//
// The one place where this test process keeps everything: trees, servers, the ids of running children. A small
// watchdog outlives the process, however the process ends, and removes everything.

import Foundation
import Synchronization

/// The process's scratch folders, made at first use: one in memory, if there is room, and one on disk;
/// `$FPCACHE_TEST_DIR` names another place for both.
///
/// There is only one way to clean up: the watchdog waits for the end of a pipe that only this process holds. A normal
/// exit closes the pipe and waits; SIGKILL or a crash closes it too.
enum Scratch {
  /// Where a folder is stored. Trees of tens of thousands of files, made and removed again and again, are many
  /// times faster in memory.
  enum Medium {
    case memory
    case disk
  }

  /// A new empty folder, for instance `/tmp/fpc-a1B2c3/pg1`. Its path is short, because a socket's path must be short.
  /// - Parameter name: the beginning of its name; a number follows.
  static func makeFolder(_ name: String, on medium: Medium = .memory) throws -> String {
    let folder = try newPath(name, on: medium)
    guard mkdir(folder, 0o755) == 0 else { throw SupportError.system("mkdir", folder) }
    return folder
  }

  /// A path in a scratch folder where no file exists yet.
  static func newPath(_ name: String, on medium: Medium = .memory) throws -> String {
    let root = try root.get()
    let number = counter.add(1, ordering: .relaxed).newValue
    return "\(medium == .memory ? root.memory : root.disk)/\(name)\(number)"
  }

  /// Makes the watchdog kill this child if it outlives this process.
  static func register(child pid: pid_t) throws {
    _ = try Descriptor.open(try root.get().memory + "/pids/\(pid)", O_WRONLY | O_CREAT)
  }

  /// Forgets a child that has been reaped, because another process may now have its id.
  static func forget(child pid: pid_t) {
    guard case .success(let root) = root else { return }
    unlink(root.memory + "/pids/\(pid)")
  }

  private struct Root: Sendable {
    let memory: String
    let disk: String
    let lifeline: Descriptor
    let watchdog: pid_t
  }

  private static let counter = Atomic<Int>(0)

  private static let root: Result<Root, any Error> = Result {
    let chosen = ProcessInfo.processInfo.environment["FPCACHE_TEST_DIR"]
    // Not NSTemporaryDirectory(): a socket's path may have at most 107 bytes.
    let disk = try makeRoot(in: chosen ?? "/tmp")
    let memory = chosen == nil && hasRoom("/dev/shm") ? try makeRoot(in: "/dev/shm") : disk
    mkdir(memory + "/pids", 0o700)
    let (reading, lifeline) = try Descriptor.pipe()
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let pid = try spawn(
      ["/bin/sh", "-c", watchdogScript, "fpcache-test-watchdog", memory, disk],
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
      streams: (reading.number, null.number, null.number), group: .own)
    atexit { Scratch.finish() }
    return Root(memory: memory, disk: disk, lifeline: lifeline, watchdog: pid)
  }

  private static func makeRoot(in folder: String) throws -> String {
    var template = Array("\(folder)/fpc-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw SupportError.system("mkdtemp", "\(folder)/fpc-XXXXXX")
    }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    // Children of root may run under another account and must be able to enter.
    chmod(path, getuid() == 0 ? 0o711 : 0o700)
    return path
  }

  /// Whether 2 GB are free, several times what all tests need at once.
  private static func hasRoom(_ folder: String) -> Bool {
    var information = statvfs()
    guard statvfs(folder, &information) == 0, access(folder, W_OK) == 0 else { return false }
    return UInt(information.f_bavail) * UInt(information.f_frsize) >= 2 << 30
  }

  private static func finish() {
    guard case .success(let root) = root else { return }
    close(root.lifeline.number)
    var status: Int32 = 0
    while waitpid(root.watchdog, &status, 0) < 0, errno == EINTR {}
  }

  // It has its own process group, so that neither Ctrl-C nor a signal to our group ends it.
  private static let watchdogScript = """
    trap '' HUP INT QUIT TERM
    cat >/dev/null
    for file in "$1"/pids/*; do
      [ -e "$file" ] && kill -KILL "${file##*/}"
    done
    for file in "$1"/*/data/postmaster.pid "$2"/*/data/postmaster.pid; do
      [ -e "$file" ] || continue
      pid=$(head -n 1 "$file")
      case $(ps -o comm= -p "$pid" || cat "/proc/$pid/comm") in
        *postgres* | *postmaster*) ;;
        *) continue ;;
      esac
      kill -QUIT "$pid"
      tries=0
      while kill -0 "$pid"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || kill -KILL "$pid"
        [ "$tries" -lt 120 ] || break
        sleep 0.05
      done
    done
    for try in 1 2 3; do
      chmod -R u+rwX "$1" "$2"
      rm -rf "$1" "$2"
      [ -e "$1" ] || [ -e "$2" ] || break
      sleep 1
    done
    """
}
