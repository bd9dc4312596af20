// SPDX-License-Identifier: BSD-2-Clause

/* Changes ports one by one and tells how long each change's pages were still there.
 *
 *   change TREE CONNINFO
 *
 * Each line of standard input, `ID CATEGORY PORT`, is a change: the port's three pages and its
 * category's are written, its row is updated in a transaction, and the clock runs from sending
 * COMMIT. Answers a line with the nanoseconds until COMMIT was answered and until the last of the
 * four pages was gone. The pages are watched by inotify, so that waiting takes no processor from
 * the listener. Returns to its input when the queue is empty. */

#include "database.h"

#include <poll.h>
#include <sys/inotify.h>

enum { PARTS = 3, SECONDS_AT_MOST = 30 };

static int tree;
static const char *root;
static PGconn *connection;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void write_page(const char *folder, const char *name) {
  static const char page[1000];
  char path[1400];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int file = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0664);
  if (file < 0 || write(file, page, sizeof page) != sizeof page) die("write %s", path);
  close(file);
}

static void watch(int watcher, const char *folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", root, folder);
  if (inotify_add_watch(watcher, path, IN_DELETE | IN_ONLYDIR) < 0) die("watch %s", path);
}

/* How many of the deletions that have been reported. */
static int take_deletions(int watcher) {
  char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
  ssize_t got = read(watcher, events, sizeof events);
  int count = 0;
  if (got < 0 && errno != EAGAIN) die("inotify");
  for (ssize_t at = 0; at < got; count++)
    at += sizeof(struct inotify_event) + ((struct inotify_event *)(events + at))->len;
  return count;
}

static void change(const char *id, const char *category, const char *port, int number) {
  char folder[600], shelf[600], name[600], statement[256];
  snprintf(folder, sizeof folder, "ports/%s/%s", category, port);
  snprintf(shelf, sizeof shelf, "categories/%s", category);
  for (int part = 1; part <= PARTS; part++) {
    snprintf(name, sizeof name, "Detail.Part%d.head.PageSize100.PageNum1.html", part);
    write_page(folder, name);
  }
  snprintf(name, sizeof name, "%s.0.head.PageSize100.PageNum1.html", category);
  write_page(shelf, name);
  int watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watcher < 0) die("inotify");
  watch(watcher, folder);
  watch(watcher, shelf);
  snprintf(statement, sizeof statement, "BEGIN; UPDATE ports SET version = '%d' WHERE id = %d",
           number, atoi(id));
  run(connection, statement);

  int64_t began = now(), committed = 0, gone = 0;
  if (!PQsendQuery(connection, "COMMIT")) die_of(connection);
  for (int deleted = 0; committed == 0 || gone == 0;) {
    struct pollfd ready[] = {
        {PQsocket(connection), committed ? 0 : POLLIN, 0}, {watcher, POLLIN, 0}};
    int count = poll(ready, 2, SECONDS_AT_MOST * 1000);
    if (count < 0) die("poll");
    if (count == 0) {
      fprintf(stderr, "%s/%s: still there after %d s\n", category, port, SECONDS_AT_MOST);
      exit(1);
    }
    if (ready[1].revents) deleted += take_deletions(watcher);
    if (deleted > PARTS && gone == 0) gone = now() - began;
    if (committed || !ready[0].revents) continue;
    if (!PQconsumeInput(connection)) die_of(connection);
    if (!PQisBusy(connection)) committed = now() - began;
  }
  for (PGresult *result; (result = PQgetResult(connection)) != NULL; PQclear(result))
    if (PQresultStatus(result) != PGRES_COMMAND_OK) die_of(connection);
  close(watcher);
  printf("%lld %lld\n", (long long)committed, (long long)gone);
}

/* So that each change meets a listener at rest. */
static void await_empty_queue(void) {
  for (int rows = 1; rows > 0;) {
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
    PGresult *result = ask(connection, "SELECT count(*) FROM cache_clearing_ports");
    rows = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
  }
}

int main(int count, char **argument) {
  char line[1024], id[16], category[256], port[256];
  if (count != 3) {
    fputs("usage: change TREE CONNINFO < CHANGES\n", stderr);
    return 64;
  }
  root = argument[1];
  tree = open_tree(root);
  connection = connect_to(argument[2]);
  for (int number = 0; fgets(line, sizeof line, stdin) != NULL; number++) {
    errno = 0;
    if (sscanf(line, "%15s %255s %255s", id, category, port) != 3) die("%s", line);
    change(id, category, port, number);
    await_empty_queue();
    fflush(stdout);
  }
  PQfinish(connection);
  return 0;
}
