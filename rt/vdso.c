/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's clocks from its own code in the vDSO, found without libc: a target may define
 * clock_gettime() itself, have it replaced (libfaketime), or have a probe on it. Where the vDSO is
 * not to be had (valgrind hides it) it is the system call.
 */
#include <elf.h>
#include <sys/auxv.h>
#include <time.h>

#include "rt/helpers.h"
#include "rt/sys.h"

#if defined(__x86_64__)
#define CLOCK_SYMBOL "__vdso_clock_gettime"
#else
#define CLOCK_SYMBOL "__kernel_clock_gettime"
#endif

typedef int clock_fn(clockid_t clock, struct timespec *ts);

struct vdso {
	const char *base;	/* what addresses in it are relative to */
	const Elf64_Sym *symbols;
	const char *names;
	const __u32 *gnu_hash, *hash;
};

static clock_fn *vdso_clock;	/* set once; NULL: system call */

static int vdso_read(struct vdso *ret_vdso)
{
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	const Elf64_Phdr *segments;
	const Elf64_Dyn *dynamic = NULL;
	struct vdso vdso = { 0 };

	if (!image)
		return 0;
	segments = (const Elf64_Phdr *)(image + header->e_phoff);
	for (int i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD && !vdso.base)
			vdso.base = image + segments[i].p_offset - segments[i].p_vaddr;
		if (segments[i].p_type == PT_DYNAMIC)
			dynamic = (const Elf64_Dyn *)(image + segments[i].p_offset);
	}
	for (; dynamic && vdso.base && dynamic->d_tag != DT_NULL; dynamic++) {
		const char *at = vdso.base + dynamic->d_un.d_ptr;

		if (dynamic->d_tag == DT_SYMTAB)
			vdso.symbols = (const Elf64_Sym *)at;
		else if (dynamic->d_tag == DT_STRTAB)
			vdso.names = at;
		else if (dynamic->d_tag == DT_HASH)
			vdso.hash = (const __u32 *)at;
		else if (dynamic->d_tag == DT_GNU_HASH)
			vdso.gnu_hash = (const __u32 *)at;
	}
	*ret_vdso = vdso;
	return vdso.symbols && vdso.names;
}

/* The dynamic section does not say how many symbols there are; the hash tables do. */
static __u32 nr_symbols(const struct vdso *vdso)
{
	const __u32 *buckets, *chains;
	__u32 nr_buckets, first, last = 0;

	if (vdso->hash)
		return vdso->hash[1];
	if (!vdso->gnu_hash)
		return 0;
	nr_buckets = vdso->gnu_hash[0];
	first = vdso->gnu_hash[1];
	buckets = vdso->gnu_hash + 4 + vdso->gnu_hash[2] * (sizeof(Elf64_Addr) / sizeof(__u32));
	chains = buckets + nr_buckets;
	for (__u32 i = 0; i < nr_buckets; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < first)
		return first;
	while (!(chains[last - first] & 1))
		last++;
	return last + 1;
}

void __inlay_vdso_start(void)
{
	struct vdso vdso;
	__u32 nr;

	if (!vdso_read(&vdso))
		return;
	nr = nr_symbols(&vdso);
	for (__u32 i = 0; i < nr; i++) {
		const Elf64_Sym *symbol = &vdso.symbols[i];

		if (symbol->st_shndx == SHN_UNDEF ||
		    !str_equal(vdso.names + symbol->st_name, CLOCK_SYMBOL))
			continue;
		__atomic_store_n(&vdso_clock, (clock_fn *)(vdso.base + symbol->st_value),
				 __ATOMIC_RELAXED);
		return;
	}
}

__u64 __inlay_system_ns(int clock)
{
	clock_fn *fn = __atomic_load_n(&vdso_clock, __ATOMIC_RELAXED);
	struct timespec ts = { 0 };

	if (!fn || fn(clock, &ts))
		sys_call3(__NR_clock_gettime, clock, &ts, 0);
	return (__u64)ts.tv_sec * 1000000000ull + (__u64)ts.tv_nsec;
}

__u64 __inlay_monotonic_ns(void)
{
	return __inlay_system_ns(CLOCK_MONOTONIC);
}
