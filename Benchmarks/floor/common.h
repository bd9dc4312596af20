// SPDX-License-Identifier: BSD-2-Clause

/* What the floor's programs share: how they fail, read their lists and list a folder.
 *
 * They are the least that the work can cost: no pattern, no report, no protocol. So whatever goes
 * wrong ends the program at once with a message, and nothing is freed that the end of the program
 * frees. */

#ifndef FLOOR_COMMON_H
#define FLOOR_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's entry; glibc's own is the same, but is not to be had of every libc. */
struct linux_dirent64 {
  uint64_t d_ino;
  int64_t d_off;
  unsigned short d_reclen;
  unsigned char d_type;
  char d_name[];
};

/* What one call of getdents64 may fill: more than any folder of a port needs. */
enum { DIRENT_BYTES = 32 * 1024 };

static inline void die(const char *format, ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, ": %s\n", error ? strerror(error) : "wrong input");
  exit(1);
}

static inline void *allocate(size_t bytes) {
  void *memory = malloc(bytes);
  if (memory == NULL) die("%zu bytes", bytes);
  return memory;
}

static inline int open_folder(int parent, const char *path) {
  return openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static inline int open_tree(const char *path) {
  int tree = open_folder(AT_FDCWD, path);
  if (tree < 0) die("%s", path);
  return tree;
}

static inline int is_dot(const char *name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

/* The lines of a file, as pointers into one buffer. */
struct lines {
  char **line;
  size_t count;
};

static inline struct lines read_lines(FILE *file) {
  size_t size = 0, room = 1 << 20;
  char *text = allocate(room);
  for (size_t got; (got = fread(text + size, 1, room - size - 1, file)) > 0;) {
    size += got;
    if (size + 1 < room) continue;
    room *= 2;
    text = realloc(text, room);
    if (text == NULL) die("%zu bytes", room);
  }
  if (ferror(file)) die("standard input");
  text[size] = 0;
  struct lines lines = {NULL, 0};
  for (char *at = text; at < text + size; at++) lines.count += *at == '\n';
  lines.line = allocate((lines.count + 1) * sizeof *lines.line);
  size_t next = 0;
  for (char *at = text; next < lines.count; next++) {
    lines.line[next] = at;
    at = strchr(at, '\n');
    *at++ = 0;
  }
  return lines;
}

/* Runs `body` on as many threads as asked for, the caller's included. */
static inline void run_threads(int threads, void *(*body)(void *)) {
  pthread_t thread[64];
  if (threads < 1 || threads > 64) {
    errno = 0;
    die("%d threads", threads);
  }
  for (int i = 1; i < threads; i++) {
    errno = pthread_create(&thread[i], NULL, body, NULL);
    if (errno) die("thread %d", i);
  }
  body(NULL);
  for (int i = 1; i < threads; i++) pthread_join(thread[i], NULL);
}

#endif
