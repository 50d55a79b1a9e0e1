/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a program waits for its disk: the latency of write() and fdatasync(), by the function that
 * called. The programs sit around the calls, in the callers; libc is not touched.
 *
 * CALLS lists pairs of called and calling function (here redis's append-only file; another list:
 * clang ... '-DCALLS(C)=C(write, log_append) C(fdatasync, log_sync)'). Each pair is one program, named
 * <called>_from_<caller>, and one row of the map.
 *
 *	inlay hist wait_ns
 */
#include <inlay/inlay.bpf.h>

#ifndef CALLS
#define CALLS(C)                                                                                   \
	C(write, aofWrite)                                                                         \
	C(fdatasync, flushAppendOnlyFile)                                                          \
	C(fdatasync, bioProcessBackgroundJobs)
#endif

/* One name a pair: the map's keys read as "write_from_aofWrite" in `inlay dump`. */
#define ENUMERATOR(called, caller) CALL_##called##_from_##caller,
enum call_site { CALLS(ENUMERATOR) NR_CALL_SITES };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NR_CALL_SITES);
	__type(key, enum call_site);
	__type(value, struct inlay_hist);
} wait_ns SEC(".maps");

static const struct inlay_hist empty;

static __always_inline int measure(enum call_site site)
{
	__u64 *start = bpf_session_cookie();
	struct inlay_hist *hist;

	if (!bpf_session_is_return()) {
		*start = bpf_ktime_get_ns();
		return 0;
	}
	hist = inlay_map_lookup_or_init(&wait_ns, &site, &empty);
	if (hist)
		inlay_hist_add_shared(hist, bpf_ktime_get_ns() - *start);
	return 0;
}

#define TIME(called, caller)                                                                       \
	SEC("uprobe.session/libc.so.6:" #called)                                                   \
	INLAY_CALLER(#caller)                                                                      \
	int called##_from_##caller(struct pt_regs *ctx)                                            \
	{                                                                                          \
		return measure(CALL_##called##_from_##caller);                                   \
	}
CALLS(TIME)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
