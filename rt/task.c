/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads through what bpf_get_current_task() gives: the view of a thread (struct inlay_task_view), made
 * when it is read, of what the process can know. Nothing of it is ever in memory, so nothing can be
 * stale after a fork, and another process's addresses mean nothing here.
 *
 * Own threads have all of it (where its variables are only the asking one), the parent its ids and its
 * name. Everything else is -EFAULT.
 */
#include <errno.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/current.h"
#include "rt/sys.h"

#define PATH_BYTES 48

static __u64 view_of(__u32 tid)
{
	return INLAY_TASK_BASE + ((__u64)tid << INLAY_TASK_SHIFT);
}

/* A range of a view's bytes, and what has been asked for in it. */
struct range {
	__u64 from, to;
};

static int wants(const struct range *range, __u64 offset, __u64 bytes)
{
	return range->from < offset + bytes && offset < range->to;
}

#define WANTS(range, member) \
	wants(range, offsetof(struct inlay_task_view, member), \
	      sizeof(((struct inlay_task_view *)0)->member))

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	*to = '\0';
	return to;
}

static char *put_number(char *to, __u32 n)
{
	char digits[12], *d = digits + sizeof(digits) - 1;

	*d = '\0';
	do
		*--d = (char)('0' + n % 10);
	while (n /= 10);
	return put(to, d);
}

/* Of a thread group's first thread: the file of the process is its own. */
static int read_comm(__u8 comm[INLAY_TASK_COMM_BYTES], __u32 tgid)
{
	char path[PATH_BYTES];
	long n;
	int fd;

	put(put_number(put(path, "/proc/"), tgid), "/comm");
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -EFAULT;
	n = sys_read(fd, comm, INLAY_TASK_COMM_BYTES);
	sys_close(fd);
	if (n <= 0)
		return -EFAULT;
	/* the name ends in a newline; the kernel pads it with NULs */
	for (long i = n - 1; i < INLAY_TASK_COMM_BYTES; i++)
		comm[i] = '\0';
	return 0;
}

static int read_namespaces(struct inlay_task_view *view, const struct range *range)
{
	static const char names[INLAY_TASK_NR_NS][20] = {
		[INLAY_TASK_NS_UTS] = "uts",	 [INLAY_TASK_NS_IPC] = "ipc",
		[INLAY_TASK_NS_MNT] = "mnt",	 [INLAY_TASK_NS_PID] = "pid_for_children",
		[INLAY_TASK_NS_NET] = "net",	 [INLAY_TASK_NS_TIME] = "time",
		[INLAY_TASK_NS_CGROUP] = "cgroup",
	};
	char path[PATH_BYTES], *end = put(path, "/proc/thread-self/ns/");
	struct stat st;

	for (int i = 0; i < INLAY_TASK_NR_NS; i++) {
		if (!wants(range, offsetof(struct inlay_task_view, ns[i]), sizeof(view->ns[i])))
			continue;
		put(end, names[i]);
		if (sys_fstatat(AT_FDCWD, path, &st, 0))
			return -EFAULT;
		view->ns[i].inum = (__u32)st.st_ino;
	}
	return 0;
}

static int read_cred(struct inlay_task_cred *cred)
{
	__u32 r, e, s;

	if (sys_call3(__NR_getresuid, &r, &e, &s))
		return -EFAULT;
	cred->uid = r;
	cred->euid = e;
	cred->suid = s;
	if (sys_call3(__NR_getresgid, &r, &e, &s))
		return -EFAULT;
	cred->gid = r;
	cred->egid = e;
	cred->sgid = s;
	return 0;
}

/* What leads on: a thread's own view holds everything that its pointers lead to. */
static void make_pointers(struct inlay_task_view *view, __u64 here, const struct range *range)
{
	if (WANTS(range, real_parent) || WANTS(range, parent))
		view->real_parent = view->parent = view_of((__u32)sys_call3(__NR_getppid, 0, 0, 0));
	view->group_leader = view_of(view->tgid);
	view->nsproxy = here + offsetof(struct inlay_task_view, nsproxy_ns);
	view->thread_pid = here + offsetof(struct inlay_task_view, own_pid);
	view->cred = here + offsetof(struct inlay_task_view, own_cred);
	for (__u64 i = 0; i < INLAY_TASK_NR_NS; i++)
		view->nsproxy_ns[i] = here + offsetof(struct inlay_task_view, ns[i]);
	view->own_pid.nr = view->pid;
	view->own_pid.ns = view->nsproxy_ns[INLAY_TASK_NS_PID];
}

