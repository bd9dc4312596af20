// SPDX-License-Identifier: BSD-2-Clause

#include <libpq-fe.h>
