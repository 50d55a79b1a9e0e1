/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What helpers do. Those with a meaning that a program can see (maps, records, dynptrs, callbacks,
 * reads of memory) do it; the others answer with a number. In a wild world a number is any that the
 * helper may give, and what may fail fails at times.
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/run/interp_int.h"

#define MAX_LOOPS (1u << 23)		/* as the kernel's bpf_loop() */
#define DYNPTR_MAX_BYTES ((1u << 24) - 1)
#define NR_DRAINED 3
#define MAX_CPUS 8192			/* the most that a kernel can be built for */

static void set_r0(struct bpfcc_interp *it, uint64_t num)
{
	it->frame->regs[0] = interp_number(num);
}

static int set_int(struct bpfcc_interp *it, int64_t num)
{
	if (it->trap.kind)
		return -EFAULT;
	set_r0(it, (uint64_t)num);
	return 0;
}

static bool fails(struct bpfcc_interp *it)
{
	return it->opts.is_wild && interp_random(it) % 4 == 0;
}

static void fill(struct bpfcc_interp *it, uint8_t *data, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i += 8) {
		uint64_t odd = it->opts.is_wild ? interp_odd_number(it) : 0;

		memcpy(&data[i], &odd, bytes - i < 8 ? bytes - i : 8);
	}
}

/* ---- records and dynptrs ---- */

static int reserve(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t bytes = args[1].v.num;
	uint32_t thing;

	set_r0(it, 0);
	if (fails(it) || bytes > it->instances[args[0].instance].map->max_entries)
		return 0;
	thing = interp_thing(it, THING_RECORD, NULL, bytes);
	if (!thing)
		return -EFAULT;
	fill(it, it->things[thing].data, bytes);
	it->nr_held++;
	it->frame->regs[0] = interp_pointer(it, thing, 0);
	return 0;
}

static int give_back(struct bpfcc_interp *it, uint32_t thing)
{
	interp_drop(it, thing);
	it->nr_held--;
	it->frame->regs[0] = (struct value){0};
	return 0;
}

int interp_new_dynptr(struct bpfcc_interp *it, const struct dynptr *from, const struct value *at)
{
	if (it->nr_dynptrs + 1 >= it->max_dynptrs) {
		uint32_t max = it->max_dynptrs ? 2 * it->max_dynptrs : 16;
		struct dynptr *larger = realloc(it->dynptrs, max * sizeof(*larger));

		if (!larger)
			return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
		it->dynptrs = larger;
		it->max_dynptrs = max;
	}
	if (!it->nr_dynptrs)
		memset(&it->dynptrs[it->nr_dynptrs++], 0, sizeof(*from));
	it->dynptrs[it->nr_dynptrs] = *from;
	it->dynptrs[it->nr_dynptrs].is_live = true;
	if (!from->clone_of)
		it->dynptrs[it->nr_dynptrs].clone_of = it->nr_dynptrs;
	return at ? interp_put_dynptr(it, at, it->nr_dynptrs++) : (it->nr_dynptrs++, 0);
}

static int dynptr_from_mem(struct bpfcc_interp *it, struct arg args[5])
{
	struct dynptr d = {.thing = args[0].v.thing, .bytes = args[0].bytes};
	int err = 0;

	/* of no bytes it is a dynptr as well, of wherever that is */
	if (args[0].bytes)
		d.off = args[0].v.num - it->things[d.thing].base;
	if (args[0].bytes > DYNPTR_MAX_BYTES)
		err = -E2BIG;
	else if (args[2].v.num || !d.thing || fails(it))
		err = -EINVAL;
	if (err)
		d = (struct dynptr){0};
	if (interp_new_dynptr(it, &d, &args[3].v))
		return -EFAULT;
	return set_int(it, err);
}

static int reserve_dynptr(struct bpfcc_interp *it, struct arg args[5])
{
	struct dynptr d = {.bytes = (uint32_t)args[1].v.num, .is_held = true};

	if (d.bytes && d.bytes <= it->instances[args[0].instance].map->max_entries &&
	    !args[2].v.num && !fails(it)) {
		d.thing = d.record = interp_thing(it, THING_RECORD, NULL, d.bytes);
		if (!d.thing)
			return -EFAULT;
		fill(it, it->things[d.thing].data, d.bytes);
	} else {
		d.bytes = 0;
	}
	/* held even if it could not be made: it has to be discarded all the same */
	it->nr_held++;
	if (interp_new_dynptr(it, &d, &args[3].v))
		return -EFAULT;
	return set_int(it, d.thing ? 0 : -EINVAL);
}

