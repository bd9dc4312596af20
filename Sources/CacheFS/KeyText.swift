// Keys as text, for a file that survives the process: `family TAB field=value TAB ...`.

extension Layout {
  /// The key on one line; ``key(text:)`` reads it back.
  public func text(of key: CacheKey) -> String {
    ([families[key.family].name]
      + key.bindings.map { "\($0.field)=\(escape($0.value))" }).joined(separator: "\t")
  }

  /// Reads a key back; its values are checked like any other's.
  /// - Throws: ``KeyError``; a field without a value is an unknown one.
  public func key(text: some StringProtocol) throws(KeyError) -> CacheKey {
    // By bytes: a combining mark makes one character of itself and the sign before it.
    let parts = text.utf8.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    var values: [(field: String, value: [UInt8])] = []
    for part in parts.dropFirst() {
      guard let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")),
        let value = unescape(String(decoding: part.utf8[equals...].dropFirst(), as: UTF8.self))
      else { throw .unknownField(part, family: parts.first ?? "") }
      values.append((String(decoding: part.utf8[..<equals], as: UTF8.self), value))
    }
    return try key(parts.first ?? "", values)
  }
}
