// SPDX-License-Identifier: BSD-2-Clause

/* The floor of starting up: what loading libpq costs. Linked with --no-as-needed, so that libpq
 * is loaded although nothing of it is called. */

int main(void) { return 0; }
