/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_trace_printk() and bpf_trace_vprintk(): lines of text into the segment's ring.
 */
#include <errno.h>

#include "rt/bprintf.h"
#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
#include "rt/inline/current.h"

#define NR_ARGS 3
#define TAKEOVER_LAPS 4u

/*
 * A record is its writer's from the compare-exchange to odd until the one to even. A writer that
 * died in between is given up after some laps; one that was only stopped finds its ticket gone.
 */
static void publish(struct inlay_trace *trace, const struct inlay_text *text)
{
	__u64 ticket = __atomic_fetch_add(&trace->next_ticket, 1, __ATOMIC_RELAXED);
	struct inlay_trace_record *r = &trace->records[ticket % INLAY_TRACE_RECORDS];
	__u64 seq = __atomic_load_n(&r->seq, __ATOMIC_RELAXED), mine = 2 * ticket + 1;
	__u32 n = text->length < sizeof(r->text) ? text->length : (__u32)sizeof(r->text);

	if ((__s64)(seq - mine) > 0)
		return; /* we were stopped for a lap: what lies there is newer */
	if (seq % 2 && mine - seq < 2ull * INLAY_TRACE_RECORDS * TAKEOVER_LAPS)
		return;
	if (!__atomic_compare_exchange_n(&r->seq, &seq, mine, 0, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	/* release: pairs with the reader's acquire fence between the record and its second look */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&r->time_ns, (__u64)__inlay_ktime_get_ns(), __ATOMIC_RELAXED);
	__atomic_store_n(&r->tid, (__u32)__inlay_get_current_pid_tgid(), __ATOMIC_RELAXED);
	/* of the whole text, so that readers see that it was cut */
	__atomic_store_n(&r->text_bytes, text->length, __ATOMIC_RELAXED);
	for (__u32 i = 0; i < n; i++)
		__atomic_store_n(&r->text[i], text->buf[i], __ATOMIC_RELAXED);
	/* release: pairs with the reader's acquire load of seq */
	__atomic_compare_exchange_n(&r->seq, &mine, mine + 1, 0, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
}

static __s64 trace(const void *fmt, __u64 fmt_bytes, const __u64 *args, __u32 nr_args)
{
	char buf[sizeof(((struct inlay_trace_record *)0)->text)];
	struct inlay_text text = { .buf = buf, .room = sizeof(buf) };
	struct inlay_trace *trace;
	int err = __inlay_bprintf(&text, fmt, (__u32)fmt_bytes, args, nr_args);

	if (err)
		return err;
	trace = __atomic_load_n(&__inlay_trace_v1, __ATOMIC_ACQUIRE); /* pairs with the start */
	if (trace)
		publish(trace, &text);
	return text.length;
}

__s64 __inlay_trace_printk_v1(const void *fmt, __u64 fmt_bytes, __u64 a1, __u64 a2, __u64 a3)
{
	const __u64 args[NR_ARGS] = { a1, a2, a3 };

	return trace(fmt, fmt_bytes, args, NR_ARGS);
}

__s64 __inlay_trace_vprintk_v1(const void *fmt, __u64 fmt_bytes, const void *args,
			       __u64 args_bytes)
{
	__u32 bytes = (__u32)args_bytes;

	if (bytes % 8 || bytes > INLAY_BPRINTF_MAX_ARGS * 8 || (bytes && !args))
		return -EINVAL;
	return trace(fmt, fmt_bytes, args, bytes / 8);
}
