// What the clear commands share: keys in batches through the Clearer, and the tally of it.

import ArgumentParser
import CacheFS
import Logging

/// One key as a person gave it, and the pages that it means.
struct ClearRequest {
  /// As it was given, for messages.
  let text: [UInt8]
  let keys: [CacheKey]
  /// Cleared along with it, but not what was asked for: a port's category.
  var companions: [CacheKey] = []
  /// Whether it may overlap with other requests, so that their order matters.
  let isBroad: Bool
}

/// What a clear command did.
struct ClearSummary: Equatable {
  var dryRun: Bool
  var keys = 0
  var keysWithoutMatch = 0
  var cleared = ClearReport()

  /// - Parameter requireMatch: whether a key that matched nothing is an error.
  func status(requireMatch: Bool) -> ExitStatus {
    if !cleared.failures.isEmpty { return .incomplete }
    return requireMatch && keysWithoutMatch > 0 ? .noMatch : .done
  }
}

/// Clears requests in batches, in order where they may overlap.
struct ClearRun {
  /// Requests cleared together: enough for every thread, few enough for constant memory.
  private static let batchSize = 1024

  private let clearer: Clearer
  private(set) var summary: ClearSummary
  private var batch: [ClearRequest] = []

  init(_ clearer: Clearer) {
    self.clearer = clearer
    summary = ClearSummary(dryRun: clearer.dryRun == .yes)
  }

  mutating func add(_ request: ClearRequest) {
    if request.isBroad { flush() }
    batch.append(request)
    if request.isBroad || batch.count >= Self.batchSize { flush() }
  }

  /// Clears what nobody asked for by name, with a clearer of its own.
  mutating func addFamily(_ key: CacheKey, _ clearer: Clearer) {
    flush()
    summary.cleared.add(clearer.clear(key))
  }

  mutating func finish() -> ClearSummary {
    flush()
    return summary
  }

  private mutating func flush() {
    var plan = ClearPlan()
    let requests = batch.map { request in
      (own: plan.add(request.keys), companions: plan.add(request.companions))
    }
    batch.removeAll(keepingCapacity: true)
    let reports = clearer.clear(plan.keys)
    summary.keys += requests.count
    summary.keysWithoutMatch += requests.count { request in
      !request.own.contains { reports[$0].matched }
    }
    for report in reports { summary.cleared.add(report) }
  }
}

/// Keys to be cleared together, each once however often it is asked for.
struct ClearPlan {
  private(set) var keys: [CacheKey] = []
  private var indices: [CacheKey: Int] = [:]

  /// Adds keys and tells where their reports will stand.
  mutating func add(_ wanted: [CacheKey]) -> [Int] {
    wanted.map { key in
      if let index = indices[key] { return index }
      indices[key] = keys.count
      keys.append(key)
      return keys.count - 1
    }
  }
}

/// The options that only the clear commands have.
struct ClearOptions: ParsableArguments {
  @Option(
    name: .customLong("branch"),
    help: ArgumentHelp(
      "Only pages of this branch: head, or a quarter such as 2020Q1. May be given again.",
      valueName: "branch"))
  var branches: [String] = []

  @Flag(help: "Empty the news family too, as the listener would.")
  var news = false

  @Flag(help: "Exit with status 3 when a key matches nothing.")
  var requireMatch = false

  @Flag(name: [.customShort("0"), .customLong("null")], help: "Keys on standard input end in NUL.")
  var null = false

  func validate() throws {
    for branch in branches {
      guard FieldKind.branch.accepts(text: branch) else {
        throw ValidationError(
          "--branch \(branch): expected \(FieldKind.branch.expectation)")
      }
    }
  }

  var branchSet: Set<[UInt8]>? {
    branches.isEmpty ? nil : Set(branches.map { Array($0.utf8) })
  }
}

/// The formats of a clear's result.
enum ClearFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

extension CommonOptions {
  /// Runs a clear command from its keys to its exit status.
  func clear(
    _ keys: [String], _ options: ClearOptions, _ format: ClearFormat,
    request: (Layout, [UInt8]) throws(UserError) -> ClearRequest
  ) throws {
    let config = try resolve()
    let input = try KeyInput(keys, separator: options.null ? .null : .newline) {
      (key) throws(UserError) in _ = try request(config.layout, key)
    }
    let paths: PathList = verbose ? .kept : .dropped
    var run = ClearRun(try clearer(config, paths: paths, branches: options.branchSet))
    try input.each { (key) throws(UserError) in run.add(try request(config.layout, key)) }
    if options.news {
      // The listener empties the family whatever the branch: so does this.
      run.addFamily(try newsKey(config.layout), try clearer(config, paths: paths))
    }
    try report(run.finish(), format, requireMatch: options.requireMatch)
  }

  /// Prints a clear's result and leaves with its status.
  func report(_ summary: ClearSummary, _ format: ClearFormat, requireMatch: Bool = false) throws {
    let logger = logger(.command)
    for failure in summary.cleared.failures { logger.error("\(failure.explanation)") }
    switch format {
    case .json: printResult(summary.json(listing: verbose).text)
    case .text: if !quiet { summary.lines.forEach(printResult) }
    }
    try summary.status(requireMatch: requireMatch).leave()
  }

  func newsKey(_ layout: Layout) throws(UserError) -> CacheKey {
    do throws(KeyError) {
      return try layout.all(of: "news")
    } catch {
      throw UserError(.configuration, "the layout has no news family")
    }
  }
}
