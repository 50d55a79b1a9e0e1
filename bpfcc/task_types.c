/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's structures of which a process can know something, as types for CO-RE: what
 * bpf_get_current_task() leads to (struct inlay_task_view in abi.h is their layout), and what system
 * calls are given, which lies in the process as in the kernel. A member that is not here does not exist,
 * and a program that reads it is refused.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "bpfcc/core_types.h"
#include "bpfcc/loader.h"
#include "inlay/abi.h"

/* Types by number in the BTF that is made here; a structure's is its row below plus FIRST_STRUCT. */
enum {
	INT = 1,
	CHAR,
	LONG,
	COMM,
	ID,
	UPIDS,
	WORD,
	SHORT,
	SA_DATA,
	SUN_PATH,
	ADDR8,
	ADDR16,
	ADDR32,
	FIRST_STRUCT
};
enum {
	TASK_STRUCT,
	CRED,
	NSPROXY,
	PID,
	UPID,
	NS_COMMON,
	KUID_T,
	THREAD_STRUCT,
	THREAD_UW,	/* arm64's */
	SOCKADDR,
	SOCKADDR_IN,
	SOCKADDR_IN6,
	SOCKADDR_UN,
	IN_ADDR,
	IN6_ADDR,
	IN6_U,
	IOVEC,
	MSGHDR,
	FIRST_NS,	/* uts_namespace and so on, in the order of enum inlay_task_ns_kind */
};

struct member {
	int owner;
	const char *name;
	int type;	/* a number of the first enumeration, or -1 - a structure's */
	size_t offset;
	enum { ANY, X86, ARM64 } machine;
};

#define STRUCT(s) (-1 - (s))
#define TASK(name, type) {TASK_STRUCT, #name, type, offsetof(struct inlay_task_view, name), ANY}
#define NS_POINTER(name, kind) {NSPROXY, #name, LONG, 8 * (kind), ANY}
/* of what a process hands to the kernel: both have the same layout */
#define SHARED(owner, type, name, as) {owner, #name, as, offsetof(struct type, name), ANY}
#define CRED_ID(name, as) {CRED, #name, STRUCT(KUID_T), offsetof(struct inlay_task_cred, as), ANY}

/*
 * Offsets of a structure behind a pointer count from where the pointer leads. Pointers are numbers
 * here: an address of a view cannot be used but by reading through it.
 */
