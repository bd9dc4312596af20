// SPDX-License-Identifier: BSD-2-Clause
//
// The functions by which a site's triggers fill its queues, as far as their text shows what they do.

/// The risks of one function for one queue.
package struct RiskyTrigger: Equatable, Sendable {
  /// As in a call: `ports_clear_cache()`.
  package let function: String
  package let queue: String
  package let risk: TriggerRisk

  /// Every function that a trigger runs, or that such a function names, and its risks, by name.
  ///
  /// pg_proc shows every role the text of every function. Only PL/pgSQL and SQL functions are understood.
  /// - Throws: ``DatabaseError``.
  package static func all(
    of queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> [RiskyTrigger] {
    let names = queues.map { "%\($0.name.split(separator: ".").last ?? "")%" }
    let patterns = "{" + names.map { "\"\($0)\"" }.joined(separator: ",") + "}"
    let rows = try connection.query(statement, [patterns])
    var all: [RiskyTrigger] = []
    for row in 0..<rows.count {
      guard let function = rows.text(row, 0), let source = rows.text(row, 1) else { continue }
      for queue in queues {
        let risks = TriggerText(source, queue: queue.name).risks
        all += TriggerRisk.allCases.filter(risks.contains).map {
          RiskyTrigger(function: function, queue: queue.name, risk: $0)
        }
      }
    }
    return all
  }

  private static let statement = """
    WITH fired AS (SELECT proc.oid, prosrc FROM pg_catalog.pg_proc AS proc \
    WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgfoid \(Builtin.equal) proc.oid \
    AND NOT tgisinternal AND tgenabled \(Builtin.unequal) 'D')) \
    SELECT proc.oid::pg_catalog.regprocedure::pg_catalog.text, pg_catalog.left(prosrc, 100000) \
    FROM pg_catalog.pg_proc AS proc \
    JOIN pg_catalog.pg_language AS language ON language.oid \(Builtin.equal) prolang \
    WHERE lanname \(Builtin.equal) ANY ('{plpgsql,sql}'::pg_catalog.name[]) \
    AND prosrc \(Builtin.contains) ANY ($1::pg_catalog.text[]) \
    AND EXISTS (SELECT FROM fired WHERE fired.oid \(Builtin.equal) proc.oid \
    OR (position(pg_catalog.lower(proname) IN pg_catalog.lower(fired.prosrc)) \(Builtin.greater) 0)) \
    ORDER BY 1
    """
}
