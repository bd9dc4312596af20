// SPDX-License-Identifier: BSD-2-Clause
//
// What libFuzzer calls with every input. The target is named by $FUZZ_TARGET.

import Basics

private let target: FuzzTarget = {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("FUZZ_TARGET: expected one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

private typealias Test = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer's own main: its arguments are passed on.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>, _ test: Test
) -> CInt

/// The package manager makes this `main`.
@_cdecl("fuzz_main")
public func fuzz(_ count: CInt, _ arguments: UnsafeMutableRawPointer) -> CInt {
  var count = count
  var arguments = arguments.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
  return runDriver(&count, &arguments) { data, size in
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let problem = target.problem(with: bytes) { fatalError(problem) }
    return 0
  }
}
