/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: pages by a model of them; each access to shared memory of an allocation or a release as the place
 * where its process is killed, or where another process or a signal handler does one of its own; page
 * tables of random bits.
 *
 * The code under test calls hook_before() at each of its atomics, see map_hooks.h.
 */
#include "map_fixture.h"
#include "map_hooks.h"

#include <errno.h>
#include <unistd.h>

#include "rt/inline/arena.h"

enum { PAGES = 6, PAGE = INLAY_PAGE_BYTES, STEPS_MAX = 20000 };
static const __u64 first = 0x1234ffff7000; /* 9 pages before a multiple of 4 GiB */

static int steps_left;
static void (*at_step)(void);	/* NULL: accesses are not counted */
static jmp_buf killed;
static struct fixture map;

void hook_before(const volatile void *p)
{
	void (*call)(void) = at_step;

	if (!call || p == &__inlay_process_v1.owner || steps_left-- > 0)
		return;
	at_step = NULL;
	call();
}

void hook_saw(__u64 value)
{
	(void)value;
}

static __u64 alloc_at(__u64 address, __u64 nr)
{
	return (__u64)__inlay_bpf_arena_alloc_pages_v1(&map.desc, address, nr, ~0ull, 0);
}

static __u64 address_of(__u32 page)
{
	return first + (__u64)page * PAGE;
}

/* 0 to PAGES - 1; PAGES: none was given */
static __u32 alloc(__u32 nr)
{
	__u64 address = alloc_at(0, nr);

	if (!address)
		return PAGES;
	assert_int_equal(address % PAGE, 0);
	assert_in_range(address, address_of(0), address_of(PAGES - 1));
	return (__u32)((address - address_of(0)) / PAGE);
}

static void release(__u32 page, __u32 nr)
{
	__inlay_bpf_arena_free_pages_v1(&map.desc, address_of(page), nr);
}

static __u32 *words(void)
{
	return (__u32 *)((char *)map.desc.region + sizeof(struct inlay_arena_header));
}

static bool is_live(__u32 page)
{
	return INLAY_PAGE_STATE(words()[page]) == INLAY_PAGE_LIVE;
}

static __u64 *page_at(__u32 page)
{
	__u64 *p = inlay_arena_at(&map.desc, address_of(page), 0, 8, 0);

	assert_true(!p || (char *)p == (char *)map.desc.region + inlay_arena_pages_off(PAGES) +
					       (size_t)page * PAGE);
	return p;
}

static void assert_zero(__u32 page)
{
	__u64 *p = page_at(page);

	assert_non_null(p);
	for (int i = 0; i < PAGE / 8; i++)
		assert_int_equal(p[i], 0);
}

static void fill(__u32 page, __u64 value)
{
	for (int i = 0; i < PAGE / 8; i++)
		page_at(page)[i] = value;
}

static void start(void)
{
	fixture_row = 0;
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	memset(map.desc.region, 0, map.desc.region_bytes);
}

/* ---- a model ---- */

static __u32 gap_of(const __u64 *model, __u32 nr)
{
	__u32 i, n = 0;

	for (i = 0; i < PAGES && n < nr; i++)
		n = model[i] ? 0 : n + 1;
	return n == nr ? i - nr : PAGES;
}

static void as_the_model(void **state)
{
	__u64 model[PAGES] = { 0 }, random = 88172645463325252ull;

	(void)state;
	start();
	for (int round = 1; round < 20000; round++) {
		__u64 r = fixture_random(&random);
		__u32 nr = 1 + r % 3, page = (__u32)(r >> 8) % PAGES, i;
		bool is_fixed = r >> 20 & 1, is_free = true;

		if (r >> 16 & 1) {
			release(page, nr);
			for (i = page; i < page + nr && i < PAGES; i++)
				model[i] = 0;
		} else {
			for (i = page; i < page + nr; i++)
				is_free &= i < PAGES && !model[i];
			if (!is_fixed)
				page = alloc(nr);
			else if (alloc_at(address_of(page), nr) != (is_free ? address_of(page) : 0))
				fail_msg("round %d: %u pages at %u", round, nr, page);
			if (is_fixed ? !is_free : page == PAGES) {
				assert_true(is_fixed || gap_of(model, nr) == PAGES);
				continue;
			}
			for (i = page; i < page + nr; i++) {
				assert_int_equal(model[i], 0);
				assert_zero(i);
				fill(i, model[i] = (__u64)round);
			}
		}
		for (i = 0; i < PAGES; i++) {
			assert_int_equal(!!page_at(i), !!model[i]);
			assert_true(!model[i] || page_at(i)[PAGE / 8 - 1] == model[i]);
		}
	}
}

