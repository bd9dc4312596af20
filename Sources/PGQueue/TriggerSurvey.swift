// The functions by which a site's triggers fill its queues, as far as their text shows what they do.

/// What is risky about one function for one queue.
public struct RiskyTrigger: Equatable, Sendable {
  /// As one would call it: `ports_clear_cache()`.
  public let function: String
  public let queue: String
  public let risk: TriggerRisk

  /// Every function that a trigger fires, or that is named in one of those, and its risks, by name.
  ///
  /// pg_proc shows every role the text of every function. Only that of PL/pgSQL and SQL is understood.
  /// - Throws: ``DatabaseError``.
  public static func all(
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
    WITH fired AS (SELECT pg_proc.oid, prosrc FROM pg_proc WHERE EXISTS (SELECT FROM pg_trigger \
    WHERE tgfoid = pg_proc.oid AND NOT tgisinternal AND tgenabled <> 'D')) \
    SELECT pg_proc.oid::regprocedure::text, left(prosrc, 100000) FROM pg_proc \
    JOIN pg_language ON pg_language.oid = prolang \
    WHERE lanname IN ('plpgsql', 'sql') AND prosrc ILIKE ANY ($1::text[]) \
    AND EXISTS (SELECT FROM fired WHERE fired.oid = pg_proc.oid \
    OR position(lower(proname) IN lower(fired.prosrc)) > 0) \
    ORDER BY 1
    """
}
