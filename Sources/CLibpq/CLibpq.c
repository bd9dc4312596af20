// SPDX-License-Identifier: BSD-2-Clause

/* Loads libpq when a function of it is first called. */

#include "CLibpq.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* The library's name with the version of its interface, which is the same in every release since PostgreSQL 8.2, on
   Linux and on FreeBSD. */
#define LIBRARY "libpq.so.5"

/* Every function that is called: what it returns, its name, its parameters, and these as arguments. The compiler
   compares each with the declaration in libpq's own header. */
#define FUNCTIONS(X) \
  X(PGconn *, PQconnectStartParams, \
    (const char *const *keywords, const char *const *values, int expand), \
    (keywords, values, expand)) \
  X(PostgresPollingStatusType, PQconnectPoll, (PGconn *conn), (conn)) \
  X(void, PQfinish, (PGconn *conn), (conn)) \
  X(PQconninfoOption *, PQconndefaults, (void), ()) \
  X(PQconninfoOption *, PQconninfoParse, (const char *text, char **error), (text, error)) \
  X(PQconninfoOption *, PQconninfo, (PGconn *conn), (conn)) \
  X(void, PQconninfoFree, (PQconninfoOption *options), (options)) \
  X(ConnStatusType, PQstatus, (const PGconn *conn), (conn)) \
  X(char *, PQerrorMessage, (const PGconn *conn), (conn)) \
  X(int, PQserverVersion, (const PGconn *conn), (conn)) \
  X(int, PQsocket, (const PGconn *conn), (conn)) \
  X(int, PQbackendPID, (const PGconn *conn), (conn)) \
  X(int, PQsetnonblocking, (PGconn *conn, int on), (conn, on)) \
  X(PQnoticeReceiver, PQsetNoticeReceiver, \
    (PGconn *conn, PQnoticeReceiver receiver, void *context), (conn, receiver, context)) \
  X(int, PQsendQuery, (PGconn *conn, const char *sql), (conn, sql)) \
  X(int, PQsendQueryParams, \
    (PGconn *conn, const char *sql, int count, const Oid *types, const char *const *values, \
     const int *lengths, const int *formats, int result), \
    (conn, sql, count, types, values, lengths, formats, result)) \
  X(int, PQflush, (PGconn *conn), (conn)) \
  X(int, PQconsumeInput, (PGconn *conn), (conn)) \
  X(int, PQisBusy, (PGconn *conn), (conn)) \
  X(PGnotify *, PQnotifies, (PGconn *conn), (conn)) \
  X(PGresult *, PQgetResult, (PGconn *conn), (conn)) \
  X(ExecStatusType, PQresultStatus, (const PGresult *result), (result)) \
  X(char *, PQresultErrorField, (const PGresult *result, int field), (result, field)) \
  X(char *, PQcmdTuples, (PGresult *result), (result)) \
  X(int, PQntuples, (const PGresult *result), (result)) \
  X(int, PQnfields, (const PGresult *result), (result)) \
  X(char *, PQfname, (const PGresult *result, int column), (result, column)) \
  X(int, PQgetisnull, (const PGresult *result, int row, int column), (result, row, column)) \
  X(char *, PQgetvalue, (const PGresult *result, int row, int column), (result, row, column)) \
  X(int, PQgetlength, (const PGresult *result, int row, int column), (result, row, column)) \
  X(void, PQclear, (PGresult *result), (result)) \
  X(char *, PQescapeIdentifier, (PGconn *conn, const char *text, size_t length), \
    (conn, text, length)) \
  X(void, PQfreemem, (void *memory), (memory))

struct functions {
#define MEMBER(result, name, parameters, arguments) __typeof__(&name) name;
  FUNCTIONS(MEMBER)
};

static const char *const names[] = {
#define NAME(result, name, parameters, arguments) #name,
  FUNCTIONS(NAME)
};

enum { count = sizeof names / sizeof names[0] };

/* The same pointers, by name and by number. */
union table {
  struct functions named;
  void *numbered[count];
};
_Static_assert(sizeof(struct functions) == sizeof(void *[count]), "pointers are of one size");

/* Filled once under the lock, and not changed after `loaded` points to it. The library then stays for as long as the
   process runs. */
static union table library;
static _Atomic(const struct functions *) loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char problem[512];

/* The dynamic linker keeps its message only until it is next called. */
static void *fail(void) {
  const char *reason = dlerror();
  snprintf(problem, sizeof problem, "%s", reason ? reason : LIBRARY);
  return NULL;
}

/* All of the functions or none. The functions that libpq's own libraries call are found when they are called, as in
   a program that is linked to libpq: to find all of them here would take a fifth longer. */
static const struct functions *open_library(void) {
  void *handle = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) return fail();
  for (int index = 0; index < count; index++) {
    library.numbered[index] = dlsym(handle, names[index]);
    if (library.numbered[index] == NULL) {
      fail();
      dlclose(handle);
      return NULL;
    }
  }
  return &library.named;
}

/* The library's functions; NULL with the reason in `problem`. */
static const struct functions *functions(void) {
  const struct functions *found = atomic_load_explicit(&loaded, memory_order_acquire);
  if (found != NULL) return found;
  pthread_mutex_lock(&lock);
  found = atomic_load_explicit(&loaded, memory_order_relaxed);
  if (found == NULL && (found = open_library()) != NULL)
    atomic_store_explicit(&loaded, found, memory_order_release);
  pthread_mutex_unlock(&lock);
  return found;
}

const char *fpc_libpq_problem(void) { return functions() ? NULL : problem; }

/* Hidden, so that a library that is loaded later never finds one of these instead of libpq's own function. */
#define FORWARD(result, name, parameters, arguments) \
  __attribute__((visibility("hidden"))) result name parameters { \
    const struct functions *found = functions(); \
    return found ? found->name arguments : (result)0; \
  }

FUNCTIONS(FORWARD)
