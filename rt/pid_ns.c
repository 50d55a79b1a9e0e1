/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_ns_current_pid_tgid(): the process's and thread's ids, if dev and ino are those of the pid
 * namespace that it lives in. Which one that is never changes in a process.
 */
#include <errno.h>

#include "rt/inlay_rt.h"
#include "rt/inline/current.h"
#include "rt/sys.h"

struct pidns_info { /* struct bpf_pidns_info */
	__u32 pid, tgid;
};

static __u64 known_dev, known_ino;
static __u32 known_epoch;

/* What stat() of /proc/self/ns/pid says; the same without /proc, by an ioctl of Linux 6.11. */
static int ask(__u64 *ret_dev, __u64 *ret_ino)
{
	const __u64 get_pid_namespace = 0xff06; /* PIDFD_GET_PID_NAMESPACE */
	struct stat st;
	long fd, ns = -1;
	int err = sys_fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0);

	if (err) {
		fd = sys_call3(__NR_pidfd_open, sys_getpid(), 0, 0);
		if (fd < 0)
			return err;
		ns = sys_call3(__NR_ioctl, fd, get_pid_namespace, 0);
		sys_close((int)fd);
		if (ns < 0)
			return err;
		err = sys_fstat((int)ns, &st);
		sys_close((int)ns);
	}
	*ret_dev = st.st_dev;
	*ret_ino = st.st_ino;
	return err;
}

static int own_namespace(__u64 *ret_dev, __u64 *ret_ino)
{
	__u32 epoch = __atomic_load_n(&__inlay_process_v1.epoch, __ATOMIC_RELAXED);
	int err;

	/* acquire: pairs with the release below */
	if (epoch && epoch == __atomic_load_n(&known_epoch, __ATOMIC_ACQUIRE)) {
		*ret_dev = __atomic_load_n(&known_dev, __ATOMIC_RELAXED);
		*ret_ino = __atomic_load_n(&known_ino, __ATOMIC_RELAXED);
		return 0;
	}
	err = ask(ret_dev, ret_ino);
	if (err)
		return err;
	__atomic_store_n(&known_dev, *ret_dev, __ATOMIC_RELAXED);
	__atomic_store_n(&known_ino, *ret_ino, __ATOMIC_RELAXED);
	__atomic_store_n(&known_epoch, epoch, __ATOMIC_RELEASE);
	return 0;
}

__s64 __inlay_get_ns_current_pid_tgid_v1(__u64 dev, __u64 ino, void *dst, __u64 bytes)
{
	__u64 own_dev, own_ino, id;
	struct pidns_info info;

	if ((__u32)bytes != sizeof(info) || own_namespace(&own_dev, &own_ino) || dev != own_dev ||
	    ino != own_ino) {
		for (__u32 i = 0; i < (__u32)bytes; i++)
			((char *)dst)[i] = 0;
		return -EINVAL;
	}
	id = (__u64)__inlay_get_current_pid_tgid();
	info.pid = (__u32)id;
	info.tgid = (__u32)(id >> 32);
	__builtin_memcpy(dst, &info, sizeof(info));
	return 0;
}
