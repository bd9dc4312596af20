// SPDX-License-Identifier: BSD-2-Clause

/* Makes the trees that the benchmark measures on.
 *
 *   maketree TREE THREADS written|sparse < LIST
 *
 * A line of the list is a folder and, after tabs, the names of the files in it. Sizes go from the
 * shell of a day without commits, 70 bytes, to 1,336, by turns. A written file has a block that
 * its unlink must free, as a page has; a sparse one has its size only, which is all that a scan
 * looks at. Prints the number of files and their bytes. */

#include "common.h"

static struct lines list;
static int tree, is_written;
static atomic_size_t next_line, files, bytes;
static char page[2048];

static void make_folder(char *path) {
  if (mkdirat(tree, path, 0775) == 0 || errno == EEXIST) return;
  char *slash = errno == ENOENT ? strrchr(path, '/') : NULL;
  if (slash == NULL) die("mkdir %s", path);
  *slash = 0;
  make_folder(path);
  *slash = '/';
  if (mkdirat(tree, path, 0775) != 0 && errno != EEXIST) die("mkdir %s", path);
}

static void make_file(int folder, const char *name, size_t size) {
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0664);
  if (file < 0) die("create %s", name);
  if (is_written ? write(file, page, size) != (ssize_t)size : ftruncate(file, size) != 0)
    die("write %s", name);
  close(file);
  files++;
  bytes += size;
}

static void *work(void *unused) {
  for (size_t i; (i = next_line++) < list.count;) {
    char *rest = list.line[i];
    char *path = strsep(&rest, "\t");
    make_folder(path);
    if (rest == NULL) continue;
    int folder = open_folder(tree, path);
    if (folder < 0) die("open %s", path);
    for (size_t part = 0; rest != NULL; part++)
      make_file(folder, strsep(&rest, "\t"), 70 + (i + part) % 7 * 211);
    close(folder);
  }
  return unused;
}

int main(int count, char **argument) {
  if (count != 4) {
    fputs("usage: maketree TREE THREADS written|sparse < LIST\n", stderr);
    return 64;
  }
  tree = open_tree(argument[1]);
  is_written = strcmp(argument[3], "written") == 0;
  memset(page, 'x', sizeof page);
  list = read_lines(stdin);
  run_threads(atoi(argument[2]), work);
  printf("%zu %zu\n", files, bytes);
  return 0;
}
