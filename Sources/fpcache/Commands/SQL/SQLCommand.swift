// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache sql: prints what a site's configuration needs in its database.

import ArgumentParser
import Basics
import Listening
import PGQueue

struct SQLCommand: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "sql", _superCommandName: "fpcache",
    abstract: "Print the SQL that the configuration needs.",
    discussion: """
      The queues of [queues], the rows of listen_for for [events], the triggers of [triggers], and what the \
      listener's role may do. It is printed and never run, and asks no database. It may be run again after a \
      change of the configuration: tables, rows and triggers that exist stay.

      EXAMPLES
        fpcache sql                                    to read it
        fpcache sql | psql -v ON_ERROR_STOP=1 shop     as the owner of the tables
        fpcache sql --role weblisten --schema shop
      """)

  @Option(
    help: ArgumentHelp(
      "The listener's role; else DBUSER of the configuration, else listening.", valueName: "name"))
  var role: String?

  @Option(
    help: ArgumentHelp("The schema of tables that are named without one.", valueName: "name"))
  var schema = "public"

  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  func validate() throws {
    for (option, name) in [("--role", role ?? schema), ("--schema", schema)]
    where SQLIdentifier(column: name) == nil {
      throw ValidationError("\(option) \(name.escaped): expected \(SQLIdentifier.expectation)")
    }
  }

  func run() throws {
    let config = try common.resolve()
    let name = role ?? config.configuredRole ?? "listening"
    guard let role = SQLIdentifier(column: name), let schema = SQLIdentifier(column: schema) else {
      throw UserError(
        .configuration,
        "DBUSER \(name.escaped): no name for SQL; expected \(SQLIdentifier.expectation), "
          + "or another with --role")
    }
    if config.hasOwnLayout { try config.checkSQL() }
    let site = SiteSchema(
      queues: config.rules.tables, events: config.rules.events, triggers: config.triggers,
      role: role, schema: schema)
    try printResult(config.hasOwnLayout ? site.script : site.freshPortsScript)
  }
}

extension Config {
  /// - Throws: ``UserError`` with status 78 where there is nothing to print, or where a name is invalid.
  fileprivate func checkSQL() throws(UserError) {
    try rules.requireSome()
    for event in rules.events where SQLIdentifier(column: event.scriptName) == nil {
      throw UserError(
        .configuration,
        "[events]: \(event.scriptName.escaped): no name for a channel; expected "
          + SQLIdentifier.expectation)
    }
    for queue in rules.tables {
      guard let definition = queue.definition else { continue }
      let names = definition.filled.map(\.name)
      switch definition.order {
      case .text(let column) where !names.contains(column):
        throw UserError(
          .configuration,
          "[queues]: \(queue.name): no field is taken from \(column), so no trigger would fill it; "
            + "expected a number for the order, as by id")
      case .number(let column) where names.contains(column):
        throw UserError(
          .configuration,
          "[queues]: \(queue.name): \(column) numbers the rows and names pages, too; expected two columns"
        )
      default: break
      }
    }
    for target in triggers.flatMap(\.targets)
    where !rules.events.contains(where: { $0.queues.contains(target.queue) }) {
      throw UserError(
        .configuration,
        "[events]: no event drains \(target.queue.name), so its changes would wait for the next poll; "
          + "expected one, such as \(target.queue.name.replacing(".", with: "_"))_filled = drain \(target.queue.name)"
      )
    }
  }
}
