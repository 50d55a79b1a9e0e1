/* SPDX-License-Identifier: BSD-2-Clause */
/* What test_kernel_strings.c asks of the program in strings_kernel.bpf.c. */
#ifndef INLAY_TESTS_STRINGS_KERNEL_H
#define INLAY_TESTS_STRINGS_KERNEL_H

#define STRINGS_SHORT 4096	/* strings may start here */
#define STRINGS_BYTES (STRINGS_SHORT + 70000)

enum strings_op {
	STRINGS_CMP, STRINGS_CASECMP, STRINGS_CHR, STRINGS_CHRNUL, STRINGS_NCHR, STRINGS_RCHR,
	STRINGS_LEN, STRINGS_NLEN, STRINGS_SPN, STRINGS_CSPN, STRINGS_STR, STRINGS_NSTR, STRINGS_NR,
};

struct strings_memory {
	char all[STRINGS_BYTES];
};

struct strings_call {
	__u32 op;
	__s32 c;
	__u64 count;
	__u32 at[2];
	__u64 address[2];	/* not 0: in place of at */
	__s64 ret;
};

#endif /* INLAY_TESTS_STRINGS_KERNEL_H */