static int give_back_dynptr(struct bpfcc_interp *it, uint32_t dynptr)
{
	struct dynptr *d = &it->dynptrs[dynptr];

	uint32_t first = d->clone_of;

	if (d->record)
		interp_drop(it, d->record);
	for (uint32_t i = 1; i < it->nr_dynptrs; i++)
		if (it->dynptrs[i].clone_of == first)
			it->dynptrs[i].is_live = false;
	it->nr_held--;
	it->frame->regs[0] = (struct value){0};
	return 0;
}

uint8_t *interp_dynptr_bytes(struct bpfcc_interp *it, const struct dynptr *d, uint64_t off,
			     uint64_t bytes)
{
	if (!d->thing || off > d->bytes || bytes > d->bytes - off)
		return NULL;
	if (it->things[d->thing].is_gone) {
		interp_trap(it, BPFCC_TRAP_STALE, "the dynptr's memory is gone");
		return NULL;
	}
	return &it->things[d->thing].data[d->off + off];
}

static int dynptr_copy(struct bpfcc_interp *it, uint32_t dynptr, uint64_t off, struct arg *memory,
		       uint64_t flags, bool is_write)
{
	struct dynptr *d = &it->dynptrs[dynptr];
	uint8_t *data = interp_dynptr_bytes(it, d, (uint32_t)off, memory->bytes);

	if (!d->thing || (is_write ? d->is_read_only : flags != 0))
		return set_int(it, -EINVAL);
	if (!data)
		return set_int(it, -E2BIG);
	if (flags)
		return set_int(it, -EINVAL);
	if (is_write && memory->bytes)
		memmove(data, memory->data, memory->bytes);
	else if (memory->bytes)
		memmove(memory->data, data, memory->bytes);
	return set_int(it, 0);
}

int interp_dynptr_slice(struct bpfcc_interp *it, const struct dynptr *d, uint64_t off,
			uint64_t bytes, bool is_write)
{
	uint8_t *data = interp_dynptr_bytes(it, d, off, bytes);
	uint32_t thing, parent = d->thing;

	if (!data || (is_write && d->is_read_only))
		return set_int(it, 0);
	thing = interp_thing(it, THING_MEM, data, bytes);
	if (!thing)
		return -EFAULT;
	it->things[thing].parent = parent;
	it->things[thing].is_shared = it->things[parent].is_shared;
	it->things[thing].is_read_only = !is_write;
	it->frame->regs[0] = interp_pointer(it, thing, 0);
	return 0;
}

/* ---- reads of memory that is not the program's ---- */

static bool target_has(const struct bpfcc_interp *it, uint64_t address, uint64_t bytes)
{
	uint64_t off = address - it->opts.target_address;

	return it->opts.target && off <= it->opts.target_bytes &&
	       bytes <= it->opts.target_bytes - off;
}

static const uint8_t *target_at(const struct bpfcc_interp *it, uint64_t address)
{
	return (const uint8_t *)it->opts.target + (address - it->opts.target_address);
}

static int probe_read(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t address = args[2].v.num;

	if (!args[0].bytes)
		return set_int(it, 0);
	if (target_has(it, address, args[0].bytes)) {
		memcpy(args[0].data, target_at(it, address), args[0].bytes);
		return set_int(it, 0);
	}
	if (it->opts.is_wild && !fails(it)) {
		fill(it, args[0].data, args[0].bytes);
		return set_int(it, 0);
	}
	memset(args[0].data, 0, args[0].bytes);
	return set_int(it, -EFAULT);
}

static int probe_read_str(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t address = args[2].v.num, n = 0;

	if (!args[0].bytes)
		return set_int(it, 0);
	if (target_has(it, address, 1)) {
		while (n < args[0].bytes - 1 && target_has(it, address + n, 1) &&
		       *target_at(it, address + n)) {
			args[0].data[n] = *target_at(it, address + n);
			n++;
		}
	} else if (it->opts.is_wild && !fails(it)) {
		n = interp_random(it) % args[0].bytes;
		memset(args[0].data, 'x', n);
	} else {
		memset(args[0].data, 0, args[0].bytes);
		return set_int(it, -EFAULT);
	}
	args[0].data[n] = 0;
	return set_int(it, (int64_t)n + 1);
}

