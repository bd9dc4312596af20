// SPDX-License-Identifier: BSD-2-Clause

/* What the floor's programs ask of libpq. */

#ifndef FLOOR_DATABASE_H
#define FLOOR_DATABASE_H

#include "common.h"

#include <libpq-fe.h>

static inline void die_of(PGconn *connection) {
  fprintf(stderr, "%s", PQerrorMessage(connection));
  exit(1);
}

static inline PGconn *connect_to(const char *conninfo) {
  PGconn *connection = PQconnectdb(conninfo);
  if (PQstatus(connection) != CONNECTION_OK) die_of(connection);
  return connection;
}

static inline PGresult *ask(PGconn *connection, const char *sql) {
  PGresult *result = PQexec(connection, sql);
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) die_of(connection);
  return result;
}

static inline void run(PGconn *connection, const char *sql) { PQclear(ask(connection, sql)); }

#endif
