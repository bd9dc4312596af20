// SPDX-License-Identifier: BSD-2-Clause
//
// The tokens that show that a node's cursor belongs to this cache: a line of the state directory.
//
// A machine may be copied, together with its state directory and cache. So a token is good for one start. A process
// that proves that it has the table's token replaces it with a new one. A copy that comes second has no token that
// fits. The new token is written beside the old one before the table gets it, and the old one is dropped afterwards. A
// crash in between leaves both in the file, and either is accepted.

import Basics
import CacheFS
import Logging
import PGQueue
import SystemPackage

/// The tokens by which this process may prove that it is a node of a certain name.
package final class NodeTokens {
  private static let file = "node"
  /// The token before a change and the token after it.
  private static let most = 2

  /// The node, with its current token.
  package private(set) var node: Node
  /// What the state directory holds, or would hold if it could be written; the newest last.
  private(set) var held: [String]
  /// Whether this process put the last of them into the table.
  private(set) var isFresh = false
  private let stateDirectory: FilePath
  private let logger: Logger
  /// The lock on the state directory, which no other process may use for a node meanwhile; -1 when there is none.
  private let lock: CInt
  private var isSaved = true
  private var hasToldOfFailure = false

  /// The node of that name on this machine. Without a state directory, the cursor of an earlier run cannot be told from
  /// another machine's, so each start is a first start.
  ///
  /// - Parameter dryRun: changes neither file nor table, and may run beside a listener.
  /// - Throws: ``ListeningError``.
  package init(
    _ name: String, stateDirectory: FilePath, dryRun: DryRun, _ logger: Logger
  ) throws(ListeningError) {
    let held = Self.read(stateDirectory.appending(Self.file), name)
    guard let node = Node(name: name, token: held.last ?? Self.draw()) else {
      throw ListeningError(.badSetting, "--node \(escape(Array(name.utf8))): \(Node.expectation)")
    }
    self.node = node
    self.held = held
    self.stateDirectory = stateDirectory
    self.logger = logger
    lock = dryRun == .yes ? -1 : try Self.lock(stateDirectory, name)
  }

  deinit { if lock >= 0 { close(lock) } }

  /// Two processes that share a state directory would take each other's token.
  private static func lock(_ directory: FilePath, _ name: String) throws(ListeningError) -> CInt {
    let descriptor = directory.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else {
      return descriptor
    }
    close(descriptor)
    throw ListeningError(
      .taken,
      "state directory \(escape(Array(directory.string.utf8))): another fpcache listen --node uses "
        + "it; node \(name) needs one of its own: name it with --state-dir")
  }

  /// The tokens that an earlier start of the same node left.
  private static func read(_ path: FilePath, _ name: String) -> [String] {
    guard let bytes = try? FileReader.ours.read(path.string) else { return [] }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return words.first.map { $0 == name } ?? false
      ? words.dropFirst().suffix(most).map(String.init) : []
  }

  private static func draw() -> String {
    (0..<4).map { _ in String(UInt32.random(in: 0 ... .max), radix: 36) }.joined()
  }

  // MARK: Changing it

  /// Draws a new random token, and writes it to the state directory before the table may get it.
  /// - Parameter current: the token in the table, where it is known to be ours.
  func draw(beside current: String?) {
    node.token = Self.draw()
    isFresh = false
    held = [current ?? held.last, node.token].compactMap { $0 }
    save(survives: .machine)
  }

  /// The table has the token that was drawn last: the one before it is no longer needed.
  func keep() {
    held = [node.token]
    isFresh = true
    save(survives: .process)
  }

  /// Uses a token that is held, and changes nothing.
  func goBy(_ token: String) { node.token = token }

  /// Writes what could not be written before: a full disk does not stay full for ever.
  func saveIfDue() { if !isSaved { save(survives: .process) } }

  private func save(survives crash: AtomicFile.Crash) {
    do throws(Errno) {
      try AtomicFile(stateDirectory.appending(Self.file).string).write(
        ([node.name] + held).joined(separator: " ") + "\n", survives: crash)
      isSaved = true
    } catch {
      isSaved = false
      guard !hasToldOfFailure else { return }
      hasToldOfFailure = true
      logger.warning(
        """
        state directory \(escape(Array(stateDirectory.string.utf8))): \(error); node \(node.name) will \
        not be recognised after a restart, and each start empties its cache. Name another with --state-dir
        """)
    }
  }
}
