// SPDX-License-Identifier: BSD-2-Clause

/* How the floor deletes: a folder opened by its path from the tree's descriptor, listed with
 * getdents64, and each file unlinked by the folder's descriptor. */

#ifndef FLOOR_PAGES_H
#define FLOOR_PAGES_H

#include "common.h"

/* Unlinks the files of a folder whose names begin with `prefix`; a folder that is not there has
 * none. Folders in it stay. */
static inline size_t unlink_pages(int tree, const char *path, const char *prefix) {
  char entries[DIRENT_BYTES];
  size_t removed = 0, length = strlen(prefix);
  int folder = open_folder(tree, path);
  if (folder < 0) {
    if (errno == ENOENT) return 0;
    die("open %s", path);
  }
  for (long got; (got = syscall(SYS_getdents64, folder, entries, sizeof entries)) != 0;) {
    if (got < 0) die("list %s", path);
    for (long at = 0; at < got;) {
      struct linux_dirent64 *entry = (struct linux_dirent64 *)(entries + at);
      at += entry->d_reclen;
      if (is_dot(entry->d_name) || strncmp(entry->d_name, prefix, length) != 0) continue;
      if (unlinkat(folder, entry->d_name, 0) == 0)
        removed++;
      else if (errno != EISDIR && errno != EPERM && errno != ENOENT)
        die("unlink %s/%s", path, entry->d_name);
    }
  }
  close(folder);
  return removed;
}

#endif
