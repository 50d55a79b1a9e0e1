/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernel functions do whose doing a program can see: sessions, arenas, iterators, dynptrs, strings. The
 * others answer as interp_helper.c has it.
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/run/interp_int.h"

#define ITER_MAX (8 << 20)

static int set_int(struct bpfcc_interp *it, int64_t num)
{
	it->frame->regs[0] = interp_number((uint64_t)num);
	return 0;
}

static int session_cookie(struct bpfcc_interp *it)
{
	if (!it->cookie)
		it->cookie = interp_thing(it, THING_MEM, NULL, 8);
	if (!it->cookie)
		return -EFAULT;
	it->frame->regs[0] = interp_pointer(it, it->cookie, 0);
	return 0;
}

/* ---- iterators ---- */

static void set_item(struct bpfcc_interp *it, const struct iter *iter, int32_t num)
{
	memcpy(it->things[iter->item].data, &num, sizeof(num));
}

static int iter_new(struct bpfcc_interp *it, struct arg args[5])
{
	int64_t start = (int32_t)args[1].v.num, end = (int32_t)args[2].v.num;
	struct iter iter = {.next = start, .end = end};
	int err = 0;

	if (it->nr_iters == it->max_iters) {
		uint32_t max = it->max_iters ? 2 * it->max_iters : 16;
		struct iter *larger = realloc(it->iters, max * sizeof(*larger));

		if (!larger)
			return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
		it->iters = larger;
		it->max_iters = max;
	}
	if (end < start)
		err = -EINVAL;
	else if (end - start > ITER_MAX)
		err = -E2BIG;
	if (err)
		iter.next = iter.end = 0;
	iter.item = interp_thing(it, THING_MEM, NULL, sizeof(int32_t));
	if (!iter.item)
		return -EFAULT;
	it->things[iter.item].is_read_only = true;
	it->iters[it->nr_iters] = iter;
	if (interp_put_iter(it, &args[0].v, it->nr_iters++))
		return -EFAULT;
	/* also one that is empty has to be ended */
	it->nr_held++;
	return set_int(it, err);
}

static int iter_next(struct bpfcc_interp *it, struct iter *iter)
{
	if (iter->next >= iter->end) {
		iter->next = iter->end = 0;
		set_item(it, iter, 0);
		return set_int(it, 0);
	}
	set_item(it, iter, (int32_t)iter->next++);
	it->frame->regs[0] = interp_pointer(it, iter->item, 0);
	return 0;
}

static int iter_destroy(struct bpfcc_interp *it, struct arg *arg)
{
	interp_drop(it, it->iters[arg->iter].item);
	it->nr_held--;
	it->frame->regs[0] = (struct value){0};
	return interp_end_iter(it, &arg->v);
}

/* ---- sections ---- */

/* Kernels do not have the RCU read lock taken while it is held. */
static int section(struct bpfcc_interp *it, enum section which, bool is_entered)
{
	uint32_t *nr = &it->nr_sections[which];

	if (is_entered ? which == SECTION_RCU && *nr : !*nr)
		return interp_trap(it, BPFCC_TRAP_HELD, is_entered ? "the RCU read lock is held already"
								   : "a section is left that was not entered");
	*nr += is_entered ? 1 : -1u;
	it->frame->regs[0] = (struct value){0};
	return 0;
}

/* ---- dynptrs ---- */

static int dynptr_adjust(struct bpfcc_interp *it, struct dynptr *d, uint32_t start, uint32_t end)
{
	if (!d->thing || start > end)
		return set_int(it, -EINVAL);
	if (end > d->bytes)
		return set_int(it, -ERANGE);
	d->off += start;
	d->bytes = end - start;
	return set_int(it, 0);
}

static int dynptr_clone(struct bpfcc_interp *it, struct arg args[5])
{
	struct dynptr clone = it->dynptrs[args[0].dynptr];

	if (interp_new_dynptr(it, &clone, &args[1].v))
		return -EFAULT;
	return set_int(it, clone.thing ? 0 : -EINVAL);
}

static int dynptr_copy(struct bpfcc_interp *it, struct arg args[5])
{
	const struct dynptr *to = &it->dynptrs[args[0].dynptr], *from = &it->dynptrs[args[2].dynptr];
	uint32_t size = (uint32_t)args[4].v.num;
	uint32_t to_off = (uint32_t)args[1].v.num, from_off = (uint32_t)args[3].v.num;
	bool has_to = to_off <= to->bytes && size <= to->bytes - to_off;
	bool has_from = from_off <= from->bytes && size <= from->bytes - from_off;
	bool can_write = to->thing && !to->is_read_only;
	uint8_t *dst, *src;

	if (from->thing && has_from && can_write && has_to) {
		src = interp_dynptr_bytes(it, from, from_off, size);
		dst = interp_dynptr_bytes(it, to, to_off, size);
		if (!src || !dst)
			return -EFAULT;
		memmove(dst, src, size);
		return set_int(it, 0);
	}
	if (from->thing && has_from)
		return set_int(it, can_write ? -E2BIG : -EINVAL);
	if (can_write && has_to)
		return set_int(it, from->thing ? -E2BIG : -EINVAL);
	if (!has_to || !has_from)
		return set_int(it, -E2BIG);
	return set_int(it, size ? -EINVAL : 0);
}

