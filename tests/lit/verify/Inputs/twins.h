/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the verifier: programs written instruction by instruction. See ../README.md.
 */
#ifndef INLAY_TESTS_TWINS_H
#define INLAY_TESTS_TWINS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define TWINS_SECTION "uprobe/app:function"

/*
 * Kernels refuse BTF of functions with arguments that have no name, and clang leaves it out of naked
 * ones: so there are none, though ctx is in r1.
 */
/* A program that must be accepted; one that must be refused, for a reason that contains `why`. */
#define ACCEPT(name) ACCEPT_IN(TWINS_SECTION, name)
#define REJECT(name, why) REJECT_IN(TWINS_SECTION, name, why)
#define ACCEPT_IN(section, name) SEC(section) __attribute__((naked)) int name(void)
#define REJECT_IN(section, name, why) SEC(section) __attribute__((naked)) int name(void)
/* A subprogram or a callback */
#define SUB(name) static __attribute__((naked, used)) int name(void)

/*
 * The instructions in parentheses, then what their %[names] stand for:
 *	ASM((r0 = 0; exit;));
 *	ASM((r1 = %[counts] ll; call %[map_lookup_elem]; exit;), MAP(counts), HELPER(map_lookup_elem));
 */
#define ASM(text, ...) asm volatile(TWINS_TEXT text : : __VA_ARGS__)
#define TWINS_TEXT(...) #__VA_ARGS__
#define MAP(name) [name] "i"(&name)
#define HELPER(name) [name] "i"(BPF_FUNC_##name)
#define ADDRESS(name) [name] "i"(name)
#define NUMBER(name, value) [name] "i"(value)

/* MAP_OF(counts, HASH, __u32, __u64, 8); */
#define MAP_OF(name, map_type, key_type, value_type, entries)                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##map_type);                                             \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
		__uint(max_entries, entries);                                                      \
	} name SEC(".maps")

#define LICENSE(text) char _license[] SEC("license") = text

#endif /* INLAY_TESTS_TWINS_H */