static const struct member members[] = {
	TASK(pid, INT),
	TASK(tgid, INT),
	TASK(comm, COMM),
	TASK(real_parent, LONG),
	TASK(parent, LONG),
	TASK(group_leader, LONG),
	TASK(nsproxy, LONG),
	TASK(thread_pid, LONG),
	TASK(cred, LONG),
	{TASK_STRUCT, "real_cred", LONG, offsetof(struct inlay_task_view, cred), ANY},
	TASK(thread, STRUCT(THREAD_STRUCT)),
	CRED_ID(uid, uid),
	CRED_ID(gid, gid),
	CRED_ID(suid, suid),
	CRED_ID(sgid, sgid),
	CRED_ID(euid, euid),
	CRED_ID(egid, egid),
	NS_POINTER(uts_ns, INLAY_TASK_NS_UTS),
	NS_POINTER(ipc_ns, INLAY_TASK_NS_IPC),
	NS_POINTER(mnt_ns, INLAY_TASK_NS_MNT),
	NS_POINTER(pid_ns_for_children, INLAY_TASK_NS_PID),
	NS_POINTER(net_ns, INLAY_TASK_NS_NET),
	NS_POINTER(time_ns, INLAY_TASK_NS_TIME),
	NS_POINTER(cgroup_ns, INLAY_TASK_NS_CGROUP),
	{PID, "level", INT, offsetof(struct inlay_task_pid, level), ANY},
	{PID, "numbers", UPIDS, offsetof(struct inlay_task_pid, nr), ANY},
	{UPID, "nr", INT, 0, ANY},
	{UPID, "ns", LONG, offsetof(struct inlay_task_pid, ns) - offsetof(struct inlay_task_pid, nr),
	 ANY},
	{NS_COMMON, "inum", ID, offsetof(struct inlay_task_ns, inum), ANY},
	{KUID_T, "val", ID, 0, ANY},
	{THREAD_STRUCT, "fsbase", WORD, 0, X86},
	{THREAD_STRUCT, "uw", STRUCT(THREAD_UW), 0, ARM64},
	{THREAD_UW, "tp_value", WORD, 0, ARM64},
	SHARED(SOCKADDR, sockaddr, sa_family, SHORT),
	SHARED(SOCKADDR, sockaddr, sa_data, SA_DATA),
	SHARED(SOCKADDR_IN, sockaddr_in, sin_family, SHORT),
	SHARED(SOCKADDR_IN, sockaddr_in, sin_port, SHORT),
	SHARED(SOCKADDR_IN, sockaddr_in, sin_addr, STRUCT(IN_ADDR)),
	SHARED(SOCKADDR_IN6, sockaddr_in6, sin6_family, SHORT),
	SHARED(SOCKADDR_IN6, sockaddr_in6, sin6_port, SHORT),
	SHARED(SOCKADDR_IN6, sockaddr_in6, sin6_flowinfo, ID),
	SHARED(SOCKADDR_IN6, sockaddr_in6, sin6_addr, STRUCT(IN6_ADDR)),
	SHARED(SOCKADDR_IN6, sockaddr_in6, sin6_scope_id, ID),
	SHARED(SOCKADDR_UN, sockaddr_un, sun_family, SHORT),
	SHARED(SOCKADDR_UN, sockaddr_un, sun_path, SUN_PATH),
	SHARED(IN_ADDR, in_addr, s_addr, ID),
	{IN6_ADDR, "in6_u", STRUCT(IN6_U), 0, ANY},
	{IN6_U, "u6_addr8", ADDR8, 0, ANY},
	{IN6_U, "u6_addr16", ADDR16, 0, ANY},
	{IN6_U, "u6_addr32", ADDR32, 0, ANY},
	SHARED(IOVEC, iovec, iov_base, LONG),
	SHARED(IOVEC, iovec, iov_len, WORD),
	SHARED(MSGHDR, msghdr, msg_name, LONG),
	SHARED(MSGHDR, msghdr, msg_namelen, INT),
	SHARED(MSGHDR, msghdr, msg_iov, LONG),
	SHARED(MSGHDR, msghdr, msg_iovlen, WORD),
	SHARED(MSGHDR, msghdr, msg_control, LONG),
	SHARED(MSGHDR, msghdr, msg_controllen, WORD),
	SHARED(MSGHDR, msghdr, msg_flags, ID),
};

static const struct {
	const char *name;
	uint32_t bytes;
} structs[] = {
	[TASK_STRUCT] = {"task_struct", sizeof(struct inlay_task_view)},
	[CRED] = {"cred", sizeof(struct inlay_task_cred)},
	[NSPROXY] = {"nsproxy", 8 * INLAY_TASK_NR_NS},
	[PID] = {"pid", sizeof(struct inlay_task_pid)},
	[UPID] = {"upid", 16},
	[NS_COMMON] = {"ns_common", offsetof(struct inlay_task_ns, level)},
	[KUID_T] = {NULL, 4},
	[THREAD_STRUCT] = {"thread_struct", sizeof(((struct inlay_task_view *)0)->thread)},
	[THREAD_UW] = {NULL, sizeof(((struct inlay_task_view *)0)->thread)},
	[SOCKADDR] = {"sockaddr", sizeof(struct sockaddr)},
	[SOCKADDR_IN] = {"sockaddr_in", sizeof(struct sockaddr_in)},
	[SOCKADDR_IN6] = {"sockaddr_in6", sizeof(struct sockaddr_in6)},
	[SOCKADDR_UN] = {"sockaddr_un", sizeof(struct sockaddr_un)},
	[IN_ADDR] = {"in_addr", sizeof(struct in_addr)},
	[IN6_ADDR] = {"in6_addr", sizeof(struct in6_addr)},
	[IN6_U] = {NULL, sizeof(struct in6_addr)},
	[IOVEC] = {"iovec", sizeof(struct iovec)},
	[MSGHDR] = {"user_msghdr", sizeof(struct msghdr)},
	[FIRST_NS + INLAY_TASK_NS_UTS] = {"uts_namespace", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_IPC] = {"ipc_namespace", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_MNT] = {"mnt_namespace", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_PID] = {"pid_namespace", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_NET] = {"net", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_TIME] = {"time_namespace", sizeof(struct inlay_task_ns)},
	[FIRST_NS + INLAY_TASK_NS_CGROUP] = {"cgroup_namespace", sizeof(struct inlay_task_ns)},
};
enum { NR_STRUCTS = sizeof(structs) / sizeof(structs[0]) };

