/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refuses to work inside a compiler that uses another LLVM, before any of its C++ is called: the
 * plugin would bring its own libLLVM along, and objects of one would be read by the other.
 *
 * The test is the order of the loaded objects. What the host was linked with was loaded at its
 * start, before the plugin; a libLLVM that came after the plugin came for the plugin's sake.
 */
#include <link.h>
#include <stdio.h>
#include <string.h>

#include <llvm-c/Core.h>

#include "pass/pass.h"

struct search {
	ElfW(Addr) plugin, llvm;	/* an address inside each */
	int nr, plugin_at, llvm_at;
	char other[128];		/* another libLLVM, for the message */
};

static bool contains(const struct dl_phdr_info *info, ElfW(Addr) address)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD &&
		    address - (info->dlpi_addr + ph->p_vaddr) < ph->p_memsz)
			return true;
	}
	return false;
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	const char *base = strrchr(info->dlpi_name, '/');

	(void)size;
	base = base ? base + 1 : info->dlpi_name;
	if (contains(info, s->plugin))
		s->plugin_at = s->nr;
	if (contains(info, s->llvm))
		s->llvm_at = s->nr;
	else if (!strncmp(base, "libLLVM", strlen("libLLVM")))
		snprintf(s->other, sizeof(s->other), "%s", base);
	s->nr++;
	return 0;
}

bool pass_host_is_ours(char *why, size_t why_bytes)
{
	unsigned int major, minor, patch;
	struct search s = {
		.plugin = (ElfW(Addr))pass_host_is_ours,
		.llvm = (ElfW(Addr))LLVMGetVersion, /* ours, by its symbol version */
		.plugin_at = -1,
		.llvm_at = -1,
	};

	dl_iterate_phdr(visit, &s);
	LLVMGetVersion(&major, &minor, &patch);
	if (major == 19 && s.llvm_at >= 0 && s.llvm_at < s.plugin_at)
		return true;
	snprintf(why, why_bytes,
		 "this plugin works with LLVM 19 (clang-19), but the program that loads it uses "
		 "another LLVM%s%s%s",
		 s.other[0] ? " (" : "", s.other, s.other[0] ? ")" : "");
	return false;
}