static void what_is_asked_for(void **state)
{
	(void)state;
	start();
	assert_int_equal(alloc_at(0, 0), 0);
	assert_int_equal(alloc_at(0, PAGES + 1), 0);
	assert_int_equal(alloc_at(0, UINT32_MAX), 0);
	assert_int_equal(alloc_at(address_of(0) + 1, 1), 0);
	assert_int_equal(alloc_at(address_of(PAGES), 1), 0);
	assert_int_equal(alloc_at(address_of(PAGES - 1), 2), 0);
	assert_int_equal(alloc_at(address_of(0) - PAGE, 1), 0);
	assert_int_equal(__inlay_bpf_arena_alloc_pages_v1(&map.desc, 0, 1, 0, 1), 0);
	/* 32 bits of the number count, and of the address */
	assert_int_equal(alloc_at((__u32)address_of(1) | 0xabcull << 32, 1ull << 32 | 2),
			 address_of(1));
	release(PAGES, 1);
	__inlay_bpf_arena_free_pages_v1(&map.desc, 0, 1);
	__inlay_bpf_arena_free_pages_v1(&map.desc, address_of(1), 0);
	assert_true(is_live(1) && is_live(2));
	/* to the end, and no further; a page by any address in it */
	__inlay_bpf_arena_free_pages_v1(&map.desc, (__u32)address_of(2) + 77, UINT32_MAX);
	assert_true(is_live(1) && !is_live(2));
	assert_int_equal(alloc_at(address_of(2), PAGES - 2), address_of(2));
}

/* Where an access goes: in the pages that there are, and aligned if it has to be. */
static void where_it_goes(void **state)
{
	const __u64 user = address_of(2);
	const __u32 low = (__u32)user;
	char *at;

	(void)state;
	start();
	assert_int_equal(alloc_at(user, 2), user);
	at = (char *)map.desc.region + inlay_arena_pages_off(PAGES) + 2 * PAGE;
	assert_ptr_equal(inlay_arena_at(&map.desc, user, 0, 8, 0), at);
	assert_ptr_equal(inlay_arena_at(&map.desc, low, 5, 1, 0), at + 5);
	assert_ptr_equal(inlay_arena_at(&map.desc, low | 7ull << 32, -1 + PAGE, 8, 0),
			 at + PAGE - 1);
	assert_ptr_equal(inlay_arena_at(&map.desc, low + 2 * PAGE, -8, 8, 1), at + 2 * PAGE - 8);
	assert_null(inlay_arena_at(&map.desc, low + 2 * PAGE, -7, 8, 0));
	assert_null(inlay_arena_at(&map.desc, low, -1, 1, 0));
	assert_null(inlay_arena_at(&map.desc, low, -1, 2, 0));
	assert_null(inlay_arena_at(&map.desc, low, 4, 8, 1));
	assert_null(inlay_arena_at(&map.desc, low, 2 * PAGE, 1, 0));
	assert_null(inlay_arena_at(&map.desc, 0, 0, 8, 0));
	assert_null(inlay_arena_at(&map.desc, (__u32)address_of(0), -1, 1, 0));
	assert_null(inlay_arena_at(&map.desc, ~0ull, INT16_MAX, 8, 0));
	release(3, 1);
	assert_null(inlay_arena_at(&map.desc, low, PAGE - 1, 2, 0));
	assert_non_null(inlay_arena_at(&map.desc, low, PAGE - 1, 1, 0));
}

