// SPDX-License-Identifier: BSD-2-Clause

/* Runs a program and tells how much memory it took at most.
 *
 *   peak REPORT PROGRAM [ARGUMENT...]
 *
 * Writes to the file REPORT the greatest resident memory of the program, in kilobytes. The kernel
 * hands a child the high water of what it was before it called exec, so whoever starts the
 * program must be small itself. Ends as the program ended. */

#include "common.h"

#include <sys/resource.h>
#include <sys/wait.h>

int main(int count, char **argument) {
  if (count < 3) {
    fputs("usage: peak REPORT PROGRAM [ARGUMENT...]\n", stderr);
    return 64;
  }
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    execvp(argument[2], argument + 2);
    die("%s", argument[2]);
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) die("wait");
  FILE *report = fopen(argument[1], "w");
  if (report == NULL || fprintf(report, "%ld\n", usage.ru_maxrss) < 0 || fclose(report) != 0)
    die("%s", argument[1]);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