/* ---- callbacks ---- */

static int call_back(struct bpfcc_interp *it, const struct arg *func, struct value args[5],
		     uint64_t *ret)
{
	uint32_t nr_held = it->nr_held, nr_rcu = it->nr_sections[SECTION_RCU],
		 nr_preempt = it->nr_sections[SECTION_PREEMPT];
	struct value r0 = {0};

	if (interp_function(it, it->things[func->v.thing].func, args, &r0))
		return -EFAULT;
	if (!r0.is_set)
		return interp_trap(it, BPFCC_TRAP_UNSET, "a callback's r0 is not set");
	if (it->nr_held != nr_held || it->nr_sections[SECTION_RCU] != nr_rcu ||
	    it->nr_sections[SECTION_PREEMPT] != nr_preempt)
		return interp_trap(it, BPFCC_TRAP_HELD,
				   "a callback does not hold at its end what it did at first");
	*ret = r0.num;
	return 0;
}

static int loop(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t nr = (uint32_t)args[0].v.num, stop = 0, i;

	if (args[3].v.num)
		return set_int(it, -EINVAL);
	if (nr > MAX_LOOPS)
		return set_int(it, -E2BIG);
	for (i = 0; i < nr && !stop; i++) {
		struct value in[5] = {interp_number(i), args[2].v};

		if (call_back(it, &args[1], in, &stop))
			return -EFAULT;
	}
	return set_int(it, (int64_t)i);
}

static int for_each(struct bpfcc_interp *it, struct arg args[5])
{
	uint32_t instance = args[0].instance, key_thing;
	/* a hash map's key is in the map; an array's is a variable */
	bool is_lent = it->instances[instance].by_index;
	uint64_t stop = 0;
	uint8_t room[4];
	const uint8_t *key;
	struct value value;
	int64_t i;
	int got;

	if (args[3].v.num)
		return set_int(it, -EINVAL);
	for (i = 0; !stop; i++) {
		struct value in[5] = {args[0].v, {0}, {0}, args[2].v};

		got = interp_map_nth(it, instance, (uint32_t)i, &key, &value, room);
		if (got <= 0)
			return got ? got : set_int(it, i);
		key_thing = interp_thing(it, THING_KEY, NULL,
					 it->instances[instance].map->key_size);
		if (!key_thing)
			return -EFAULT;
		memcpy(it->things[key_thing].data, key, it->things[key_thing].bytes);
		it->things[key_thing].is_read_only = true;
		in[1] = interp_pointer(it, key_thing, 0);
		in[2] = value;
		got = call_back(it, &args[1], in, &stop);
		if (is_lent)
			interp_drop(it, key_thing);
		if (got)
			return got;
	}
	return set_int(it, i);
}

static int find_vma(struct bpfcc_interp *it, struct arg args[5])
{
	struct value in[5] = {args[0].v, {0}, args[3].v};
	uint64_t unused;
	uint32_t thing;

	if (!it->opts.is_wild || fails(it))
		return set_int(it, -ENOENT);
	thing = interp_thing(it, THING_OPAQUE, NULL, 0);
	if (!thing)
		return -EFAULT;
	in[1] = interp_pointer(it, thing, 0);
	if (call_back(it, &args[2], in, &unused))
		return -EFAULT;
	return set_int(it, 0);
}

/* What another process put there: a few records of odd bytes. */
static int drain(struct bpfcc_interp *it, struct arg args[5])
{
	uint64_t stop = 0;
	int64_t i;

	for (i = 0; i < (it->opts.is_wild ? NR_DRAINED : 0) && !stop; i++) {
		struct dynptr d = {.bytes = 1 + interp_random(it) % 64, .is_read_only = true};
		struct value in[5] = {{0}, args[2].v};
		uint32_t thing;

		d.thing = interp_thing(it, THING_MEM, NULL, d.bytes);
		thing = d.thing ? interp_thing(it, THING_DYNPTR, NULL, 0) : 0;
		if (!thing || interp_new_dynptr(it, &d, NULL))
			return -EFAULT;
		fill(it, it->things[d.thing].data, d.bytes);
		it->things[thing].dynptr = it->nr_dynptrs - 1;
		in[0] = interp_pointer(it, thing, 0);
		if (call_back(it, &args[1], in, &stop))
			return -EFAULT;
		interp_drop(it, thing);
		interp_drop(it, d.thing);
	}
	return set_int(it, i);
}

