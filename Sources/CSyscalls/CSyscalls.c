// SPDX-License-Identifier: BSD-2-Clause

#ifdef __linux__
#define _GNU_SOURCE
#include <fcntl.h>
#include <link.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdint.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include "CSyscalls.h"

int fpc_nameless_file(int directory) {
#ifdef O_TMPFILE
  return openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
#else
  return -1;
#endif
}

unsigned long fpc_file_system_type(int descriptor) {
  struct statfs system;
  return fstatfs(descriptor, &system) == 0 ? (unsigned long)system.f_type : 0;
}

/* Whether the loader has written into the code of this object: such pages are not those of the file. */
static int has_text_relocations(const struct dl_phdr_info *object) {
  for (int index = 0; index < object->dlpi_phnum; index++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
    if (segment->p_type != PT_DYNAMIC) continue;
    for (const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + segment->p_vaddr);
         entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_TEXTREL) return 1;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)) return 1;
    }
  }
  return 0;
}

/* Takes the code of one object out of memory. What runs again comes back from the file: such pages are never
   written, which is checked. A failure of madvise(2) leaves the pages where they are. */
static int give_code_back(struct dl_phdr_info *object, size_t size, void *page_size) {
  (void)size;
  if (has_text_relocations(object)) return 0;
  uintptr_t mask = *(uintptr_t *)page_size - 1;
  for (int index = 0; index < object->dlpi_phnum; index++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
    if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_X | PF_W)) != PF_X) continue;
    uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    uintptr_t end = (start + segment->p_filesz + mask) & ~mask;
    madvise((void *)(start & ~mask), end - (start & ~mask), MADV_DONTNEED);
  }
  return 0;
}

void fpc_give_memory_back(void) {
  uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  dl_iterate_phdr(give_code_back, &page_size);
}
#endif
