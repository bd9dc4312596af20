// swift-tools-version:6.1
import PackageDescription

/// Our own targets are built with every warning an error; dependencies are not.
let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "fpcache",
  products: [.executable(name: "fpcache", targets: ["fpcache"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(name: "CSyscalls"),
    .target(name: "CacheFS", dependencies: ["CSyscalls", systemPackage], swiftSettings: strict),
    .target(name: "PGQueue", dependencies: ["CLibpq"], swiftSettings: strict),
    .executableTarget(
      name: "fpcache",
      dependencies: [
        "CacheFS", "CSyscalls", "PGQueue", argumentParser, systemPackage, logging,
      ],
      swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport",
      exclude: ["SQL"], swiftSettings: strict),
    .executableTarget(
      name: "Stress",
      dependencies: ["CacheFS", "PGQueue", "TestSupport", argumentParser, systemPackage],
      path: "Tests/Stress", swiftSettings: strict),
    .testTarget(
      name: "CacheFSTests", dependencies: ["CacheFS", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "PGQueueTests", dependencies: ["PGQueue", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "fpcacheTests", dependencies: ["fpcache", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "IntegrationTests", dependencies: ["fpcache", "TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
