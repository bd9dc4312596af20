// SPDX-License-Identifier: BSD-2-Clause

/* The calls that Swift cannot import, or imports differently from C library to C library, as plain
   functions. Those of Linux are not there elsewhere: CacheFS/Kernel falls back to POSIX. */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* A datagram socket of the Unix domain that no child inherits, where that can be said; -1 with errno. */
static inline int fpc_unix_datagram_socket(void) {
#ifdef SOCK_CLOEXEC
  return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
  return socket(AF_UNIX, SOCK_DGRAM, 0);
#endif
}

/* sigaction(2), whose member for the handler has another name in each C library. */
static inline int fpc_set_handler(int number, void (*handler)(int), int flags) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  action.sa_flags = flags;
  return sigaction(number, &action, NULL);
}

/* Whether a signal is ignored, as nohup(1) has it. */
static inline int fpc_is_ignored(int number) {
  struct sigaction action = {0};
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* How many bytes of address space the process may have (getrlimit(2)); -1 for no limit. */
static inline long long fpc_address_space_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return -1;
  return limit.rlim_cur > 0x7fffffffffffffffULL ? -1 : (long long)limit.rlim_cur;
}

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

/* The lowest priority for the calling thread alone: nice 19 (setpriority(2)) and the idle class for the disk
   (ioprio_set(2): IOPRIO_WHO_PROCESS, this thread, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT). */
static inline void fpc_make_thread_idle(void) {
  setpriority(PRIO_PROCESS, 0, 19);
  syscall(SYS_ioprio_set, 1, 0, 3 << 13);
}

/* getdents64(2): raw directory entries, without readdir's malloc per open. */
static inline long fpc_getdents64(int directory, void *buffer, unsigned long size) {
  return syscall(SYS_getdents64, directory, buffer, size);
}

/* The resolve flags of openat2(2), in case the headers are older than Linux 5.6. */
enum { fpc_no_xdev = 0x01, fpc_no_magiclinks = 0x02, fpc_no_symlinks = 0x04, fpc_beneath = 0x08 };

/* openat2(2): open(2) that refuses to leave a folder. 437 on every architecture. */
static inline long fpc_openat2(
    int directory, const char *name, unsigned long long flags, unsigned long long resolve) {
  struct { unsigned long long flags, mode, resolve; } how = {flags, 0, resolve};
  return syscall(437, directory, name, &how, sizeof how);
}

/* open(2) with O_TMPFILE, which wants _GNU_SOURCE: a file without a name in a folder's file
   system; -1 where there is no such thing. */
int fpc_nameless_file(int directory);

/* The type of the file system that an open file is on (statfs(2), f_type); 0 where the kernel does not tell. */
unsigned long fpc_file_system_type(int descriptor);

/* What malloc keeps free goes back to the system (malloc_trim(3), which glibc alone has), and so does code that
   has run, most of it once (madvise(2)). */
void fpc_give_memory_back(void);
#endif
