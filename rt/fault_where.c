/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where this copy of libinlay can own SIGSEGV and SIGBUS: where the sigaction() that the whole
 * process calls is its own. Elsewhere the target would replace the handlers behind our back.
 */
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "rt/fault.h"
#include "rt/helpers.h"

/* -finlay-no-handler defines it, to any address but 0. */
extern char __inlay_no_handler_v1[] __attribute__((weak, visibility("default")));
extern void *dlsym(void *, const char *) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

bool __inlay_fault_is_unwanted(void)
{
	/*
	 * ThreadSanitizer keeps signals back, and runs their handlers later with every signal
	 * blocked: a fault in a probe there would be death.
	 */
	return __inlay_no_handler_v1 || __tsan_init;
}

/* The first module of our namespace. */
struct place {
	bool is_here;		/* it holds this code */
	bool has_interpreter;
	bool is_program;	/* the kernel started it; AT_PHDR is the loader's if that was started */
};

static int first_module(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct place *place = arg;
	uintptr_t here = (uintptr_t)&first_module;
	int i;

	(void)bytes;
	place->is_program = getauxval(AT_PHDR) == (unsigned long)info->dlpi_phdr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == PT_INTERP)
			place->has_interpreter = true;
		if (phdr->p_type == PT_LOAD &&
		    here - (info->dlpi_addr + phdr->p_vaddr) < phdr->p_memsz)
			place->is_here = true;
	}
	return 1;
}

/*
 * In a static link every call is bound to us (AT_BASE does not tell: it is 0 also where the dynamic
 * linker was started as a program). In a shared object that is not searched before libc, or
 * behind another copy, it is not ours; nor in a namespace that dlmopen() made, of which the
 * program knows nothing.
 */
bool __inlay_fault_is_interposing(void)
{
	struct place place = { false, false, false };
	void *first;

	dl_iterate_phdr(first_module, &place);
	if (!place.is_program && !place.has_interpreter)
		return false;
	if (place.is_here && !place.has_interpreter)
		return true;
	if (!dlsym)
		return false;
	first = dlsym(NULL /* RTLD_DEFAULT */, "sigaction");
	return first && first == __inlay_interposed_sigaction();
}
