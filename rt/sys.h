/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls and byte loops of the runtime, straight from the instruction.
 *
 * Not through libc, for three reasons: errno must not change, a probed function must not be entered
 * from a probe (a target may define its own mmap() or memcpy()), and sanitizers must not intercept
 * what the runtime does to its own pages. Every wrapper returns the result or -errno.
 */
#ifndef INLAY_RT_SYS_H
#define INLAY_RT_SYS_H

#include <asm/unistd.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#if defined(__x86_64__)
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline char *sys_thread_pointer(void)
{
	char *tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}
#elif defined(__aarch64__)
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

static inline char *sys_thread_pointer(void)
{
	char *tp;

	__asm__("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}
#else
#error "Inlay's runtime knows x86-64 and aarch64"
#endif

#define SYS_ARG(a) ((long)(a))
#define sys_call3(nr, a, b, c) sys_call6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d) \
	sys_call6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)

static inline int sys_openat(int dir, const char *path, int flags, unsigned int mode)
{
	return (int)sys_call4(__NR_openat, dir, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)sys_call3(__NR_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *buf, size_t bytes)
{
	return sys_call3(__NR_read, fd, buf, bytes);
}

static inline long sys_pwrite(int fd, const void *buf, size_t bytes, uint64_t off)
{
	return sys_call4(__NR_pwrite64, fd, buf, bytes, off);
}

static inline long sys_fcntl(int fd, int cmd, long arg)
{
	return sys_call3(__NR_fcntl, fd, cmd, arg);
}

static inline int sys_fallocate(int fd, int mode, uint64_t off, uint64_t bytes)
{
	return (int)sys_call4(__NR_fallocate, fd, mode, off, bytes);
}

/* libc's struct stat is the kernel's on both architectures. */
static inline int sys_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return (int)sys_call4(__NR_newfstatat, dir, path, st, flags);
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return sys_fstatat(fd, "", st, AT_EMPTY_PATH);
}

static inline int sys_mkdir(const char *path, unsigned int mode)
{
	return (int)sys_call3(__NR_mkdirat, AT_FDCWD, path, mode);
}

static inline int sys_chmod(const char *path, unsigned int mode)
{
	return (int)sys_call3(__NR_fchmodat, AT_FDCWD, path, mode);
}

static inline int sys_fchmod(int fd, unsigned int mode)
{
	return (int)sys_call3(__NR_fchmod, fd, mode, 0);
}

static inline int sys_unlinkat(int dir, const char *path)
{
	return (int)sys_call3(__NR_unlinkat, dir, path, 0);
}

static inline int sys_rename_new(int dir, const char *from, const char *to)
{
	return (int)sys_call6(__NR_renameat2, dir, SYS_ARG(from), dir, SYS_ARG(to),
			      1 /* RENAME_NOREPLACE */, 0);
}

static inline long sys_readlink(const char *path, char *buf, size_t bytes)
{
	return sys_call4(__NR_readlinkat, AT_FDCWD, path, buf, bytes);
}

static inline long sys_getcwd(char *buf, size_t bytes)
{
	return sys_call3(__NR_getcwd, buf, bytes, 0);
}

static inline int sys_memfd_create(const char *name, unsigned int flags)
{
	return (int)sys_call3(__NR_memfd_create, name, flags, 0);
}

/* NULL on failure: the zero page is never wanted here. */
static inline void *sys_mmap(void *addr, uint64_t bytes, int prot, int flags, int fd, uint64_t off)
{
	long ret = sys_call6(__NR_mmap, SYS_ARG(addr), SYS_ARG(bytes), prot, flags, fd,
			     SYS_ARG(off));

	return ret < 0 && ret > -4096 ? NULL : (void *)ret;
}

static inline int sys_munmap(void *addr, uint64_t bytes)
{
	return (int)sys_call3(__NR_munmap, addr, bytes, 0);
}

static inline int sys_madvise(void *addr, uint64_t bytes, int advice)
{
	return (int)sys_call3(__NR_madvise, addr, bytes, advice);
}

static inline uint32_t sys_getpid(void)
{
	return (uint32_t)sys_call3(__NR_getpid, 0, 0, 0);
}

static inline uint32_t sys_gettid(void)
{
	return (uint32_t)sys_call3(__NR_gettid, 0, 0, 0);
}

static inline uint32_t sys_geteuid(void)
{
	return (uint32_t)sys_call3(__NR_geteuid, 0, 0, 0);
}

static inline int sys_tgkill(uint32_t pid, uint32_t tid, int sig)
{
	return (int)sys_call3(__NR_tgkill, pid, tid, sig);
}

static inline long sys_prctl(int option, void *arg)
{
	return sys_call3(__NR_prctl, option, arg, 0);
}

struct sys_rlimit {
	uint64_t soft, hard;
};

static inline int sys_getrlimit(int resource, struct sys_rlimit *ret_limit)
{
	return (int)sys_call4(__NR_prlimit64, 0, resource, NULL, ret_limit);
}

struct sys_timespec {
	int64_t sec, nsec;
};

static inline int sys_clock_gettime(int clock, struct sys_timespec *ts)
{
	return (int)sys_call3(__NR_clock_gettime, clock, ts, 0);
}

static inline int sys_nanosleep(const struct sys_timespec *ts)
{
	return (int)sys_call3(__NR_nanosleep, ts, 0, 0);
}

/*
 * A signal set of libc's from the kernel's 64 bits; not by sigemptyset(), and word by word, as a
 * handler may need it.
 */
static inline void sys_set_bits(sigset_t *ret_set, uint64_t bits)
{
	uint64_t *words = (uint64_t *)ret_set;
	size_t i;

	words[0] = bits;
	for (i = 1; i < sizeof(*ret_set) / sizeof(*words); i++)
		words[i] = 0;
}

/* ---- bytes and strings: the file is compiled so that these stay loops ------------------- */

static inline size_t str_bytes(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Copies what fits and always ends with NUL; returns the bytes copied without it. */
static inline size_t str_copy(char *dst, size_t dst_bytes, const char *src)
{
	size_t n = 0;

	if (!dst_bytes)
		return 0;
	for (; n + 1 < dst_bytes && src[n]; n++)
		dst[n] = src[n];
	dst[n] = '\0';
	return n;
}

static inline size_t str_append(char *dst, size_t dst_bytes, const char *src)
{
	size_t n = str_bytes(dst);

	return n + str_copy(dst + n, dst_bytes - n, src);
}

static inline void str_append_u64(char *dst, size_t dst_bytes, uint64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	str_append(dst, dst_bytes, digits + at);
}

static inline const char *str_base(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

static inline bool bytes_equal(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	while (n && *x == *y)
		x++, y++, n--;
	return !n;
}

#endif /* INLAY_RT_SYS_H */
