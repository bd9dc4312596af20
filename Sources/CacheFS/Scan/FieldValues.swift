// SPDX-License-Identifier: BSD-2-Clause
//
// Which values a field has in the tree. It is the forward reading, stopped at the folder that holds the field's
// names. One folder is listed and no page is opened. A question therefore costs as little as a clear, whatever
// the size of the cache.

import Basics
import SystemPackage

/// Looks up names in one cache directory: for completion and for suggestions.
package struct FieldValues {
  private let root: Directory
  private let layout: Layout

  package init(_ root: Directory, layout: Layout) {
    self.root = root
    self.layout = layout
  }

  /// The values of `field` in the rows of `family` where other fields have the values in `given`.
  ///
  /// It returns only values that the field's kind accepts: no name with a space, a quote or a `$` when the
  /// kind is one of FreeBSD's names. It returns nothing when the family lacks the field, when a folder above
  /// it is not known yet, or when the folder cannot be read. The caller wants suggestions, not an error.
  package func values(
    of field: String, in family: String, given: [(field: String, value: [UInt8])] = []
  ) -> Set<[UInt8]> {
    guard let key = try? layout.key(family, given) else { return [] }
    let components = layout.rows[key.family].pattern.components
    let names = folders(of: key)
    var chain = OpenChain()
    guard let directory = try? chain.open(names, from: root) else { return [] }
    let isLast = names.count + 1 == components.count
    let row = PlacedRow(
      family: key.family, component: names.count,
      bound: key.shown.filter { binding in
        components.prefix(names.count).contains { $0.fields.contains { $0.name == binding.field } }
      }, tail: [])
    var matcher = Matcher(layout)
    var found: Set<[UInt8]> = []
    list(directory) { name, type in
      guard (type == .directory) == !isLast else { return }
      var value: [UInt8]?
      var isWanted = true
      func see(_ field: String, _ bytes: some Collection<UInt8>) {
        if let known = key.value(of: field), !known.elementsEqual(bytes) { isWanted = false }
      }
      if isLast {
        let known = matcher.match(name, row) { captured, bytes in
          see(captured.name, bytes)
          if captured.name == field { value = Array(bytes) }
        }
        if known == nil { return }
      } else if let next = matcher.enter(name, row) {
        for binding in next.bound {
          see(binding.field, binding.value)
          if binding.field == field { value = binding.value }
        }
      }
      if isWanted, let value { found.insert(value) }
    }
    return found
  }

  /// Whether the folder that would hold the key's pages exists. Links are not followed.
  package func hasFolder(of key: CacheKey) -> Bool {
    let names = folders(of: key)
    guard names.count + 1 == layout.rows[key.family].pattern.components.count else {
      return false
    }
    var chain = OpenChain()
    return (try? chain.open(names, from: root)) != nil
  }

  /// The folders that a key names, down to the first that it leaves open.
  private func folders(of key: CacheKey) -> [[UInt8]] {
    var names: [[UInt8]] = []
    for component in layout.rows[key.family].pattern.components.dropLast() {
      guard let name = component.render({ key.value(of: $0.name) }) else { break }
      names.append(name)
    }
    return names
  }

  private func list(
    _ directory: Directory, _ body: (UnsafeBufferPointer<UInt8>, EntryType) -> Void
  ) {
    let buffers = ListingBuffers()
    let buffer = buffers.take()
    defer { buffers.give(buffer) }
    _ = try? directory.list(buffer) { name, length, type in
      let bytes = UnsafeBufferPointer(
        start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: length)
      body(bytes, type == .unknown ? directory.type(of: name) : type)
    }
  }
}