static int add_field(struct btf *btf, const char *name, int type, size_t offset)
{
	int id = type < 0 ? FIRST_STRUCT - type - 1 : type;

	return btf__add_field(btf, name, id, (uint32_t)offset * 8, 0);
}

static bool is_of(const struct bpfcc_loader *l, const struct member *m, int s)
{
	return m->owner == s && (m->machine == ANY || m->machine == (l->is_arm64 ? ARM64 : X86));
}

static int add_struct(const struct bpfcc_loader *l, struct btf *btf, int s)
{
	int err = s == IN6_U ? btf__add_union(btf, NULL, structs[s].bytes) :
			       btf__add_struct(btf, structs[s].name, structs[s].bytes);

	for (size_t i = 0; err >= 0 && i < sizeof(members) / sizeof(members[0]); i++)
		if (is_of(l, &members[i], s))
			err = add_field(btf, members[i].name, members[i].type, members[i].offset);
	if (err >= 0 && s >= FIRST_NS)
		err = add_field(btf, "ns", STRUCT(NS_COMMON), 0);
	if (err >= 0 && s == FIRST_NS + INLAY_TASK_NS_PID)
		err = add_field(btf, "level", ID, offsetof(struct inlay_task_ns, level));
	return err;
}

static int add_types(const struct bpfcc_loader *l, struct btf *btf)
{
	int err = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	if (err > 0)
		err = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	if (err > 0)
		err = btf__add_ptr(btf, 0);	/* LONG */
	if (err > 0)
		err = btf__add_array(btf, INT, CHAR, INLAY_TASK_COMM_BYTES);
	if (err > 0)
		err = btf__add_int(btf, "unsigned int", 4, 0);
	if (err > 0)
		err = btf__add_array(btf, INT, FIRST_STRUCT + UPID, 1);
	if (err > 0)
		err = btf__add_int(btf, "unsigned long", 8, 0);
	if (err > 0)
		err = btf__add_int(btf, "unsigned short", 2, 0);
	if (err > 0)
		err = btf__add_array(btf, INT, CHAR, sizeof(((struct sockaddr *)0)->sa_data));
	if (err > 0)
		err = btf__add_array(btf, INT, CHAR, sizeof(((struct sockaddr_un *)0)->sun_path));
	if (err > 0)
		err = btf__add_array(btf, INT, CHAR, 16);
	if (err > 0)
		err = btf__add_array(btf, INT, SHORT, 8);
	if (err > 0)
		err = btf__add_array(btf, INT, ID, 4);
	for (int s = 0; err > 0 && s < NR_STRUCTS; s++) {
		err = add_struct(l, btf, s);
		err = err < 0 ? err : 1;
	}
	return err < 0 ? err : bpfcc_add_kernel_enums(btf);
}

/* A row of structs[], or -1. */
static int struct_of(const char *name)
{
	size_t bytes = bpfcc_core_name_bytes(name);

	for (int s = 0; s < NR_STRUCTS; s++)
		if (structs[s].name && strlen(structs[s].name) == bytes &&
		    !memcmp(name, structs[s].name, bytes))
			return s;
	return -1;
}

bool bpfcc_is_task_type(const char *name)
{
	return struct_of(name) >= 0;
}

bool bpfcc_is_shared_type(const char *name)
{
	int s = struct_of(name);

	return s >= SOCKADDR && s <= MSGHDR;
}

const char *bpfcc_task_members(struct bpfcc_loader *l, const char *name)
{
	int s = struct_of(name);
	const char *text = s < FIRST_NS ? NULL : s == FIRST_NS + INLAY_TASK_NS_PID ? "ns, level" : "ns";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!is_of(l, &members[i], s))
			continue;
		text = text ? bpfcc_arena_printf(l->arena, "%s, %s", text, members[i].name) :
			      members[i].name;
		if (!text)
			return "(out of memory)";
	}
	return text ? text : "nothing";
}

int bpfcc_task_types(struct bpfcc_loader *l)
{
	int err;

	if (l->tasks)
		return 0;
	l->tasks = btf__new_empty();
	if (!l->tasks)
		return -ENOMEM;
	err = add_types(l, l->tasks);
	if (err) {
		btf__free(l->tasks);
		l->tasks = NULL;
	}
	return err;
}
