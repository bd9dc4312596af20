// What a queue's row asks to be cleared.

import CacheFS
import PGQueue

/// Why a row names nothing that can be cleared. No path is ever built from it.
enum RowProblem: Error, Equatable {
  case null
  case badDate([UInt8])
  case notInPortsTree([UInt8])
  case badKey(KeyError)
  case unknownQueue

  var explanation: String {
    switch self {
    case .null: "holds NULL"
    case .badDate(let text): "\"\(escape(text))\" is no day of the calendar"
    case .notInPortsTree(let path): "\"\(escape(path))\" is no path below /ports/head/"
    case .badKey(let error): error.explanation
    case .unknownQueue: "is of a queue that this version does not know"
    }
  }
}

/// Where the site's repository keeps the ports tree; pathnames of the queue begin with it.
private let portsTree = Array("/ports/head/".utf8)

extension QueueRow {
  /// The pages that the row names.
  /// - Throws: ``RowProblem``.
  func pages(_ layout: Layout) throws(RowProblem) -> [CacheKey] {
    let key = self.key.compactMap { $0 }
    guard key.count == self.key.count, let first = key.first, let last = key.last else {
      throw .null
    }
    switch table {
    case .ports:
      return try Self.keys { () throws(KeyError) in
        [try layout.port(category: first, port: last), try layout.category(first)]
      }
    case .dates:
      guard let date = CalendarDate(first) else { throw .badDate(first) }
      return try Self.keys { () throws(KeyError) in [try layout.day(date)] }
    case .commits:
      return try Self.keys { () throws(KeyError) in
        [try layout.commit(messageID: first), try layout.sanityTestFailures()]
      }
    case .files:
      guard first.starts(with: portsTree) else { throw .notInPortsTree(first) }
      let path = Array(first.dropFirst(portsTree.count))
      return try Self.keys { () throws(KeyError) in [try layout.file(path: path)] }
    default: throw .unknownQueue
    }
  }

  private static func keys(
    _ make: () throws(KeyError) -> [CacheKey]
  ) throws(RowProblem) -> [CacheKey] {
    do throws(KeyError) { return try make() } catch { throw .badKey(error) }
  }
}
