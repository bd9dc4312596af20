// SPDX-License-Identifier: BSD-2-Clause

/* The floor of scanning: getdents64 for every folder, statx for every file.
 *
 *   scan TREE THREADS
 *
 * Folders wait on a stack under a mutex; each is opened by its parent's descriptor, which stays
 * open until its last child was. Prints the numbers of files, of folders and of the files' bytes. */

#include "common.h"

#include <dirent.h>

struct folder {
  int descriptor;
  atomic_int users;
};

struct task {
  struct folder *parent;
  char name[256];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static struct task *stack;
static size_t height, room;
static int idle, threads;
static atomic_size_t files, folders, bytes;

static void leave(struct folder *folder) {
  if (--folder->users > 0) return;
  close(folder->descriptor);
  free(folder);
}

static void push(struct task *tasks, size_t count) {
  pthread_mutex_lock(&mutex);
  while (height + count > room) {
    room = room ? room * 2 : 4096;
    stack = realloc(stack, room * sizeof *stack);
    if (stack == NULL) die("%zu folders", room);
  }
  memcpy(stack + height, tasks, count * sizeof *tasks);
  height += count;
  if (idle > 0) pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
}

static int pop(struct task *task) {
  pthread_mutex_lock(&mutex);
  idle++;
  while (height == 0 && idle < threads) pthread_cond_wait(&condition, &mutex);
  int found = height > 0;
  if (found) {
    *task = stack[--height];
    idle--;
  } else {
    pthread_cond_broadcast(&condition);
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

struct tally {
  size_t files, folders, bytes;
};

static void take(struct folder *folder, const char *name, struct tally *tally) {
  struct statx about;
  if (statx(folder->descriptor, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
            STATX_SIZE | STATX_MTIME, &about) != 0) {
    if (errno == ENOENT) return;
    die("stat %s", name);
  }
  tally->files++;
  tally->bytes += about.stx_size;
}

static void list(struct folder *folder, struct tally *tally) {
  enum { SOME = 128 };
  char entries[DIRENT_BYTES];
  struct task found[SOME];
  size_t count = 0;
  tally->folders++;
  for (;;) {
    long got = syscall(SYS_getdents64, folder->descriptor, entries, sizeof entries);
    if (got < 0) die("list");
    if (got == 0) break;
    for (long at = 0; at < got;) {
      struct linux_dirent64 *entry = (struct linux_dirent64 *)(entries + at);
      at += entry->d_reclen;
      if (entry->d_type != DT_DIR) {
        take(folder, entry->d_name, tally);
      } else if (!is_dot(entry->d_name)) {
        folder->users++;
        found[count].parent = folder;
        strcpy(found[count].name, entry->d_name);
        if (++count == SOME) {
          push(found, count);
          count = 0;
        }
      }
    }
  }
  if (count > 0) push(found, count);
}

static void *work(void *unused) {
  struct tally tally = {0, 0, 0};
  for (struct task task; pop(&task);) {
    struct folder *folder = allocate(sizeof *folder);
    folder->users = 1;
    folder->descriptor = open_folder(task.parent->descriptor, task.name);
    if (folder->descriptor < 0) die("open %s", task.name);
    leave(task.parent);
    list(folder, &tally);
    leave(folder);
  }
  files += tally.files;
  folders += tally.folders;
  bytes += tally.bytes;
  return unused;
}

int main(int count, char **argument) {
  if (count != 3) {
    fputs("usage: scan TREE THREADS\n", stderr);
    return 64;
  }
  struct folder here = {AT_FDCWD, 2};
  struct task root = {.parent = &here, .name = "."};
  if (chdir(argument[1]) != 0) die("%s", argument[1]);
  push(&root, 1);
  threads = atoi(argument[2]);
  run_threads(threads, work);
  printf("%zu %zu %zu\n", files, folders, bytes);
  return 0;
}