/* A table of random bits, also changed meanwhile: whatever comes of it lies in the pages. */
static void hostile_table(void **state)
{
	struct fixture_procs *procs = fixture_procs;
	__u64 random = 362436069ull;
	char *pages;

	(void)state;
	start();
	fixture_procs = NULL; /* which has no row for most names */
	pages = (char *)map.desc.region + inlay_arena_pages_off(PAGES);
	for (int round = 0; round < 200000; round++) {
		__u64 r = fixture_random(&random), bytes = 1ull << (r & 3);
		__u64 *header = map.desc.region;
		char *at;

		words()[r >> 8 & 7] = (__u32)fixture_random(&random);
		header[r >> 16 & 7] = fixture_random(&random) >> (r >> 24 & 63);
		at = inlay_arena_at(&map.desc, address_of(0) - 16 + (r >> 32) % (PAGES * PAGE + 32),
				    (__s16)(r >> 4), bytes, r >> 30 & 1);
		assert_true(!at || (at >= pages && at + bytes <= pages + PAGES * PAGE));
		switch (r >> 20 & 63) {
		case 0:
			alloc(1 + (r >> 40) % PAGES);
			break;
		case 1:
			release((r >> 40) % PAGES, 1 + (r >> 48) % PAGES);
			break;
		}
	}
	fixture_procs = procs;
}

/* ---- killed ---- */

enum op { ALLOC_ONE, ALLOC_THREE, ALLOC_AT, FREE_TWO, OPS };
static const char *const op_names[] = { "one page", "three pages", "two at an address", "free" };

/* Two pages before it, of which the second is used and free again; page 4 is another's. */
static void before(void)
{
	start();
	assert_int_equal(alloc(2), 0);
	fill(0, 1);
	fill(1, 2);
	release(1, 1);
	assert_int_equal(alloc_at(address_of(4), 1), address_of(4));
	fill(4, 4);
}

static void run(enum op op)
{
	switch (op) {
	case ALLOC_ONE:
		alloc(1);
		break;
	case ALLOC_THREE:
		assert_int_equal(alloc(3), 1);
		break;
	case ALLOC_AT:
		assert_int_equal(alloc_at(address_of(2), 2), address_of(2));
		break;
	default:
		release(4, 2);
	}
}

static void die(void)
{
	longjmp(killed, 1);
}

/* The survivor has what it had, and can have all other pages but those that the dead was given. */
static void check_after_death(enum op op, int n)
{
	__u32 i, given = 0, mine = 0;

	assert_true(is_live(0));
	assert_int_equal(page_at(0)[3], 1);
	if (op != FREE_TWO)
		assert_int_equal(page_at(4)[3], 4);
	for (i = 1; i < PAGES; i++)
		given += i != 4 && is_live(i);
	/* asked for by its address, too */
	if (!is_live(3)) {
		assert_int_equal(alloc_at(address_of(3), 1), address_of(3));
		assert_zero(3);
		mine++;
	}
	if (op == FREE_TWO)
		given += is_live(4);
	while ((i = alloc(1)) < PAGES) {
		assert_zero(i);
		mine++;
	}
	if (mine + given + 1 + (op != FREE_TWO) != PAGES)
		fail_msg("%s killed at %d: %u pages of the survivor's, %u of the dead's",
			 op_names[op], n, mine, given);
	for (i = 0; i < PAGES; i++)
		assert_true(is_live(i));
}

static void killed_at_every_access(void **state)
{
	volatile int n, op;

	(void)state;
	for (op = 0; op < OPS; op++) {
		for (n = 0; n < STEPS_MAX; n++) {
			before();
			fixture_row = 1;
			if (!setjmp(killed)) {
				steps_left = n;
				at_step = die;
				run((enum op)op);
				break;
			}
			fixture_row = 0;
			fixture_procs->is_dead[1] = 1;
			check_after_death((enum op)op, n);
		}
		at_step = NULL;
		assert_in_range(n, 3, STEPS_MAX - 1);
	}
}