static int tail_call(struct bpfcc_interp *it, struct arg args[5])
{
	const struct bpfcc_map *map = it->instances[args[1].instance].map;
	uint32_t index = (uint32_t)args[2].v.num, stack;
	struct frame *f = it->frame;
	int32_t prog;

	if (map->type != BPF_MAP_TYPE_PROG_ARRAY)
		return interp_trap(it, BPFCC_TRAP_ARGUMENT, "a tail call needs a program array");
	prog = map->tail_progs && index < map->max_entries ? map->tail_progs[index] : -1;
	if (prog < 0 || (uint32_t)prog >= it->object->nr_progs ||
	    it->nr_tail_calls == MAX_TAIL_CALLS) {
		/* the program goes on; r0 is not set by the call */
		f->regs[0] = (struct value){0};
		return 0;
	}
	if (interp_holds_nothing(it, "at the tail call"))
		return -EFAULT;
	it->nr_tail_calls++;
	stack = interp_thing(it, THING_STACK, NULL, STACK_BYTES);
	if (!stack)
		return -EFAULT;
	interp_drop(it, f->stack);
	f->stack = stack;
	it->things[stack].frame = f->number;
	f->func = it->object->progs[prog].func->index;
	f->arena = interp_arena_of(it, f->func);
	f->insn = UINT32_MAX; /* the next one is 0 */
	memset(f->regs, 0, sizeof(f->regs));
	f->regs[1] = args[0].v;
	f->regs[2] = it->second;
	f->regs[10] = interp_pointer(it, stack, STACK_BYTES);
	return 0;
}

/* ---- locks ---- */

static int lock(struct bpfcc_interp *it, struct arg *arg, bool is_taken)
{
	uint64_t off = arg->v.num - it->things[arg->v.thing].base;

	if (is_taken ? it->lock_thing != 0
		     : it->lock_thing != arg->v.thing || it->lock_off != off)
		return interp_trap(it, BPFCC_TRAP_HELD, is_taken ? "a lock is held already"
								 : "that lock is not held");
	it->lock_thing = is_taken ? arg->v.thing : 0;
	it->lock_off = off;
	it->frame->regs[0] = (struct value){0};
	return 0;
}

/* ---- text ---- */

static int compare(struct bpfcc_interp *it, struct arg args[5])
{
	const char *with = (const char *)args[2].data;

	for (uint64_t i = 0; i < args[0].bytes; i++) {
		uint8_t a = args[0].data[i], b = (uint8_t)with[i];

		if (a != b)
			return set_int(it, a < b ? -1 : 1);
		if (!a)
			break;
	}
	return set_int(it, 0);
}

/* ---- the others ---- */

/* Memory that the helper writes is written, and the answer is any that it may be. */
static int plain(struct bpfcc_interp *it, const struct bpfcc_helper *h, struct arg args[5])
{
	static const uint8_t zeros[8];
	uint64_t most = 0;
	uint32_t thing;

	for (int i = 0; i < BPFCC_MAX_ARGS; i++) {
		enum bpfcc_arg kind = h->args[i];

		if ((kind == BPFCC_ARG_MEM_W || kind == BPFCC_ARG_MEM_W_OR_NULL ||
		     kind == BPFCC_ARG_MEM_RW || kind == BPFCC_ARG_LONG_OUT) && args[i].data) {
			fill(it, args[i].data, args[i].bytes);
			most = args[i].bytes;
		}
	}
	switch (h->ret) {
	case BPFCC_RET_VOID:
		it->frame->regs[0] = (struct value){0};
		return 0;
	case BPFCC_RET_BOOL:
		return set_int(it, it->opts.is_wild ? interp_random(it) & 1 : 0);
	case BPFCC_RET_OBJECT:
		thing = interp_thing(it, THING_OPAQUE, NULL, 0);
		if (!thing)
			return -EFAULT;
		it->frame->regs[0] = interp_pointer(it, thing, 0);
		return 0;
	case BPFCC_RET_INT:
		if (!it->opts.is_wild)
			return set_int(it, 0);
		if (h->flags & BPFCC_HELPER_F_SIZED)
			return set_int(it, fails(it) ? -(int64_t)(1 + interp_random(it) % 4095)
						     : (int64_t)(interp_random(it) % (most + 1)));
		return set_int(it, (int64_t)interp_odd_number(it));
	case BPFCC_RET_PTR_VALUE_OR_NULL:
		/* storage of the task or control group that the program runs in */
		return interp_map_lookup(it, args[0].instance, zeros, &it->frame->regs[0]);
	default:
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "helper %s", h->name);
	}
}

