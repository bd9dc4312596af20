// swift-tools-version:6.1
import PackageDescription

// The program's own sources, built once more with libFuzzer's instruments in them: a package of its
// own, so that the ordinary build knows nothing of it. `Sources` and `Targets/FuzzTarget.swift` are
// links. See scripts/fuzz. Optimized, but with the checks of a debug build, such as those of unsafe
// buffers' indices.

let instruments: [SwiftSetting] = [
  .unsafeFlags([
    "-sanitize=fuzzer", "-enable-testing", "-parse-as-library", "-assert-config", "Debug",
  ])
]

let package = Package(
  name: "Fuzz",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .systemLibrary(name: "CLibpq", path: "Sources/CLibpq", pkgConfig: "libpq"),
    .target(name: "CSyscalls", path: "Sources/CSyscalls"),
    .target(
      name: "CacheFS",
      dependencies: [
        "CSyscalls", .product(name: "SystemPackage", package: "swift-system"),
      ], path: "Sources/CacheFS", swiftSettings: instruments),
    .target(
      name: "PGQueue", dependencies: ["CLibpq"], path: "Sources/PGQueue",
      swiftSettings: instruments),
    // Without its entry point, which libFuzzer has.
    .target(
      name: "fpcache",
      dependencies: [
        "CacheFS", "PGQueue", .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ], path: "Sources/fpcache", exclude: ["FPCache.swift"], swiftSettings: instruments),
    .executableTarget(
      name: "fuzz",
      dependencies: ["fpcache", .product(name: "Logging", package: "swift-log")],
      path: "Targets", swiftSettings: instruments,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ],
  swiftLanguageModes: [.v6]
)
