// SPDX-License-Identifier: BSD-2-Clause

#ifdef __linux__
#define _GNU_SOURCE
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "CSyscalls.h"

int fpc_nameless_file(int directory) {
#ifdef O_TMPFILE
  return openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
#else
  return -1;
#endif
}

void fpc_give_memory_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
#endif
