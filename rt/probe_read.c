/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_probe_read(), bpf_probe_read_user() and their string forms: results, lengths and the buffer
 * after a fault are the kernel's (mm/maccess.c, kernel/trace/bpf_trace.c). The unqualified helpers
 * try both address spaces in the kernel; here there is one.
 */
#include <errno.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/probe_copy.h"

/* TASK_SIZE_MAX: behind it even an empty read fails */
#if defined(__x86_64__)
#define USER_END 0x7ffffffff000ull
#else
#define USER_END (1ull << 48)
#endif

/* x86: addresses of 48 bits, sign-extended (a kernel on a processor with 57 says -EFAULT of some more); the
 * page of vsyscall is not to be read */
int __inlay_kernel_read_error(__u64 addr)
{
#if defined(__x86_64__)
	if (addr >> 47 != 0x1ffff || addr >> 12 == 0xffffffffff600ull)
		return -ERANGE;
#else
	if (!(addr >> 55 & 1))
		return -ERANGE;
#endif
	return -EFAULT;
}

/* How often a thread looks whether its handlers are still in place, and its process the same. */
#define READS_PER_CHECK 1024u

static __thread __u32 reads_left __attribute__((tls_model("initial-exec")));

static __attribute__((noinline, cold)) int check(void)
{
	inlay_process_check();
	if (!__inlay_fault_check())
		return 0;
	reads_left = READS_PER_CHECK - 1;
	return 1;
}

static inline int is_guarded(void)
{
	if (__builtin_expect(reads_left != 0, 1)) {
		reads_left--;
		return 1;
	}
	return check();
}

int __inlay_read_is_guarded(void)
{
	return is_guarded();
}

static __attribute__((noinline, cold)) __s64 failed(char *dst, __u32 bytes)
{
	for (__u32 i = 0; i < bytes; i++)
		dst[i] = 0;
	return -EFAULT;
}

__s64 __inlay_probe_read_user_v1(void *dst, __u64 bytes, __u64 addr)
{
	__u32 size = (__u32)bytes;
	long ret;

	if (__builtin_expect(size == 0, 0))
		return addr <= USER_END ? 0 : -EFAULT;
	ret = is_guarded() ? __inlay_copy(dst, addr, size) : __inlay_read_by_call(dst, addr, size);
	return __builtin_expect(ret < 0, 0) ? failed(dst, size) : 0;
}

__s64 __inlay_probe_read_user_str_v1(void *dst, __u64 bytes, __u64 addr)
{
	__u32 size = (__u32)bytes;
	long ret;

	if (__builtin_expect(size == 0, 0))
		return 0;
	ret = is_guarded() ? __inlay_copy_string(dst, addr, size) :
			     __inlay_read_string_by_call(dst, addr, size);
	if (__builtin_expect(ret < 0, 0))
		return failed(dst, size);
	if (ret < (long)size)
		return ret + 1;
	((char *)dst)[size - 1] = '\0';
	return size;
}

/* May sleep in the kernel; here that is the machine's page fault. Unlike a probe read of nothing, it
 * never fails where nothing is read. */
__s64 __inlay_copy_from_user_v1(void *dst, __u64 bytes, __u64 addr)
{
	return (__u32)bytes ? __inlay_probe_read_user_v1(dst, bytes, addr) : 0;
}

#define PAD_ZEROS 1u /* BPF_F_PAD_ZEROS */

/* The bytes behind what could be read stay as they are, without PAD_ZEROS. */
__s64 __inlay_bpf_copy_from_user_str_v1(void *dst, __u64 bytes, __u64 addr, __u64 flags)
{
	__u32 size = (__u32)bytes;
	char *to = dst;
	long n = 0;

	if (flags & ~(__u64)PAD_ZEROS)
		return -EINVAL;
	if (!size)
		return 0;
	if (size > 1)
		n = is_guarded() ? __inlay_copy_string(dst, addr, size - 1)
				 : __inlay_read_string_by_call(dst, addr, size - 1);
	if (n < 0)
		return flags ? failed(dst, size) : -EFAULT;
	to[n] = '\0';
	for (__u32 i = (__u32)n; flags && i < size; i++)
		to[i] = '\0';
	return n + 1;
}

/* An address of a thread's view, where bpf_get_current_task() leads: no process has memory there. */
static inline int is_of_task(__u64 addr)
{
	return addr - INLAY_TASK_BASE < INLAY_TASK_TIDS << INLAY_TASK_SHIFT;
}

static __attribute__((noinline, cold)) __s64 read_task(char *dst, __u32 size, __u64 addr)
{
	if (!size)
		return 0;
	return __inlay_task_read(dst, addr, size) ? failed(dst, size) : 0;
}

static __attribute__((noinline, cold)) __s64 read_task_string(char *dst, __u32 size, __u64 addr)
{
	long n;

	if (!size)
		return 0;
	n = __inlay_task_read_string(dst, addr, size);
	if (n < 0)
		return failed(dst, size);
	if (n < (long)size)
		return n + 1;
	dst[size - 1] = '\0';
	return size;
}

/*
 * A process has no kernel memory, and the kernel's addresses fault, but for those of views. What else
 * programs read through the forms for the kernel is their ctx (BPF_CORE_READ), and bpfcc makes
 * plain loads of that.
 */
__s64 __inlay_probe_read_v1(void *dst, __u64 bytes, __u64 addr)
{
	if (__builtin_expect(is_of_task(addr), 0))
		return read_task(dst, (__u32)bytes, addr);
	return __inlay_probe_read_user_v1(dst, bytes, addr);
}

__s64 __inlay_probe_read_str_v1(void *dst, __u64 bytes, __u64 addr)
{
	if (__builtin_expect(is_of_task(addr), 0))
		return read_task_string(dst, (__u32)bytes, addr);
	return __inlay_probe_read_user_str_v1(dst, bytes, addr);
}

__s64 __inlay_probe_read_kernel_v1(void *dst, __u64 bytes, __u64 addr)
{
	__s64 ret = __inlay_probe_read_v1(dst, bytes, addr);

	return __builtin_expect(ret < 0, 0) ? __inlay_kernel_read_error(addr) : ret;
}

__s64 __inlay_probe_read_kernel_str_v1(void *dst, __u64 bytes, __u64 addr)
{
	__s64 ret = __inlay_probe_read_str_v1(dst, bytes, addr);

	return __builtin_expect(ret < 0, 0) ? __inlay_kernel_read_error(addr) : ret;
}
