// SPDX-License-Identifier: BSD-2-Clause
//
// A clear command from its keys to its exit status.

import ArgumentParser
import Basics
import CacheFS
import Listening
import Logging

/// One clear command with its options.
struct ClearCommand {
  let common: CommonOptions
  /// Nil for commands that have no such options.
  let options: ClearOptions?
  let keys: KeyOptions?
  let format: ClearFormat
  let subject: ClearSummary.Subject

  private let tally = ClearTally()

  init(
    _ common: CommonOptions, _ options: ClearOptions?, _ keys: KeyOptions?,
    _ format: ClearFormat, _ subject: ClearSummary.Subject
  ) {
    self.common = common
    self.options = options
    self.keys = keys
    self.format = format
    self.subject = subject
  }

  /// Reads, checks and clears keys.
  /// - Parameters:
  ///   - needs: the family and the fields that the command cannot work without.
  ///   - prepare: checks the layout before a key is read.
  ///   - request: parses the text of a key into a request.
  func run(
    _ arguments: [String], needs: (family: String, fields: [String])? = nil,
    prepare: (Layout) throws(UserError) -> Void = { _ in },
    request: (Layout, [UInt8]) throws(UserError) -> ClearRequest
  ) throws {
    let config = try common.resolve()
    if let needs {
      try config.layout.require(needs.family, needs.fields)
      if options?.branchSet != nil { try config.layout.require(needs.family, ["branch"]) }
    }
    try prepare(config.layout)
    var purge = BigPurge()
    let input = try KeyInput(arguments, separator: keys?.null == true ? .null : .newline) {
      (key) throws(UserError) in purge.note(try request(config.layout, key))
    }
    try ask(purge, config, keysGiven: input.count) { (run, counting) throws(UserError) in
      try input.each { (key) throws(UserError) in
        if !run.isStopped { run.add(try request(config.layout, key)) }
      }
      if options?.news == true {
        // The listener empties the news family on any branch, so this command does too.
        run.addNews(try Self.news(config.layout), try self.clearer(config, counting: counting))
      }
    }
  }

  /// Empties the news family.
  func runNews() throws {
    let config = try common.resolve()
    let news = try Self.news(config.layout)
    try perform(try clearer(config), keysGiven: 1) { (run) throws(UserError) in
      run.add(ClearRequest(text: Array("news".utf8), keys: [news], isBroad: true))
    }
  }

  /// Clears every family that an invalidation may clear.
  func runAll() throws {
    let config = try common.resolve()
    try config.rules.requireSome()
    var purge = BigPurge(naming: .max)
    let requests = config.rules.everything(config.layout).map { key in
      ClearRequest(
        text: Array(config.layout.text(of: key).replacing("\t", with: " ").utf8), keys: [key],
        isBroad: false, extent: .part)
    }
    for request in requests { purge.note(request) }
    try ask(purge, config, keysGiven: requests.count) { (run, _) throws(UserError) in
      for request in requests { run.add(request) }
    }
  }

  /// Clears, and asks a person before a big purge. The question says how many pages would be removed, so they are
  /// counted first.
  /// - Parameter fill: passes the keys to a run, which may only count them.
  private func ask(
    _ purge: BigPurge, _ config: Config, keysGiven: Int,
    _ fill: (inout ClearRun, _ counting: ClearTally?) throws(UserError) -> Void
  ) throws {
    let branches = options?.branchSet
    var expected: ClearReport?
    if keys?.yes != true, !common.dryRun, purge.isAsked {
      let counting = ClearTally()
      let counter = try clearer(config, branches: branches, counting: counting)
      var run = ClearRun(counter, subject, counting)
      let counted = try withProgress({ counting.progress(of: keysGiven, "counted") }) {
        () throws(UserError) in
        try fill(&run, counting)
        return run.finish(keysGiven: keysGiven).cleared
      }
      try purge.confirm(counter.names, counted)
      expected = counted
    }
    try perform(
      try clearer(config, branches: branches), keysGiven: keysGiven, expected: expected
    ) { (run) throws(UserError) in try fill(&run, nil) }
  }

  /// Shows the progress of a job while it runs.
  func withProgress<Result>(
    _ text: @escaping @Sendable () -> String, _ body: () throws(UserError) -> Result
  ) throws(UserError) -> Result {
    let isShown = !common.quiet && Screen.canRewrite(STDERR_FILENO)
    let progress = Progress.start(if: isShown, text)
    defer { progress?.finish() }
    return try body()
  }

