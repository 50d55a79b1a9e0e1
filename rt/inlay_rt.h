/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry points of libinlay that emitted code refers to. Exported with version suffix _v1, which is
 * part of the name so that objects of one ABI never bind to another.
 *
 * All of them are async-signal-safe, keep errno, never block, print or abort.
 */
#ifndef INLAY_RT_H
#define INLAY_RT_H

#include "inlay/abi.h"

/* No visibility here: libinlay.a is compiled to keep everything inside the link unit, libinlay.so.1
 * exports it by its version script. */

/*
 * Idempotent start of the runtime for this link unit; also run as a constructor. Hidden even with
 * libinlay.so.1: each unit starts its own.
 */
__attribute__((visibility("hidden"))) void __inlay_rt_start_v1(void);

/*
 * The calling thread's shard of a per-CPU map: found or made, stored in the map's thread-local
 * slot and returned. NULL when none can be had; the slot stays NULL and the caller drops the hit.
 */
char *__inlay_shard_get_v1(const struct inlay_map_desc *desc);

#if defined(__x86_64__)
/* The same behind a convention of its own; see rt/inline/map_percpu.h. Not callable from C. */
void __inlay_shard_get_cold_v1(void);
#endif

/* Generic map operations, for a map that is not known at compile time. */
void *__inlay_map_lookup_elem_v1(const struct inlay_map_desc *desc, const void *key);
__s64 __inlay_map_update_elem_v1(const struct inlay_map_desc *desc, const void *key,
				 const void *value, __u64 flags);
__s64 __inlay_map_delete_elem_v1(const struct inlay_map_desc *desc, const void *key);
__s64 __inlay_map_push_elem_v1(const struct inlay_map_desc *desc, const void *value, __u64 flags);
__s64 __inlay_map_pop_elem_v1(const struct inlay_map_desc *desc, void *value);
__s64 __inlay_map_peek_elem_v1(const struct inlay_map_desc *desc, void *value);
void *__inlay_map_lookup_percpu_elem_v1(const struct inlay_map_desc *desc, const void *key,
					__u64 nr);

/* Helpers of class CALL in helpers.def. Return values are the kernel's. */
__s64 __inlay_probe_read_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_probe_read_str_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_probe_read_kernel_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_probe_read_kernel_str_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_probe_read_user_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_probe_read_user_str_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_trace_printk_v1(const void *fmt, __u64 fmt_bytes, __u64 a1, __u64 a2, __u64 a3);
__s64 __inlay_get_current_comm_v1(void *dst, __u64 bytes);
__s64 __inlay_probe_write_user_v1(__u64 addr, const void *src, __u64 bytes);
__s64 __inlay_copy_from_user_v1(void *dst, __u64 bytes, __u64 addr);
__s64 __inlay_trace_vprintk_v1(const void *fmt, __u64 fmt_bytes, const void *args,
			       __u64 args_bytes);
__s64 __inlay_snprintf_v1(void *dst, __u64 dst_bytes, const char *fmt, const void *args,
			  __u64 args_bytes);
__s64 __inlay_strtol_v1(const void *from, __u64 bytes, __u64 flags, void *ret);
__s64 __inlay_strtoul_v1(const void *from, __u64 bytes, __u64 flags, void *ret);
__s64 __inlay_ktime_get_boot_ns_v1(void);
__s64 __inlay_ktime_get_coarse_ns_v1(void);
__s64 __inlay_ktime_get_tai_ns_v1(void);
__s64 __inlay_jiffies64_v1(void);
__s64 __inlay_get_numa_node_id_v1(void);
__s64 __inlay_get_current_cgroup_id_v1(void);
__s64 __inlay_get_current_ancestor_cgroup_id_v1(__u64 level);
__s64 __inlay_current_task_under_cgroup_v1(const struct inlay_map_desc *desc, __u64 index);
__s64 __inlay_get_ns_current_pid_tgid_v1(__u64 dev, __u64 ino, void *dst, __u64 bytes);
void __inlay_spin_lock_v1(void *lock);
void __inlay_spin_unlock_v1(void *lock);
__s64 __inlay_send_signal_v1(__u64 sig);
__s64 __inlay_send_signal_thread_v1(__u64 sig);

__s64 __inlay_ringbuf_output_v1(const struct inlay_map_desc *desc, const void *data, __u64 bytes,
				__u64 flags);
void *__inlay_ringbuf_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags);
void __inlay_ringbuf_submit_v1(void *record, __u64 flags);
void __inlay_ringbuf_discard_v1(void *record, __u64 flags);
__s64 __inlay_ringbuf_query_v1(const struct inlay_map_desc *desc, __u64 what);
__s64 __inlay_ringbuf_reserve_dynptr_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags,
					void *dynptr);
void __inlay_ringbuf_submit_dynptr_v1(void *dynptr, __u64 flags);
void __inlay_ringbuf_discard_dynptr_v1(void *dynptr, __u64 flags);
/* Kernel functions: strings at any addresses, with the kernel's results. */
__s64 __inlay_bpf_strcmp_v1(__u64 s1, __u64 s2);
__s64 __inlay_bpf_strcasecmp_v1(__u64 s1, __u64 s2);
__s64 __inlay_bpf_strchr_v1(__u64 s, __u64 wanted);
__s64 __inlay_bpf_strchrnul_v1(__u64 s, __u64 wanted);
__s64 __inlay_bpf_strnchr_v1(__u64 s, __u64 count, __u64 wanted);
__s64 __inlay_bpf_strrchr_v1(__u64 s, __u64 wanted);
__s64 __inlay_bpf_strlen_v1(__u64 s);
__s64 __inlay_bpf_strnlen_v1(__u64 s, __u64 count);
__s64 __inlay_bpf_strspn_v1(__u64 s, __u64 accept);
__s64 __inlay_bpf_strcspn_v1(__u64 s, __u64 reject);
__s64 __inlay_bpf_strstr_v1(__u64 s, __u64 wanted);
__s64 __inlay_bpf_strnstr_v1(__u64 s, __u64 wanted, __u64 count);
__s64 __inlay_bpf_copy_from_user_str_v1(void *dst, __u64 bytes, __u64 addr, __u64 flags);
/* Arenas; addresses are the program's, see struct inlay_arena_header. 0: no pages */
__s64 __inlay_bpf_arena_alloc_pages_v1(const struct inlay_map_desc *desc, __u64 address,
				       __u64 page_cnt, __u64 node, __u64 flags);
void __inlay_bpf_arena_free_pages_v1(const struct inlay_map_desc *desc, __u64 address,
				     __u64 page_cnt);
/* What rt/inline/stack.h makes of bpf_get_stack() and bpf_get_stackid(). */
__s64 __inlay_get_stack_v1(void *dst, __u64 bytes, __u64 flags, __u64 first, __u64 here, __u64 fp);
__s64 __inlay_get_stackid_v1(const struct inlay_map_desc *desc, __u64 flags, __u64 first, __u64 here,
			     __u64 fp);
/* The steps of bpf_user_ringbuf_drain(); `drain` is a struct inlay_user_drain. */
__s64 __inlay_user_ringbuf_begin_v1(const struct inlay_map_desc *desc, __u64 flags, void *drain);
__s64 __inlay_user_ringbuf_next_v1(void *drain, void *ret_dynptr);
void __inlay_user_ringbuf_done_v1(void *drain);
__s64 __inlay_user_ringbuf_end_v1(void *drain);
__s64 __inlay_perf_event_output_v1(const struct inlay_map_desc *desc, __u64 flags, const void *data,
				   __u64 bytes);

#endif /* INLAY_RT_H */