static int make_own(struct inlay_task_view *view, __u32 tid, __u64 id, const struct range *range)
{
	int err = 0;

	view->pid = tid;
	view->tgid = (__u32)(id >> 32);
	make_pointers(view, view_of(tid), range);
	if (WANTS(range, comm)) {
		if (tid == (__u32)id)
			err = (int)__inlay_get_current_comm_v1(view->comm, sizeof(view->comm));
		else
			err = read_comm(view->comm, tid);
	}
	if (!err && WANTS(range, own_cred))
		err = read_cred(&view->own_cred);
	if (!err && WANTS(range, ns))
		err = read_namespaces(view, range);
	/* of the asking thread only: another's register is the kernel's to know */
	if (!err && WANTS(range, thread)) {
		err = tid == (__u32)id ? 0 : -EFAULT;
		view->thread = (__u64)sys_thread_pointer();
	}
	return err;
}

/* A process of which not even the parent is known: in another namespace it is 0, as getppid() says. */
static int make_parent(struct inlay_task_view *view, __u32 tid, const struct range *range)
{
	__u64 here = view_of(tid);

	if (WANTS(range, real_parent) || WANTS(range, parent) || WANTS(range, nsproxy) ||
	    WANTS(range, cred) || WANTS(range, nsproxy_ns) || WANTS(range, own_cred) ||
	    WANTS(range, ns) || WANTS(range, thread) ||
	    (__u32)sys_call3(__NR_getppid, 0, 0, 0) != tid)
		return -EFAULT;
	view->pid = view->tgid = view->own_pid.nr = tid;
	view->group_leader = here;
	view->thread_pid = here + offsetof(struct inlay_task_view, own_pid);
	return WANTS(range, comm) ? read_comm(view->comm, tid) : 0;
}

/* Finds the bytes [addr, addr + bytes) of a view; NULL: there are none. */
static const char *make(struct inlay_task_view *view, __u64 addr, __u64 bytes)
{
	__u64 id = (__u64)__inlay_get_current_pid_tgid(), off = addr - INLAY_TASK_BASE;
	__u32 tid = (__u32)(off >> INLAY_TASK_SHIFT);
	struct range range = { .from = off & ((1u << INLAY_TASK_SHIFT) - 1) };
	int err;

	if (off >> INLAY_TASK_SHIFT >= INLAY_TASK_TIDS || bytes > sizeof(*view) - range.from ||
	    range.from > sizeof(*view))
		return NULL;
	range.to = range.from + bytes;
	/* not by an initialiser, which would be a call of memset() */
	for (__u64 i = 0; i < sizeof(*view); i++)
		((char *)view)[i] = 0;
	if (tid == (__u32)id || tid == id >> 32)
		err = make_own(view, tid, id, &range);
	else
		err = make_parent(view, tid, &range);
	return err ? NULL : (const char *)view + range.from;
}

int __inlay_task_read(void *dst, __u64 addr, __u64 bytes)
{
	struct inlay_task_view view;
	const char *from = make(&view, addr, bytes);

	if (!from)
		return -EFAULT;
	for (__u64 i = 0; i < bytes; i++)
		((char *)dst)[i] = from[i];
	return 0;
}

/* Of the name alone, which has a NUL: the length without it, or `bytes`. */
long __inlay_task_read_string(char *dst, __u64 addr, __u64 bytes)
{
	const __u64 end = offsetof(struct inlay_task_view, comm) + INLAY_TASK_COMM_BYTES;
	__u64 at = (addr - INLAY_TASK_BASE) & ((1u << INLAY_TASK_SHIFT) - 1), n = 0;
	struct inlay_task_view view;
	const char *from;

	if (at < offsetof(struct inlay_task_view, comm) || at >= end)
		return -EFAULT;
	from = make(&view, addr, end - at);
	if (!from)
		return -EFAULT;
	while (n < bytes && n < end - at && from[n]) {
		dst[n] = from[n];
		n++;
	}
	if (n < bytes)
		dst[n] = '\0';
	return (long)n;
}
