// SPDX-License-Identifier: BSD-2-Clause
//
// One row of a queue.

/// One row of a queue.
package struct QueueRow {
  /// Identifies one version of a row: its table, its place there and the transaction that wrote it (tableoid, ctid,
  /// xmin). These are numbers, so that no text from the server goes back into a statement.
  struct Version: Equatable, Sendable {
    let block: UInt32
    let offset: UInt16
    let writer: UInt32
    let table: UInt32
    /// As the server writes it.
    var place: String { "(\(block),\(offset))" }
    /// The file that the place belongs to; nil for a foreign table, which has no file.
    let file: UInt32?

    /// The places as members of an array in a statement: `"(0,1)","(0,2)"`. Written byte by byte, since a batch may have
    /// thousands.
    static func list(_ rows: [Version]) -> String {
      var text: [UInt8] = []
      text.reserveCapacity(rows.count * 16)
      for row in rows {
        if !text.isEmpty { text.append(UInt8(ascii: ",")) }
        text += "\"(".utf8
        text.append(decimal: row.block)
        text.append(UInt8(ascii: ","))
        text.append(decimal: UInt32(row.offset))
        text += ")\"".utf8
      }
      return String(decoding: text, as: UTF8.self)
    }

    /// Reads a place, `(block,offset)`, and the transaction's number.
    init?(
      _ place: UnsafeRawBufferPointer, _ writer: UnsafeRawBufferPointer, table: UInt32,
      file: UInt32?
    ) {
      guard place.first == UInt8(ascii: "("), place.last == UInt8(ascii: ")"),
        let comma = place.firstIndex(of: UInt8(ascii: ",")),
        let block = UInt32(decimal: place[1..<comma]),
        let offset = UInt16(decimal: place[(comma + 1)..<(place.count - 1)]),
        let writer = UInt32(decimal: writer[0...])
      else { return nil }
      self.block = block
      self.offset = offset
      self.writer = writer
      self.table = table
      self.file = file
    }
  }

  /// The queue that holds the row, or held it before it came into the log.
  package let table: QueueTable
  /// Nil for a row of the log: no statement deletes it by version.
  let version: Version?
  /// The key's columns; nil for NULL.
  package let key: [[UInt8]?]
  private let rows: Rows
  private let number: Int
  private let positionColumn: Int

  /// Reads a row of a batch. Its columns are place, writer, position, key, table and file.
  init?(ofBatch rows: Rows, _ number: Int, _ table: QueueTable) {
    let column = 3 + table.keyCount
    guard let home = rows.number(number, column) else { return nil }
    let file = rows.number(number, column + 1)
    let version = rows.withBytes(number, 0) { place in
      rows.withBytes(number, 1) { Version(place, $0, table: home, file: file) } ?? nil
    }
    guard let version = version ?? nil else { return nil }
    self.init(rows, number, table, version, positionAt: 2, keyAt: 3)
  }

  /// - Parameters:
  ///   - positionColumn: the column of its position.
  ///   - keyColumn: the first column of its key.
  init(
    _ rows: Rows, _ number: Int, _ table: QueueTable, _ version: Version? = nil,
    positionAt positionColumn: Int, keyAt keyColumn: Int
  ) {
    self.table = table
    self.version = version
    self.rows = rows
    self.number = number
    self.positionColumn = positionColumn
    key = table.key.indices.map { rows[number, $0 + keyColumn] }
  }

  /// A row that no server sent, for callers that ask what a key names.
  init(_ table: QueueTable, key: [[UInt8]?]) {
    self.table = table
    version = nil
    self.key = key
    rows = Rows(nil)
    number = 0
    positionColumn = 0
  }

  /// The row's number in its queue's order or in the log; empty for NULL. Computed on demand, since few rows need it.
  package var position: String { rows.text(number, positionColumn) ?? "" }

  /// The row's place in its queue's order; nil for a row of the log.
  package var place: QueuePlace? {
    version.map {
      QueuePlace(order: rows.text(number, positionColumn), table: $0.table, place: $0.place)
    }
  }
}

extension Rows {
  /// The number at a row and column; nil for NULL and for what is not a number.
  func number(_ row: Int, _ column: Int) -> UInt32? {
    withBytes(row, column) { UInt32(decimal: $0[0...]) } ?? nil
  }
}

extension [UInt8] {
  fileprivate mutating func append(decimal number: UInt32) {
    let start = count
    var rest = number
    repeat {
      append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }
}

extension FixedWidthInteger {
  /// The number that decimal digits give; nil for anything else.
  fileprivate init?(decimal digits: Slice<UnsafeRawBufferPointer>) {
    guard !digits.isEmpty else { return nil }
    var value: Self = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (next, isOneTooLarge) = tens.addingReportingOverflow(Self(digit - UInt8(ascii: "0")))
      if isTooLarge || isOneTooLarge { return nil }
      value = next
    }
    self = value
  }
}
