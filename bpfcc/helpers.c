/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper table, from rt/helpers.def, and the kernel's names of the helpers that Inlay lacks.
 */
#include "bpfcc/helpers.h"

#include <stddef.h>
#include <string.h>

#include <linux/bpf.h>

#define F_FRAME BPFCC_HELPER_F_FRAME
#define F_GPL BPFCC_HELPER_F_GPL
#define F_OVERRIDE BPFCC_HELPER_F_OVERRIDE
#define F_CTX_NULL BPFCC_HELPER_F_CTX_NULL
#define F_VARIADIC_SCALARS BPFCC_HELPER_F_VARIADIC_SCALARS
#define F_WRITE BPFCC_HELPER_F_WRITE
#define F_SIZED BPFCC_HELPER_F_SIZED
#define F_SLEEPABLE BPFCC_HELPER_F_SLEEPABLE
#define F_OURS BPFCC_HELPER_F_OURS
#define F_SESSION BPFCC_HELPER_F_SESSION

#define HAS(arg) (BPFCC_ARG_##arg != BPFCC_ARG_NONE)

static const struct bpfcc_helper helpers[] = {
#define INLAY_HELPER(id_, name_, class_, ret_, a1, a2, a3, a4, a5, flags_)                         \
	{.id = id_,                                                                                \
	 .kfunc = BPFCC_KFUNC_NONE,                                                                \
	 .name = #name_,                                                                           \
	 .class = BPFCC_HELPER_##class_,                                                           \
	 .ret = BPFCC_RET_##ret_,                                                                  \
	 .args = {BPFCC_ARG_##a1, BPFCC_ARG_##a2, BPFCC_ARG_##a3, BPFCC_ARG_##a4, BPFCC_ARG_##a5}, \
	 .nr_args = HAS(a1) + HAS(a2) + HAS(a3) + HAS(a4) + HAS(a5),                               \
	 .flags = flags_},
#define INLAY_LOWERED(id_, name_, ret_, a1, a2, a3, a4, a5, flags_)                                \
	INLAY_HELPER(id_, name_, LOWERED, ret_, a1, a2, a3, a4, a5, flags_)
#define INLAY_ABSENT(id_, name_, ret_, a1, a2, a3, a4, a5, flags_)                                 \
	INLAY_HELPER(id_, name_, ABSENT, ret_, a1, a2, a3, a4, a5, flags_)
#include "rt/helpers.def"
};

static const struct bpfcc_helper kfuncs[] = {
#define INLAY_HELPER(...)
#define INLAY_KFUNC(name_, class_, ret_, a1, a2, a3, a4, a5, flags_)                               \
	{.kfunc = BPFCC_KFUNC_##name_,                                                             \
	 .name = #name_,                                                                           \
	 .class = BPFCC_HELPER_##class_,                                                           \
	 .ret = BPFCC_RET_##ret_,                                                                  \
	 .args = {BPFCC_ARG_##a1, BPFCC_ARG_##a2, BPFCC_ARG_##a3, BPFCC_ARG_##a4, BPFCC_ARG_##a5}, \
	 .nr_args = HAS(a1) + HAS(a2) + HAS(a3) + HAS(a4) + HAS(a5),                               \
	 .flags = flags_},
#include "rt/helpers.def"
};

const char bpfcc_helpers_abi[] =
#define INLAY_HELPER(...) #__VA_ARGS__ ";"
#define INLAY_LOWERED(...) #__VA_ARGS__ ";"
#define INLAY_KFUNC(...) #__VA_ARGS__ ";"
#include "rt/helpers.def"
	;

#define NR(array) (sizeof(array) / sizeof((array)[0]))

const struct bpfcc_helper *bpfcc_helper_row(uint32_t row)
{
	if (row < NR(helpers))
		return &helpers[row];
	row -= NR(helpers);
	return row < NR(kfuncs) ? &kfuncs[row] : NULL;
}

const struct bpfcc_helper *bpfcc_helper_by_id(int32_t id)
{
	for (size_t i = 0; i < NR(helpers); i++)
		if (helpers[i].id == id)
			return &helpers[i];
	return NULL;
}

const struct bpfcc_helper *bpfcc_kfunc_by_index(int32_t index)
{
	if (index < 0 || (size_t)index >= NR(kfuncs))
		return NULL;
	return &kfuncs[index];
}

int bpfcc_kfunc_index(const char *name)
{
	for (size_t i = 0; i < NR(kfuncs); i++)
		if (!strcmp(kfuncs[i].name, name))
			return (int)i;
	return -1;
}

const char *bpfcc_helper_absent_reason(const struct bpfcc_helper *helper)
{
	switch (helper->id) {
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_task_storage_get:
	case BPF_FUNC_task_storage_delete:
	case BPF_FUNC_task_pt_regs:
	case BPF_FUNC_find_vma:
	case BPF_FUNC_copy_from_user_task:
		return "a struct task_struct is the kernel's, and a process sees none "
		       "(BPF_CORE_READ() of bpf_get_current_task() reads what it knows of itself; a "
		       "hash map keyed by thread id holds what belongs to a thread)";
	case 210: /* cgrp_storage_get, cgrp_storage_delete: newer than some headers */
	case 211:
		return "a struct cgroup is the kernel's, and a process sees none "
		       "(a hash map keyed by bpf_get_current_cgroup_id() holds what belongs to one)";
	case BPF_FUNC_snprintf_btf:
		return "it prints the kernel's structures, by the kernel's types";
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr:
		return "per-CPU variables are the kernel's";
	case BPF_FUNC_timer_init:
	case BPF_FUNC_timer_set_callback:
	case BPF_FUNC_timer_start:
	case BPF_FUNC_timer_cancel:
		return "a target has no thread that could run a timer's callback";
	case BPF_FUNC_kptr_xchg:
		return "kernel pointers cannot be kept where there is no kernel";
	default:
		return NULL;
	}
}

const char *bpfcc_kfunc_absent_reason(const char *name)
{
	static const struct {
		const char *prefix, *reason;
	} rows[] = {
		{"bpf_task_work_", "a target has no thread that could run the callback"},
		{"bpf_task_", "a struct task_struct is the kernel's, and a process sees none"},
		{"bpf_iter_task_", "the list of tasks is the kernel's"},
		{"bpf_iter_css_", "control groups are the kernel's"},
		{"bpf_iter_kmem_cache_", "caches of memory are the kernel's"},
		{"bpf_iter_dmabuf_", "buffers of devices are the kernel's"},
		{"bpf_cgroup_", "a struct cgroup is the kernel's, and a process sees none"},
		{"bpf_cpumask_", "masks of processors are the kernel's, for its scheduler"},
		{"bpf_copy_from_user_task_", "a struct task_struct is the kernel's, and a process sees none"},
		{"bpf_get_task_exe_file", "a struct file is the kernel's"},
		{"bpf_get_file_xattr", "a struct file is the kernel's"},
		{"bpf_get_dentry_xattr", "a struct dentry is the kernel's"},
		{"bpf_get_kmem_cache", "caches of memory are the kernel's"},
		{"bpf_put_file", "a struct file is the kernel's"},
		{"bpf_path_d_path", "a struct path is the kernel's"},
		{"bpf_obj_", "objects of programs are in the kernel's memory (a map holds what a program keeps)"},
		{"bpf_percpu_obj_", "objects of programs are in the kernel's memory (a map holds what a program keeps)"},
		{"bpf_refcount_", "objects of programs are in the kernel's memory (a map holds what a program keeps)"},
		{"bpf_list_", "lists of objects are in the kernel's memory (QUEUE and STACK maps hold values in order)"},
		{"bpf_rbtree_", "trees of objects are in the kernel's memory"},
		{"bpf_wq_", "a target has no thread that could run the callback"},
		{"bpf_local_irq_", "a process cannot keep interrupts away"},
		{"bpf_res_spin_", "it is for programs that may run in any context of the kernel; bpf_spin_lock() ends deadlocks here"},
		{"bpf_throw", "exceptions are not built; a return ends a program as well"},
		{"bpf_rdonly_cast", "a process has no kernel memory to look at"},
		{"bpf_cast_to_kern_ctx", "the program's ctx is the target's registers, and nothing of the kernel's"},
		{"bpf_crypto_", "ciphers are the kernel's"},
		{"bpf_key_", "keys are the kernel's"},
		{"bpf_lookup_", "keys are the kernel's"},
		{"bpf_verify_", "keys are the kernel's"},
		{"bpf_send_signal_task", "a struct task_struct is the kernel's (bpf_send_signal() sends to this process)"},
		{"bpf_stream_", "a program here has no output of the kernel's (bpf_trace_vprintk() prints)"},
	};

	for (size_t i = 0; i < NR(rows); i++)
		if (!strncmp(name, rows[i].prefix, strlen(rows[i].prefix)))
			return rows[i].reason;
	return NULL;
}

int bpfcc_helper_callback_arg(const struct bpfcc_helper *helper)
{
	for (int i = 0; i < BPFCC_MAX_ARGS; i++)
		if (helper->args[i] == BPFCC_ARG_FUNC)
			return i;
	return -1;
}

/* newer headers give every entry its number and no comma */
static const char *const kernel_names[] = {
#ifdef ___BPF_FUNC_MAPPER
#define KERNEL_NAME(name, ...) "bpf_" #name,
	___BPF_FUNC_MAPPER(KERNEL_NAME)
#else
#define KERNEL_NAME(name) "bpf_" #name
	__BPF_FUNC_MAPPER(KERNEL_NAME)
#endif
};

const char *bpfcc_kernel_helper_name(int32_t id)
{
	if (id <= 0 || (size_t)id >= NR(kernel_names))
		return NULL;
	return kernel_names[id];
}