int interp_helper(struct bpfcc_interp *it, const struct bpfcc_helper *h, struct arg args[5])
{
	uint32_t map = args[0].instance;
	bool is_done = false;
	int err;

	if (!h->id) {
		err = interp_kfunc(it, h, args, &is_done);
		return is_done ? err : plain(it, h, args);
	}
	switch (h->id) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_lookup_percpu_elem: /* there is one CPU */
		if (h->id == BPF_FUNC_map_lookup_percpu_elem && args[2].v.num) {
			set_r0(it, 0);
			return 0;
		}
		return interp_map_lookup(it, map, args[1].data, &it->frame->regs[0]);
	case BPF_FUNC_map_update_elem:
		return set_int(it, interp_map_update(it, map, args[1].data, args[2].data,
						     args[3].v.num));
	case BPF_FUNC_map_delete_elem:
		return set_int(it, interp_map_delete(it, map, args[1].data));
	case BPF_FUNC_map_push_elem:
		return set_int(it, interp_map_push(it, map, args[1].data, args[2].v.num));
	case BPF_FUNC_map_pop_elem:
	case BPF_FUNC_map_peek_elem:
		return set_int(it, interp_map_pop(it, map, h->id == BPF_FUNC_map_peek_elem,
						  args[1].data));
	case BPF_FUNC_probe_read:
	case BPF_FUNC_probe_read_user:
	case BPF_FUNC_probe_read_kernel:
	case BPF_FUNC_copy_from_user:
		return probe_read(it, args);
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_user_str:
	case BPF_FUNC_probe_read_kernel_str:
		return probe_read_str(it, args);
	case BPF_FUNC_ktime_get_ns:
		it->clock += it->opts.is_wild ? interp_random(it) >> (interp_random(it) & 63) : 1;
		return set_int(it, (int64_t)it->clock);
	case BPF_FUNC_get_prandom_u32:
		return set_int(it, (uint32_t)interp_odd_number(it));
	case BPF_FUNC_get_smp_processor_id:
		return set_int(it, it->opts.is_wild ? interp_random(it) % MAX_CPUS : 0);
	case BPF_FUNC_ringbuf_reserve:
		return reserve(it, args);
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard:
		return give_back(it, args[0].v.thing);
	case BPF_FUNC_dynptr_from_mem:
		return dynptr_from_mem(it, args);
	case BPF_FUNC_ringbuf_reserve_dynptr:
		return reserve_dynptr(it, args);
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr:
		return give_back_dynptr(it, args[0].dynptr);
	case BPF_FUNC_dynptr_read:
		return dynptr_copy(it, args[2].dynptr, args[3].v.num, &args[0],
				   args[4].v.num, false);
	case BPF_FUNC_dynptr_write:
		return dynptr_copy(it, args[0].dynptr, args[1].v.num, &args[2],
				   args[4].v.num, true);
	case BPF_FUNC_dynptr_data:
		return interp_dynptr_slice(it, &it->dynptrs[args[0].dynptr], (uint32_t)args[1].v.num,
					   (uint32_t)args[2].v.num, true);
	case BPF_FUNC_strncmp:
		return compare(it, args);
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock:
		return lock(it, &args[0], h->id == BPF_FUNC_spin_lock);
	case BPF_FUNC_tail_call:
		return tail_call(it, args);
	case BPF_FUNC_loop:
		return loop(it, args);
	case BPF_FUNC_for_each_map_elem:
		return for_each(it, args);
	case BPF_FUNC_find_vma:
		return find_vma(it, args);
	case BPF_FUNC_user_ringbuf_drain:
		return drain(it, args);
	case BPF_FUNC_get_stackid:
		if (!it->opts.is_wild)
			return set_int(it, -EFAULT); /* there is no stack to walk */
		return plain(it, h, args);
	default:
		return plain(it, h, args);
	}
}
