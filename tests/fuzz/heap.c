/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operator new and delete of the targets that go through LLVM: the C library's heap instead of
 * AddressSanitizer's. LLVM is not instrumented, so its objects gain nothing from red zones, and lowering
 * a program makes tens of thousands of them. LeakSanitizer does not see that heap, and would take
 * what only LLVM's objects point to for lost; so what is given back is counted here, for both heaps.
 */
#include "tests/fuzz/heap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The only names that AddressSanitizer leaves alone. */
void *__libc_malloc(size_t bytes);
void __libc_free(void *p);

#define MALLOC_ALIGN 16
#define UNUSED __attribute__((unused))

/*
 * What is kept in each of so many runs is a leak. Less would not do: LLVM keeps a set of the unusual types
 * that it selected instructions for, by address, for as long as the process lives
 * (SDNode::getValueTypeList()), and some runs pass until a type lies where another one lay.
 */
#define MAX_RUNS 60

/* Of AddressSanitizer's runtime. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p, size_t bytes),
					      void (*on_free)(const volatile void *p));

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static atomic_long nr_live;

static void on_malloc(const volatile void *p UNUSED, size_t bytes UNUSED)
{
	atomic_fetch_add_explicit(&nr_live, 1, memory_order_relaxed);
}

static void on_free(const volatile void *p)
{
	if (p)
		atomic_fetch_sub_explicit(&nr_live, 1, memory_order_relaxed);
}

void fuzz_heap_run(void (*run)(const uint8_t *data, size_t bytes), const uint8_t *data,
		   size_t bytes)
{
	static bool is_hooked;
	long before, more = 0;

	if (!is_hooked)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	is_hooked = true;
	for (int i = 0; i < MAX_RUNS; i++) {
		before = atomic_load_explicit(&nr_live, memory_order_relaxed);
		run(data, bytes);
		more = atomic_load_explicit(&nr_live, memory_order_relaxed) - before;
		if (more <= 0)
			return;
	}
	fprintf(stderr, "leak: each run of this input keeps %ld pieces of memory\n", more);
	abort();
}

static void *give(void *p)
{
	/* LLVM is built without exceptions: it would end here, too */
	if (!p)
		abort();
	atomic_fetch_add_explicit(&nr_live, 1, memory_order_relaxed);
	return p;
}

static void take(void *p)
{
	if (p)
		atomic_fetch_sub_explicit(&nr_live, 1, memory_order_relaxed);
	__libc_free(p);
}

/* In front of what malloc() cannot align lies what it gave. */
static void *give_aligned(size_t bytes, size_t align)
{
	void *start, **p;

	if (align <= MALLOC_ALIGN)
		return give(__libc_malloc(bytes));
	start = give(__libc_malloc(bytes + align + sizeof(start)));
	p = (void **)(((uintptr_t)start + sizeof(start) + align - 1) & ~(uintptr_t)(align - 1));
	p[-1] = start;
	return p;
}

static void take_aligned(void *p, size_t align)
{
	take(p && align > MALLOC_ALIGN ? ((void **)p)[-1] : p);
}

/* The mangled names of the Itanium C++ ABI: C has no others for them. */
#define NEW(fn, symbol, ...)                                                                       \
	void *fn(size_t bytes, ##__VA_ARGS__) __asm__(symbol);                                     \
	void *fn(size_t bytes, ##__VA_ARGS__)
#define DELETE(fn, symbol, ...)                                                                    \
	void fn(void *p, ##__VA_ARGS__) __asm__(symbol);                                           \
	void fn(void *p, ##__VA_ARGS__)

NEW(new_one, "_Znwm") { return give(__libc_malloc(bytes)); }
NEW(new_array, "_Znam") { return give(__libc_malloc(bytes)); }
NEW(new_one_nothrow, "_ZnwmRKSt9nothrow_t", const void *tag UNUSED)
{
	return give(__libc_malloc(bytes));
}
NEW(new_array_nothrow, "_ZnamRKSt9nothrow_t", const void *tag UNUSED)
{
	return give(__libc_malloc(bytes));
}
NEW(new_aligned, "_ZnwmSt11align_val_t", size_t align)
{
	return give_aligned(bytes, align);
}
NEW(new_aligned_array, "_ZnamSt11align_val_t", size_t align)
{
	return give_aligned(bytes, align);
}
NEW(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t", size_t align, const void *tag UNUSED)
{
	return give_aligned(bytes, align);
}
NEW(new_aligned_array_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t", size_t align,
    const void *tag UNUSED)
{
	return give_aligned(bytes, align);
}

DELETE(delete_one, "_ZdlPv") { take(p); }
DELETE(delete_array, "_ZdaPv") { take(p); }
DELETE(delete_sized, "_ZdlPvm", size_t bytes UNUSED) { take(p); }
DELETE(delete_array_sized, "_ZdaPvm", size_t bytes UNUSED) { take(p); }
DELETE(delete_nothrow, "_ZdlPvRKSt9nothrow_t", const void *tag UNUSED) { take(p); }
DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", const void *tag UNUSED) { take(p); }
DELETE(delete_aligned, "_ZdlPvSt11align_val_t", size_t align) { take_aligned(p, align); }
DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t", size_t align) { take_aligned(p, align); }
DELETE(delete_sized_aligned, "_ZdlPvmSt11align_val_t", size_t bytes UNUSED, size_t align)
{
	take_aligned(p, align);
}
DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t", size_t bytes UNUSED,
       size_t align)
{
	take_aligned(p, align);
}
DELETE(delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t", size_t align,
       const void *tag UNUSED)
{
	take_aligned(p, align);
}
DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t", size_t align,
       const void *tag UNUSED)
{
	take_aligned(p, align);
}
