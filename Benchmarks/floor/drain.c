// SPDX-License-Identifier: BSD-2-Clause

/* The floor of a drain: all rows of the ports' and the dates' queues read at once, the pages of
 * each different key unlinked, all rows deleted in one transaction. No lock, no second clear.
 *
 *   drain TREE THREADS CONNINFO
 *
 * Each thread takes whole keys. Prints how many rows and how many files went. */

#include "database.h"
#include "pages.h"

struct key {
  char path[512];
  char prefix[16];
};

static struct key *keys;
static size_t key_count, key_room;
static size_t *table, table_size;
static int tree;
static atomic_size_t next_key, removed;

static uint64_t hash(const struct key *key) {
  uint64_t sum = 14695981039346656037u;
  for (const char *at = key->path; *at; at++) sum = (sum ^ (unsigned char)*at) * 1099511628211u;
  for (const char *at = key->prefix; *at; at++) sum = (sum ^ (unsigned char)*at) * 1099511628211u;
  return sum;
}

/* Adds a key unless it is there: the table holds indices into `keys`, one more than they are. */
static void add(const char *prefix, const char *format, ...) {
  if (key_count == key_room) {
    key_room = key_room ? key_room * 2 : 1 << 16;
    keys = realloc(keys, key_room * sizeof *keys);
    if (keys == NULL) die("%zu keys", key_room);
  }
  struct key *key = &keys[key_count];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(key->path, sizeof key->path, format, arguments);
  va_end(arguments);
  snprintf(key->prefix, sizeof key->prefix, "%s", prefix);
  size_t place = hash(key) % table_size;
  for (; table[place]; place = (place + 1) % table_size) {
    struct key *other = &keys[table[place] - 1];
    if (strcmp(other->path, key->path) == 0 && strcmp(other->prefix, key->prefix) == 0) return;
  }
  table[place] = ++key_count;
}

static void *work(void *unused) {
  for (size_t i; (i = next_key++) < key_count;)
    removed += unlink_pages(tree, keys[i].path, keys[i].prefix);
  return unused;
}

int main(int count, char **argument) {
  if (count != 4) {
    fputs("usage: drain TREE THREADS CONNINFO\n", stderr);
    return 64;
  }
  tree = open_tree(argument[1]);
  PGconn *connection = connect_to(argument[3]);
  PGresult *ports = ask(connection, "SELECT category, port FROM cache_clearing_ports");
  PGresult *dates = ask(connection,
                        "SELECT to_char(date_to_clear, 'YYYY/MM'), to_char(date_to_clear, 'DD') "
                        "FROM cache_clearing_dates");
  int port_rows = PQntuples(ports), date_rows = PQntuples(dates);
  table_size = 4 * (size_t)(port_rows + date_rows) + 7;
  table = calloc(table_size, sizeof *table);
  if (table == NULL) die("%zu keys", table_size);
  for (int row = 0; row < port_rows; row++) {
    add("", "ports/%s/%s", PQgetvalue(ports, row, 0), PQgetvalue(ports, row, 1));
    add("", "categories/%s", PQgetvalue(ports, row, 0));
  }
  for (int row = 0; row < date_rows; row++) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%s.daily.", PQgetvalue(dates, row, 1));
    add(prefix, "daily/%s", PQgetvalue(dates, row, 0));
  }
  add("", "news");
  run_threads(atoi(argument[2]), work);
  run(connection,
      "BEGIN; DELETE FROM cache_clearing_ports; DELETE FROM cache_clearing_dates; COMMIT");
  printf("%d %zu\n", port_rows + date_rows, removed);
  PQfinish(connection);
  return 0;
}
