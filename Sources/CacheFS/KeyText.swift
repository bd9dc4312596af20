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
    let parts = text.split(separator: "\t", omittingEmptySubsequences: false)
    var values: [(field: String, value: [UInt8])] = []
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: "="),
        let value = unescape(String(part[part.index(after: equals)...]))
      else { throw .unknownField(String(part), family: String(parts.first ?? "")) }
      values.append((String(part[..<equals]), value))
    }
    return try key(String(parts.first ?? ""), values)
  }
}
