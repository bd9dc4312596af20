/* The Linux calls that glibc's Swift overlay does not carry, as plain functions.
   Empty elsewhere: CacheFS/Syscalls.swift falls back to POSIX. */
#pragma once

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

/* getdents64(2): raw directory entries, without readdir's malloc per open. */
static inline long fpc_getdents64(int directory, void *buffer, unsigned long size) {
  return syscall(SYS_getdents64, directory, buffer, size);
}
#endif