static int dynptr_memset(struct bpfcc_interp *it, struct arg args[5])
{
	const struct dynptr *d = &it->dynptrs[args[0].dynptr];
	uint32_t off = (uint32_t)args[1].v.num, size = (uint32_t)args[2].v.num;
	uint8_t *data;

	if (d->is_read_only)
		return set_int(it, -EINVAL);
	if (off > d->bytes || size > d->bytes - off)
		return set_int(it, -E2BIG);
	data = d->thing ? interp_dynptr_bytes(it, d, off, size) : NULL;
	if (it->trap.kind)
		return -EFAULT;
	if (data && size)
		memset(data, (uint8_t)args[3].v.num, size);
	return set_int(it, 0);
}

static int dynptr_kfunc(struct bpfcc_interp *it, enum bpfcc_kfunc which, struct arg args[5],
			bool *ret_is_done)
{
	struct dynptr *d = it->dynptrs ? &it->dynptrs[args[0].dynptr] : NULL;

	switch (which) {
	case BPFCC_KFUNC_bpf_dynptr_is_null:
		return set_int(it, !d->thing);
	case BPFCC_KFUNC_bpf_dynptr_is_rdonly:
		return set_int(it, d->thing && d->is_read_only);
	case BPFCC_KFUNC_bpf_dynptr_size:
		return set_int(it, d->thing ? (int64_t)d->bytes : (int64_t)(uint32_t)-EINVAL);
	case BPFCC_KFUNC_bpf_dynptr_adjust:
		return dynptr_adjust(it, d, (uint32_t)args[1].v.num, (uint32_t)args[2].v.num);
	case BPFCC_KFUNC_bpf_dynptr_clone:
		return dynptr_clone(it, args);
	case BPFCC_KFUNC_bpf_dynptr_slice:
	case BPFCC_KFUNC_bpf_dynptr_slice_rdwr:
		return interp_dynptr_slice(it, d, (uint32_t)args[1].v.num, (uint32_t)args[3].v.num,
					   which == BPFCC_KFUNC_bpf_dynptr_slice_rdwr);
	case BPFCC_KFUNC_bpf_dynptr_copy:
		return dynptr_copy(it, args);
	case BPFCC_KFUNC_bpf_dynptr_memset:
		return dynptr_memset(it, args);
	default:
		*ret_is_done = false;
		return 0;
	}
}

/* ---- reads of memory that is not the program's ---- */

static int copy_string(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t n = 0, at = args[2].v.num - it->opts.target_address;
	uint8_t *to = args[0].data;

	if (args[3].v.num & ~1ull)
		return set_int(it, -EINVAL);
	if (!args[0].bytes)
		return set_int(it, 0);
	for (; n < args[0].bytes - 1; n++) {
		if (!it->opts.target || at + n >= it->opts.target_bytes) {
			if (args[3].v.num)
				memset(to, 0, args[0].bytes);
			return set_int(it, -EFAULT);
		}
		to[n] = ((const uint8_t *)it->opts.target)[at + n];
		if (!to[n])
			break;
	}
	memset(&to[n], 0, args[3].v.num ? args[0].bytes - n : 1);
	return set_int(it, (int64_t)n + 1);
}

int interp_kfunc(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc, struct arg args[5],
		 bool *ret_is_done)
{
	*ret_is_done = true;
	switch (kfunc->kfunc) {
	case BPFCC_KFUNC_bpf_session_cookie:
		return session_cookie(it);
	case BPFCC_KFUNC_bpf_rcu_read_lock:
	case BPFCC_KFUNC_bpf_rcu_read_unlock:
		return section(it, SECTION_RCU, kfunc->kfunc == BPFCC_KFUNC_bpf_rcu_read_lock);
	case BPFCC_KFUNC_bpf_preempt_disable:
	case BPFCC_KFUNC_bpf_preempt_enable:
		return section(it, SECTION_PREEMPT, kfunc->kfunc == BPFCC_KFUNC_bpf_preempt_disable);
	case BPFCC_KFUNC_bpf_arena_alloc_pages:
	case BPFCC_KFUNC_bpf_arena_free_pages:
		return interp_arena_kfunc(it, kfunc, args);
	case BPFCC_KFUNC_bpf_iter_num_new:
		return iter_new(it, args);
	case BPFCC_KFUNC_bpf_iter_num_next:
		return iter_next(it, &it->iters[args[0].iter]);
	case BPFCC_KFUNC_bpf_iter_num_destroy:
		return iter_destroy(it, &args[0]);
	case BPFCC_KFUNC_bpf_strcmp:
	case BPFCC_KFUNC_bpf_strcasecmp:
	case BPFCC_KFUNC_bpf_strchr:
	case BPFCC_KFUNC_bpf_strchrnul:
	case BPFCC_KFUNC_bpf_strnchr:
	case BPFCC_KFUNC_bpf_strrchr:
	case BPFCC_KFUNC_bpf_strlen:
	case BPFCC_KFUNC_bpf_strnlen:
	case BPFCC_KFUNC_bpf_strspn:
	case BPFCC_KFUNC_bpf_strcspn:
	case BPFCC_KFUNC_bpf_strstr:
	case BPFCC_KFUNC_bpf_strnstr:
		return interp_string(it, kfunc, args);
	case BPFCC_KFUNC_bpf_copy_from_user_str:
		return copy_string(it, args);
	default:
		return dynptr_kfunc(it, kfunc->kfunc, args, ret_is_done);
	}
}