  /// - Parameter expected: what the clear will remove, where that is known.
  func perform(
    _ clearer: Clearer, keysGiven: Int, expected: ClearReport? = nil,
    _ body: (inout ClearRun) throws(UserError) -> Void
  ) throws {
    Interruption.catchSignals()
    var run = ClearRun(clearer, subject, tally)
    let (tally, verb) = (tally, common.dryRun ? "counted" : "removed")
    let isRewritten = Screen.canRewrite(STDERR_FILENO)
    let summary = try withProgress({ tally.progress(of: keysGiven, verb, expected) }) {
      () throws(UserError) in
      try body(&run)
      return run.finish(keysGiven: keysGiven)
    }
    // The terminal has written ^C on that line.
    if summary.interruption != nil, isRewritten { Screen.wipeLine(on: STDERR_FILENO) }
    try report(summary)
    if summary.interruption == nil { tellOfUnmatched(run, clearer) }
    try leave(summary)
  }

  func clearer(
    _ config: Config, branches: Set<[UInt8]>? = nil, counting: ClearTally? = nil
  ) throws(UserError) -> Clearer {
    try common.clearer(
      config, paths: common.verbose && counting == nil ? .kept : .dropped, branches: branches,
      watch: (counting ?? tally).watch, counting: counting != nil)
  }

  private static func news(_ layout: Layout) throws(UserError) -> CacheKey {
    try layout.require("news", [])
    do throws(KeyError) {
      return try layout.all(of: "news")
    } catch {
      throw UserError(.configuration, error.explanation)
    }
  }

  // MARK: What is said of it

  private func report(_ summary: ClearSummary) throws {
    let logger = common.logger(.command)
    for failure in summary.cleared.failures { logger.error("\(failure.explanation)") }
    switch format {
    case .json: try printResult(summary.json(listing: common.verbose).text)
    case .text:
      if !common.quiet {
        try printResult(summary.lines(common.palette(STDOUT_FILENO)))
      }
    }
  }

  /// Warns a person about names that may be mistyped. Programs read the document.
  private func tellOfUnmatched(_ run: ClearRun, _ clearer: Clearer) {
    guard format == .text, !common.quiet, subject == .ports else { return }
    let near = NearNames(clearer.names, clearer.layout)
    let logger = common.logger(.command)
    for request in run.unmatched {
      guard let port = request.port else { continue }
      let names = near.near(port.category, port.name)
      guard !names.isEmpty else { continue }
      logger.info(
        "nothing matched \(escape(request.text)); did you mean \(listed(names, "or"))?")
    }
  }

  private func leave(_ summary: ClearSummary) throws {
    // A shell reports a signal in this way.
    if let interruption = summary.interruption { throw ExitCode(128 + interruption.signal) }
    try summary.status(requireMatch: keys?.requireMatch == true).leave()
  }
}

extension Layout {
  /// Checks what a FreshPorts command needs of a layout that a site may have written itself.
  /// - Throws: ``UserError`` with status 78 when the layout lacks it.
  fileprivate func require(_ name: String, _ fields: [String]) throws(UserError) {
    let others = { "it has \(clearableNames): see fpcache clear" }
    guard let family = family(named: name), family.clearing != .never else {
      throw UserError(
        .configuration, "the layout has no family \(name) that could be cleared; \(others())")
    }
    for field in fields where family.field(named: field) == nil {
      throw UserError(
        .configuration, "the layout's family \(name) has no field \(field); \(others())")
    }
  }
}

extension ClearTally {
  /// The progress so far.
  /// - Parameter expected: what the clear will remove; nil where that is not known.
  fileprivate func progress(
    of keysGiven: Int, _ verb: String, _ expected: ClearReport? = nil
  ) -> String {
    let total = expected.map { " of \(counted($0.filesRemoved, "page"))" }
    let done = total.map { grouped(watch.filesRemoved) + $0 } ?? counted(watch.filesRemoved, "page")
    let pages = "\(done) \(verb), \(sizeText(watch.bytesRemoved))"
    return keysGiven > 1
      ? "\(grouped(keysCleared)) of \(grouped(keysGiven)) done, \(pages)" : pages
  }
}
