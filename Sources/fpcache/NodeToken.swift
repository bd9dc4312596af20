// The token by which a node's cursor is known to belong to this cache: a line of the state
// directory, made at the node's first start.

import CacheFS
import Logging
import PGQueue
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum NodeToken {
  private static let file = "node"

  /// The node of that name on this machine. Without a state directory the cursor of an earlier run
  /// cannot be told from another machine's, so that each start is a first one.
  static func node(
    _ name: String, stateDirectory: FilePath, _ logger: Logger
  ) throws(UserError) -> Node {
    let fresh = (0..<4).map { _ in String(UInt32.random(in: 0 ... .max), radix: 36) }.joined()
    var token = read(stateDirectory.appending(file), name)
    if token == nil {
      token = fresh
      do throws(Errno) {
        try AtomicFile(stateDirectory.appending(file).string).write("\(name) \(fresh)\n")
      } catch {
        logger.warning(
          """
          state directory \(escape(Array(stateDirectory.string.utf8))): \(error); node \(name) will \
          not be known again, and each start empties its cache. Name another with --state-dir
          """)
      }
    }
    guard let node = Node(name: name, token: token ?? fresh) else {
      throw UserError(.usage, "--node \(escape(Array(name.utf8))): \(Node.expectation)")
    }
    return node
  }

  /// The token that an earlier start of the same node has left.
  private static func read(_ path: FilePath, _ name: String) -> String? {
    guard let bytes = try? FileReader.ours.read(path.string) else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return words.count == 2 && words[0] == name ? String(words[1]) : nil
  }
}
