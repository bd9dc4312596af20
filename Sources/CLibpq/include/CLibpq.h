// SPDX-License-Identifier: BSD-2-Clause

/* libpq as its own header declares it. Nothing links it: CLibpq.c defines those of its functions that are in the list
   below. Each loads the library when it is first called and passes the call on. libpq and its libraries for TLS,
   Kerberos and LDAP would take longer to load than a clear takes to run, and a clear calls none of them.

   A function that is not in the list is not defined. A call of it is an error when the program is linked: add it. */
#pragma once

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#elif __has_include(<postgresql/libpq-fe.h>) /* Debian */
#include <postgresql/libpq-fe.h>
#elif __has_include("/usr/local/include/libpq-fe.h") /* FreeBSD */
#include "/usr/local/include/libpq-fe.h"
#else
#error "libpq-fe.h was not found; install libpq's headers, or name their folder: swift build -Xcc -I$(pg_config --includedir)"
#endif

/* Why libpq cannot be loaded, in the dynamic linker's words, valid until this thread calls again; NULL once it is
   loaded. Loads it unless it is loaded, and tries again after a failure. Until it is loaded, a function of the list
   that makes something returns NULL, and the others do nothing. Any thread may call. */
const char *fpc_libpq_problem(void);
