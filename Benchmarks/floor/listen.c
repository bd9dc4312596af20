// SPDX-License-Identifier: BSD-2-Clause

/* The floor of a listener: wakes, reads the rows of the ports' queue, unlinks the pages of each,
 * deletes them, sleeps. One connection, one thread, nothing kept safe.
 *
 *   listen TREE CONNINFO
 *
 * Prints `listening` once it does; runs until it is killed. */

#include "database.h"
#include "pages.h"

#include <poll.h>

static int serve(PGconn *connection, int tree) {
  PGresult *rows =
      ask(connection, "SELECT id, category, port FROM cache_clearing_ports ORDER BY id");
  int count = PQntuples(rows);
  if (count > 0) {
    size_t room = 64 + (size_t)count * 12, length;
    char *statement = allocate(room);
    length = snprintf(statement, room, "DELETE FROM cache_clearing_ports WHERE id IN (");
    for (int row = 0; row < count; row++) {
      char path[512];
      snprintf(path, sizeof path, "ports/%s/%s", PQgetvalue(rows, row, 1),
               PQgetvalue(rows, row, 2));
      unlink_pages(tree, path, "");
      snprintf(path, sizeof path, "categories/%s", PQgetvalue(rows, row, 1));
      unlink_pages(tree, path, "");
      length += snprintf(statement + length, room - length, "%s%s", row ? "," : "",
                         PQgetvalue(rows, row, 0));
    }
    snprintf(statement + length, room - length, ")");
    run(connection, statement);
    free(statement);
  }
  PQclear(rows);
  return count;
}

static int take_notifications(PGconn *connection) {
  int count = 0;
  for (PGnotify *notification; (notification = PQnotifies(connection)) != NULL; count++)
    PQfreemem(notification);
  return count;
}

int main(int count, char **argument) {
  if (count != 3) {
    fputs("usage: listen TREE CONNINFO\n", stderr);
    return 64;
  }
  int tree = open_tree(argument[1]);
  PGconn *connection = connect_to(argument[2]);
  run(connection, "LISTEN port_updated");
  puts("listening");
  fflush(stdout);
  while (serve(connection, tree) > 0) continue;
  for (;;) {
    /* A statement's answer may have brought notifications along, which poll(2) will not tell. */
    while (take_notifications(connection) > 0) serve(connection, tree);
    struct pollfd socket = {PQsocket(connection), POLLIN, 0};
    if (poll(&socket, 1, -1) < 0) die("poll");
    if (!PQconsumeInput(connection)) die_of(connection);
  }
}
