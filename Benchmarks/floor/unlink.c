// SPDX-License-Identifier: BSD-2-Clause

/* The floor of clearing: the files of the folders in a list, and nothing else.
 *
 *   unlink TREE THREADS [folders] < LIST
 *
 * Each thread takes whole folders from the list. With `folders` it removes those too, which is how
 * the benchmark takes a large tree away. Prints how many files it removed. */

#include "pages.h"

static struct lines list;
static int tree, with_folders;
static atomic_size_t next_line, removed;

static void *work(void *unused) {
  for (size_t i; (i = next_line++) < list.count;) {
    removed += unlink_pages(tree, list.line[i], "");
    if (with_folders && unlinkat(tree, list.line[i], AT_REMOVEDIR) != 0 && errno != ENOENT)
      die("remove %s", list.line[i]);
  }
  return unused;
}

int main(int count, char **argument) {
  with_folders = count == 4 && strcmp(argument[3], "folders") == 0;
  if (count != 3 + with_folders) {
    fputs("usage: unlink TREE THREADS [folders] < LIST\n", stderr);
    return 64;
  }
  tree = open_tree(argument[1]);
  list = read_lines(stdin);
  run_threads(atoi(argument[2]), work);
  printf("%zu\n", removed);
  return 0;
}
