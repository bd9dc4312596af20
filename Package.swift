// swift-tools-version:6.1
// SPDX-License-Identifier: BSD-2-Clause
import PackageDescription

// Exact versions: two builds of one tag are one program.
let dependencies: [Package.Dependency] = [
  .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
  .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
  .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// A file imports each module that it uses: so the arrows that ARCHITECTURE.md draws can be checked.
let settings: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]

/// The house, lowest floor first; ARCHITECTURE.md draws it, and HouseTests holds it to that.
let libraries: [Target] = [
  .target(name: "CLibpq"),
  .target(name: "CSyscalls"),
  .target(name: "Basics", dependencies: ["CSyscalls", systemPackage], swiftSettings: settings),
  .target(name: "CacheFS", dependencies: ["Basics", systemPackage], swiftSettings: settings),
  .target(name: "PGQueue", dependencies: ["Basics", "CLibpq"], swiftSettings: settings),
  .target(
    name: "Listening",
    dependencies: ["Basics", "CacheFS", "PGQueue", systemPackage, logging],
    swiftSettings: settings),
]

let commandLine: [Target.Dependency] = [
  "Basics", "CacheFS", "PGQueue", "Listening", argumentParser, systemPackage, logging,
]

let program: [Target] = [
  .executableTarget(name: "fpcache", dependencies: commandLine, swiftSettings: settings)
]

let tests: [Target] = [
  .target(
    name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", exclude: ["SQL"],
    swiftSettings: settings),
  .executableTarget(
    name: "Stress",
    dependencies: ["Basics", "CacheFS", "PGQueue", "TestSupport", argumentParser, systemPackage],
    path: "Tests/Stress", swiftSettings: settings),
  .testTarget(
    name: "BasicsTests", dependencies: ["Basics", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "CacheFSTests", dependencies: ["CacheFS", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "PGQueueTests", dependencies: ["PGQueue", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "ListeningTests", dependencies: ["Listening", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "fpcacheTests", dependencies: ["fpcache", "TestSupport"], swiftSettings: settings),
  .testTarget(
    name: "IntegrationTests", dependencies: ["fpcache", "TestSupport"], swiftSettings: settings),
]

/// For scripts/fuzz: the same libraries, and the program without its entry point, which libFuzzer has.
let fuzzer: [Target] = [
  .target(
    name: "fpcache", dependencies: commandLine, exclude: ["FPCache.swift"],
    swiftSettings: settings),
  .executableTarget(
    name: "fuzz", dependencies: ["fpcache"] + commandLine, path: ".",
    sources: ["Fuzz/Entry.swift", "Tests/fpcacheTests/FuzzTarget.swift"],
    swiftSettings: settings),
]

let isFuzzed = Context.environment["FPCACHE_FUZZ"] != nil

let package = Package(
  name: "fpcache",
  products: isFuzzed ? [] : [.executable(name: "fpcache", targets: ["fpcache"])],
  dependencies: dependencies,
  targets: libraries + (isFuzzed ? fuzzer : program + tests),
  swiftLanguageModes: [.v6]
)