/* ---- interrupted ---- */

static __u32 inner_page, inner_row;

static void allocate_two(void)
{
	__u32 row = fixture_row;

	fixture_row = inner_row;
	inner_page = alloc(2);
	if (inner_page < PAGES) {
		assert_zero(inner_page);
		assert_zero(inner_page + 1);
		fill(inner_page, 99);
		fill(inner_page + 1, 99);
	}
	fixture_row = row;
}

static void free_all(void)
{
	inner_page = PAGES;
	release(0, 1);
	release(4, 1);
}

static void interrupted_at_every_access(void **state)
{
	void (*const inner[])(void) = { allocate_two, free_all };

	(void)state;
	for (inner_row = 0; inner_row < 2; inner_row++)
		for (int i = 0; i < 2; i++) {
			int n;

			for (n = 0; n < STEPS_MAX; n++) {
				__u32 page, k;

				before();
				inner_page = PAGES;
				steps_left = n;
				at_step = inner[i];
				page = alloc(1);
				if (at_step)
					break;
				assert_in_range(page, 0, PAGES - 1);
				assert_zero(page);
				for (k = inner_page; k < inner_page + 2 && k < PAGES; k++) {
					assert_int_not_equal(k, page);
					assert_int_equal(page_at(k)[PAGE / 8 - 1], 99);
				}
				for (k = 0; k < PAGES; k++)
					assert_int_not_equal(INLAY_PAGE_STATE(words()[k]),
							     INLAY_PAGE_TAKEN);
			}
			at_step = NULL;
			assert_in_range(n, 3, STEPS_MAX - 1);
		}
}

/* The handler forks, and its child returns into the allocation: the pages are the parent's. */
static void become_a_child(void)
{
	fixture_row = 1;
}

static void forked_at_every_access(void **state)
{
	int n;

	(void)state;
	for (n = 0; n < STEPS_MAX; n++) {
		__u32 page, i, nr_taken = 0;

		before();
		steps_left = n;
		at_step = become_a_child;
		page = alloc(1);
		if (at_step)
			break;
		assert_in_range(page, 1, PAGES - 1);
		for (i = 0; i < PAGES; i++)
			if (INLAY_PAGE_STATE(words()[i]) == INLAY_PAGE_TAKEN) {
				assert_int_equal(INLAY_PAGE_OWNER(words()[i]), 1);
				assert_int_not_equal(i, page);
				nr_taken++;
			}
		assert_true(nr_taken <= 1);
	}
	at_step = NULL;
	assert_in_range(n, 3, STEPS_MAX - 1);
}

/* ---- no memory ---- */

/* A huge arena before the runtime has mapped it: nothing is there, and nothing faults. */
static void without_pages(void **state)
{
	struct inlay_map_desc huge = map.desc;
	void *none = NULL;

	(void)state;
	huge.flags |= INLAY_MAP_HUGE;
	huge.region = NULL;
	huge.base = &none;
	assert_int_equal(__inlay_bpf_arena_alloc_pages_v1(&huge, 0, 1, 0, 0), 0);
	__inlay_bpf_arena_free_pages_v1(&huge, address_of(0), 1);
	assert_null(inlay_arena_at(&huge, address_of(0), 0, 8, 0));
}

static int setup(void **state)
{
	(void)state;
	fixture_procs = calloc(1, sizeof(*fixture_procs));
	fixture_init(&map, INLAY_MAP_TYPE_ARENA, 0, 0, PAGES);
	map.desc.extra = (__u32)(first >> 32);
	map.desc.value_stride = (__u32)first;
	return fixture_procs ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fixture_fini(&map);
	free(fixture_procs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_model),
		cmocka_unit_test(what_is_asked_for),
		cmocka_unit_test(where_it_goes),
		cmocka_unit_test(hostile_table),
		cmocka_unit_test(killed_at_every_access),
		cmocka_unit_test(interrupted_at_every_access),
		cmocka_unit_test(forked_at_every_access),
		cmocka_unit_test(without_pages),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
