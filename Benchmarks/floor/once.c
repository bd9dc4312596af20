// SPDX-License-Identifier: BSD-2-Clause

/* The floor of `listen --once` on empty queues: connects, asks what it asks, and finds nothing. It asks for the rights
 * on all queues at once.
 *
 *   once CONNINFO
 *
 * Prints how many rows wait. */

#include "database.h"

/* The rows of a queue, as the drain selects its first batch. */
#define BATCH(table, order, key) \
  "SELECT ctid, xmin, " order "::pg_catalog.text, " key ", tableoid, " \
  "pg_catalog.pg_relation_filenode(tableoid) FROM " table \
  " ORDER BY " table "." order ", " table ".tableoid, " table ".ctid LIMIT $1::bigint"
#define RIGHTS(table) "('" table "', '" table "', 'SELECT'), ('" table "', '" table "', 'DELETE')"
#define BOUNDED(column) "pg_catalog.substr(" column ", 1, 4096)"

static const char *const batches[] = {
    BATCH("cache_clearing_ports", "id", BOUNDED("category") ", " BOUNDED("port")),
    BATCH("cache_clearing_dates", "id",
          BOUNDED("pg_catalog.to_char(date_to_clear, 'YYYY-MM-DD')")),
    BATCH("cache_clearing_commits", "commit_to_clear", BOUNDED("commit_to_clear")),
    BATCH("cache_clearing_files", "id", BOUNDED("pathname")),
};

static PGresult *ask_with_limit(PGconn *connection, const char *sql) {
  const char *limit = "2000";
  PGresult *result = PQexecParams(connection, sql, 1, NULL, &limit, NULL, NULL, 0);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) die_of(connection);
  return result;
}

int main(int count, char **argument) {
  if (count != 2) {
    fputs("usage: once CONNINFO\n", stderr);
    return 64;
  }
  PGconn *connection = connect_to(argument[1]);
  run(connection,
      "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
      "SET idle_session_timeout = 0; SET exit_on_error = off; "
      "SET default_transaction_read_only = off; SET default_transaction_deferrable = off; "
      "SET default_transaction_isolation = 'read committed'; SET DateStyle = 'ISO'; "
      "SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; "
      "SET standard_conforming_strings = on; SET client_min_messages = error");
  run(connection, "SELECT name, script_name FROM listen_for ORDER BY id");
  run(connection,
      "SELECT pg_catalog.has_table_privilege(node, 'SELECT'), "
      "pg_catalog.pg_stat_get_live_tuples(node) OPERATOR(pg_catalog.>) 0 "
      "FROM CAST(pg_catalog.to_regclass('fpcache_node') AS pg_catalog.oid) AS node "
      "WHERE node IS NOT NULL");
  run(connection,
      "SELECT name FROM (VALUES " RIGHTS("cache_clearing_ports") ", " RIGHTS("cache_clearing_dates") ", "
      RIGHTS("cache_clearing_commits") ", " RIGHTS("cache_clearing_files") ") "
      "AS need (name, reference, privilege) WHERE NOT pg_catalog.has_table_privilege("
      "pg_catalog.to_regclass(reference)::pg_catalog.oid, privilege)");
  int waiting = 0;
  for (size_t queue = 0; queue < sizeof batches / sizeof batches[0]; queue++) {
    PGresult *rows = ask_with_limit(connection, batches[queue]);
    waiting += PQntuples(rows);
    PQclear(rows);
  }
  PQfinish(connection);
  printf("%d rows\n", waiting);
  return 0;
}
