/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernel functions do whose doing a program can see: sessions, arenas, iterators. The others answer as
 * interp_helper.c has it.
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

int interp_kfunc(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc, struct arg args[5],
		 bool *ret_is_done)
{
	*ret_is_done = true;
	switch (kfunc->kfunc) {
	case BPFCC_KFUNC_bpf_session_cookie:
		return session_cookie(it);
	case BPFCC_KFUNC_bpf_arena_alloc_pages:
	case BPFCC_KFUNC_bpf_arena_free_pages:
		return interp_arena_kfunc(it, kfunc, args);
	case BPFCC_KFUNC_bpf_iter_num_new:
		return iter_new(it, args);
	case BPFCC_KFUNC_bpf_iter_num_next:
		return iter_next(it, &it->iters[args[0].iter]);
	case BPFCC_KFUNC_bpf_iter_num_destroy:
		return iter_destroy(it, &args[0]);
	default:
		*ret_is_done = false;
		return 0;
	}
}
