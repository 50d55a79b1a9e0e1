/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The out-of-line half of rt/inline/current.h and random.h, and bpf_get_current_comm(). System
 * calls only, no libc wrapper that could cache or set errno.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inlay_rt_internal.h"
#include "rt/inline/clock.h"
#include "rt/inline/current.h"
#include "rt/inline/thread.h"
#include "rt/sys.h"

#define COMM_BYTES 16 /* TASK_COMM_LEN */

__thread struct inlay_thread __inlay_thread_v1 __attribute__((tls_model("initial-exec")));
struct inlay_process __inlay_process_v1 __attribute__((aligned(INLAY_PAGE_BYTES)));
__s64 __inlay_rseq_offset_v1;

static int epoch_is_kept; /* a fork child will find epoch 0 */
static const unsigned char *from_kernel; /* AT_RANDOM: 16 bytes */

/* glibc 2.35 and later; weak, because other libcs register no rseq for us to read */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static __u64 mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static __u64 random_seed(__u64 id)
{
	__u64 seed = mix(id) ^ mix(__inlay_counter());

	for (int i = 0; from_kernel && i < 16; i++)
		seed = mix(seed ^ from_kernel[i]);
	return seed;
}

/*
 * The epoch differs from every epoch that a thread's record may still hold from before a fork: else
 * a record would come back to life when another thread of the child sets the epoch first.
 */
static __u32 process_epoch(__u64 id)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED), mine;

	if (epoch || !__atomic_load_n(&epoch_is_kept, __ATOMIC_RELAXED))
		return epoch;
	mine = (__u32)mix(id ^ __inlay_counter()) | 1;
	if (__atomic_compare_exchange_n(&__inlay_process_v1.epoch, &epoch, mine, 0,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return mine;
	return epoch;
}

INLAY_COLD_CALL __u64 __inlay_thread_refresh_v1(void)
{
	__u64 id = (__u64)sys_getpid() << 32 | sys_gettid();

	inlay_process_check();
	__inlay_thread_v1.pid_tgid = id;
	__inlay_thread_v1.random = random_seed(id);
	/* a signal handler must not find the epoch before what it vouches for */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	__inlay_thread_v1.epoch = process_epoch(id);
	return id;
}

__u64 __inlay_uid_gid_v1(void)
{
	__u64 gid = (__u32)sys_call3(__NR_getgid, 0, 0, 0);

	return gid << 32 | (__u32)sys_call3(__NR_getuid, 0, 0, 0);
}

INLAY_COLD_CALL __u32 __inlay_cpu_slow_v1(void)
{
	__u32 cpu = 0;

	sys_call3(__NR_getcpu, &cpu, NULL, NULL);
	return cpu;
}

__s64 __inlay_get_numa_node_id_v1(void)
{
	__u32 node = 0;

	sys_call3(__NR_getcpu, NULL, &node, NULL);
	return node;
}

__s64 __inlay_get_current_comm_v1(void *dst, __u64 bytes)
{
	char comm[COMM_BYTES] = "", *to = dst;
	__u32 size = (__u32)bytes, n = 0;
	long err = sys_prctl(PR_GET_NAME, comm);

	if (!err && size)
		for (; n < size - 1 && n < COMM_BYTES && comm[n]; n++)
			to[n] = comm[n];
	for (; n < size; n++)
		to[n] = '\0';
	return err ? -EINVAL : 0;
}

void __inlay_owner_keep(__u32 owner)
{
	if (__atomic_load_n(&epoch_is_kept, __ATOMIC_RELAXED))
		__atomic_store_n(&__inlay_process_v1.owner, owner, __ATOMIC_RELAXED);
}

static void forget_process(void)
{
	__atomic_store_n(&__inlay_process_v1.owner, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&__inlay_process_v1.epoch, 0, __ATOMIC_RELAXED);
}

/*
 * Caching begins here: before, every question is a system call. The page is mapped afresh because
 * the kernel wipes anonymous mappings only, and the image's pages may be the file's.
 */
__attribute__((constructor)) static void current_start(void)
{
	void *page = &__inlay_process_v1;

	from_kernel = (const unsigned char *)getauxval(AT_RANDOM);
	if (&__rseq_size && __rseq_size > INLAY_RSEQ_CPU_ID)
		__inlay_rseq_offset_v1 = __rseq_offset;
	/* on larger pages it would wipe its neighbours */
	if ((getauxval(AT_PAGESZ) == INLAY_PAGE_BYTES &&
	     sys_mmap(page, sizeof(__inlay_process_v1), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) &&
	     sys_madvise(page, sizeof(__inlay_process_v1), MADV_WIPEONFORK) == 0) ||
	    pthread_atfork(NULL, NULL, forget_process) == 0)
		__atomic_store_n(&epoch_is_kept, 1, __ATOMIC_RELAXED);
}
