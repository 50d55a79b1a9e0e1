/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers under load: threads that meet at the tail while a consumer follows them, signal handlers
 * that interrupt a reservation, producers that are killed at any instruction, and somebody who writes
 * random bytes all over the region. Also built with ThreadSanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "inlay/ring.h"
#include "ring_stubs.h"
#include "rt/map_ringbuf.h"

#ifdef __SANITIZE_THREAD__
#define IS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#endif
#ifndef IS_TSAN
#define IS_TSAN 0
#endif

enum { NR_THREADS = 3, NR_RECORDS = IS_TSAN ? 30000 : 300000, RING_BYTES = 1 << 16,
       NR_KILLS = 150, WORDS_MAX = 40 };

static struct stub_map map;
static struct inlay_ring ring;
static __u64 *next_of[STUB_OWNERS];	/* numbers expected of each producer */
static __u64 seen[STUB_OWNERS];

/* A record of a producer: {producer, number}, then words that follow from the two. */
static bool produce(__u64 producer, __u64 number)
{
	__u64 nr = 2 + (number * 7 + producer) % 8, i;
	__u64 *words;

	if (number % 64 == 5)
		nr = WORDS_MAX;
	words = __inlay_ringbuf_reserve_v1(&map.desc, nr * 8, 0);
	if (!words)
		return false;
	words[0] = producer;
	words[1] = number;
	for (i = 2; i < nr; i++)
		words[i] = number * 31 + producer + i;
	if (number % 16 == 3)
		__inlay_ringbuf_discard_v1(words, 0);
	else
		__inlay_ringbuf_submit_v1(words, 0);
	return true;
}

static void check_handler(__u64 number);

/* Whole, and later than what the same producer wrote before. */
static void check(const struct inlay_ring_record *record)
{
	const __u64 *words = record->data;
	__u64 i;

	assert_in_range(record->bytes, 16, WORDS_MAX * 8);
	assert_in_range(words[0], 0, STUB_OWNERS - 1);
	for (i = 2; i < record->bytes / 8; i++)
		assert_int_equal(words[i], words[1] * 31 + words[0] + i);
	assert_true(words[1] % 16 != 3);
	if (words[1] < *next_of[words[0]])
		fail_msg("record %llu of %llu behind %llu", words[1], words[0],
			 *next_of[words[0]] - 1);
	*next_of[words[0]] = words[1] + 1;
	if (words[0] == 1)
		check_handler(words[1]);
	seen[words[0]]++;
}

static enum inlay_ring_found consume(int max)
{
	struct inlay_ring_record record;
	enum inlay_ring_found found = INLAY_RING_EMPTY;

	while (max-- && (found = inlay_ring_next(&ring, &record)) == INLAY_RING_RECORD) {
		check(&record);
		inlay_ring_pass(&ring, &record);
	}
	inlay_ring_release(&ring);
	return found;
}

static int open_map(void **state)
{
	static __u64 numbers[STUB_OWNERS];
	int i;

	*state = NULL;
	__inlay_process_v1.epoch = 1;
	for (i = 0; i < STUB_OWNERS; i++) {
		next_of[i] = &numbers[i];
		numbers[i] = seen[i] = 0;
	}
	stub_map_open(&map, INLAY_MAP_TYPE_RINGBUF, RING_BYTES);
	/* a seat is never exchanged, and this ring may not be where the last test's was */
	memset(inlay_ring_this(), 0, sizeof(*inlay_ring_this()));
	inlay_ring_open(&ring, map.desc.region, RING_BYTES, stub_is_alive, stub_barrier, NULL);
	return 0;
}

static int close_map(void **state)
{
	(void)state;
	stub_map_close(&map);
	return 0;
}

/* Everything that was put in was seen, and all room is there again. */
static void check_room(void)
{
	struct inlay_ring_header *h = map.desc.region;
	int nr = 0;

	assert_int_equal(consume(-1), INLAY_RING_EMPTY);
	assert_int_equal(ring.broken, 0);
	assert_int_equal(h->free_pos & INLAY_RING_WORD_POS_MASK, INLAY_RING_WORD_POS(h->tail));
	while (__inlay_ringbuf_reserve_v1(&map.desc, 8, 0))
		nr++;
	/* heads of spans, as large as such a record, are not counted */
	assert_in_range(nr, RING_BYTES / 16 - 1 - 32, RING_BYTES / 16 - 1);
	assert_int_equal((INLAY_RING_WORD_POS(h->tail) - h->free_pos) & INLAY_RING_WORD_POS_MASK,
			 RING_BYTES - 16);
}

/* ---- Threads ---------------------------------------------------------------------------- */

struct producer {
	pthread_t thread;
	__u64 nr;
	__u64 nr_lost;
};
static int nr_running;

static void *thread_main(void *arg)
{
	struct producer *p = arg;
	__u64 i;

	/* threads of one process have one name */
	for (i = 0; i < NR_RECORDS; i++)
		if (!produce(p->nr, i)) {
			p->nr_lost++;
			sched_yield(); /* else nearly all are lost */
		}
	__atomic_fetch_sub(&nr_running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void threads(void **state)
{
	struct inlay_ring_header *h = map.desc.region;
	struct producer producers[NR_THREADS] = { 0 };
	__u64 nr_lost = 0, nr_seen = 0, i, nr_discarded = 0;

	(void)state;
	nr_running = NR_THREADS;
	for (i = 0; i < NR_THREADS; i++) {
		producers[i].nr = i;
		pthread_create(&producers[i].thread, NULL, thread_main, &producers[i]);
	}
	while (__atomic_load_n(&nr_running, __ATOMIC_ACQUIRE))
		consume(1000);
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(producers[i].thread, NULL);
		nr_lost += producers[i].nr_lost;
	}
	assert_int_equal(consume(-1), INLAY_RING_EMPTY);
	for (i = 0; i < NR_THREADS; i++)
		nr_seen += seen[i];
	assert_int_equal(nr_lost, h->lost);
	assert_int_equal(h->dead, 0);
	/* what was discarded may have been lost instead */
	nr_discarded = NR_THREADS * ((NR_RECORDS + 12) / 16);
	assert_in_range(nr_seen + nr_lost, NR_THREADS * NR_RECORDS - nr_discarded,
			NR_THREADS * NR_RECORDS);
	print_message("%llu seen, %llu lost\n", nr_seen, nr_lost);
	assert_true(nr_seen > NR_RECORDS / 100);
	check_room();
}

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000 + (__u64)t.tv_nsec;
}

/* ---- Signal handlers -------------------------------------------------------------------- */

static volatile __u64 nr_signals, nr_signals_lost;
/* What the thread was producing when the handler came; 0: not noted. */
static volatile __u64 number_now;
enum { SIGNALS_MAX = 1 << 16 };
static __u64 number_then[SIGNALS_MAX];

static void on_alarm(int sig)
{
	(void)sig;
	number_then[nr_signals % SIGNALS_MAX] = number_now;
	nr_signals_lost += !produce(1, nr_signals++);
}

/* What the thread produced later stands behind what its handler had produced. */
static void check_handler(__u64 number)
{
	if (number_then[number % SIGNALS_MAX])
		assert_true(*next_of[0] <= number_then[number % SIGNALS_MAX] + 1);
}

static void signals(void **state)
{
	struct itimerval every = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	__u64 i, nr_lost = 0;

	nr_signals = nr_signals_lost = 0;
	/* as the lone producer, and by locked instructions */
	stub_is_locked = *state != NULL;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	for (i = 0; nr_signals < (IS_TSAN ? 500 : 4000); i++) {
		nr_lost += !produce(0, i);
		if (i % 400 == 0)
			consume(-1);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	stub_is_locked = false;
	consume(-1);
	assert_int_equal(((struct inlay_ring_header *)map.desc.region)->lone & INLAY_RING_LONE_SHARE,
			 *state || !INLAY_RING_HAS_LONE ? INLAY_RING_LONE_SETTLED : 0);
	assert_int_equal(nr_lost + nr_signals_lost,
			 ((struct inlay_ring_header *)map.desc.region)->lost);
	assert_in_range(seen[0] + nr_lost, i - (i + 12) / 16, i);
	assert_in_range(seen[1] + nr_signals_lost, nr_signals - (nr_signals + 12) / 16, nr_signals);
	check_room();
}

static struct inlay_ring_header *lone_header(void)
{
	return map.desc.region;
}

/* Makes the calling thread one that others were in the way of. */
static struct inlay_ring_seat *become_hot(void)
{
	struct inlay_ring_seat *seat =
		&__inlay_ring_thread_v1.seats[inlay_ring_seat_index(&map.desc)];

	lone_header()->lone = INLAY_RING_LONE_SETTLED;
	seat->lone = 0;
	seat->tail = 0; /* somebody has claimed since */
	seat->heat = 96;
	return seat;
}

/* As a thread with spans and a slot. */
static void signals_in_spans(void **state)
{
	struct itimerval every = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	__u64 i, nr_lost = 0;

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	assert_true(produce(0, 0));
	nr_signals = nr_signals_lost = 0;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &every, NULL);
	for (i = 1; nr_signals < 4000; i++) {
		become_hot();
		number_now = i;
		nr_lost += !produce(0, i);
		if (i % 400 == 0)
			consume(-1);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	number_now = 0;
	consume(-1);
	memset(number_then, 0, sizeof(number_then));
	assert_int_equal(nr_lost + nr_signals_lost, lone_header()->lost);
	assert_in_range(seen[0] + nr_lost, i - (i + 12) / 16, i);
	assert_in_range(seen[1] + nr_signals_lost, nr_signals - (nr_signals + 12) / 16, nr_signals);
	assert_true(become_hot()->slot > INLAY_RING_NO_SLOT);
	check_room();
}

static void signals_locked(void **state)
{
	*state = &map;
	signals(state);
	*state = NULL;
}

/* ---- The lone producer ------------------------------------------------------------------ */

/* Threads that libc knows nothing of, with storage of their own or with ours. */
static int raw_main(void *arg)
{
	__u64 nr = (__u64)(uintptr_t)arg, i;

	for (i = 0; i < NR_RECORDS / 4; i++)
		while (!produce(nr, i))
			sched_yield();
	__atomic_fetch_sub(&nr_running, 1, __ATOMIC_RELEASE);
	syscall(SYS_exit, 0);
	return 0;
}

/* How many of the others' events are lost: the few before it is settled that they may claim. */
static void raw_threads(void **state)
{
	enum { STACK = 256 << 10 };
	struct inlay_ring_header *h = lone_header();
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 i = 0, before;

	(void)state;
	if (IS_TSAN)
		skip(); /* it does not know of such threads */
	assert_true(stack != MAP_FAILED);
	for (; i < 100; i++)
		assert_true(produce(0, i));
	consume(-1);
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_HAS_LONE ? 0 : 2);
	nr_running = 1;
	assert_true(clone(raw_main, stack + STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM, (void *)1) > 0);
	before = h->lost;
	while (__atomic_load_n(&nr_running, __ATOMIC_ACQUIRE)) {
		if (produce(0, i))
			i++;
		else
			consume(-1);
	}
	consume(-1);
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	assert_int_equal(seen[0], i - (i + 12) / 16);
	assert_int_equal(seen[1], NR_RECORDS / 4 - (NR_RECORDS / 4 + 12) / 16);
	print_message("%llu of ours meanwhile, %llu lost\n", i - 100, h->lost - before);
	munmap(stack, STACK);
	check_room();
}

static void *one_record(void *arg)
{
	return produce(1, (__u64)(uintptr_t)arg) ? arg : NULL;
}

static bool is_taken_by_other(__u64 number)
{
	pthread_t thread;
	void *ret;

	pthread_create(&thread, NULL, one_record, (void *)(uintptr_t)number);
	pthread_join(thread, &ret);
	return ret != NULL;
}

/* Somebody else comes while the lone producer is, or was for good, in the middle of a claim. */
static void lone_is_busy(void **state)
{
	struct inlay_ring_header *h = lone_header();
	__u64 busy = (__u64)(uintptr_t)__builtin_frame_address(0) + 4096;

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	assert_true(produce(0, 0));
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, 0);
	/* further up on our stack than we are: we are a handler */
	h->lone_busy = busy;
	assert_true(produce(0, 1));
	assert_int_equal(h->lone_busy, busy);
	assert_false(is_taken_by_other(1));
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_ASKED);
	assert_true(produce(0, 2));
	assert_false(is_taken_by_other(1));
	/* further down: whoever was there has left by longjmp() */
	h->lone_busy -= 65536;
	assert_true(produce(0, 4));
	assert_int_equal(h->lone_busy, 0);
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	assert_true(is_taken_by_other(1));
	assert_int_equal(h->lost, 2);
	consume(-1);
	assert_int_equal(seen[0], 4);
	assert_int_equal(seen[1], 1);
}

/* Where the barrier is forbidden, others come in after the time in which stores are seen. */
static void no_barrier(void **state)
{
	struct inlay_ring_header *h = lone_header();
	__u64 i, until;

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	assert_true(produce(0, 0));
	stub_is_forbidden = true;
	assert_false(is_taken_by_other(1));
	until = now_ns() + 2000000000ull;
	for (i = 1; !is_taken_by_other(1); i++)
		assert_true(now_ns() < until);
	stub_is_forbidden = false;
	assert_int_equal(h->lost, i);
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	assert_true(produce(0, 1));
	consume(-1);
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[1], 1);
}

static void *end_within_claim(void *arg)
{
	struct inlay_ring_header *h = lone_header();

	__inlay_thread_v1.pid_tgid = (__u64)getpid() << 32 | (__u32)syscall(SYS_gettid);
	assert_true(produce(1, 0));
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, 0);
	h->lone_busy = (__u64)(uintptr_t)__builtin_frame_address(0);
	return arg;
}

/* A thread that was ended in the middle of a claim never says that it is out of it. */
static void lone_has_ended(void **state)
{
	pthread_t thread;

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	pthread_create(&thread, NULL, end_within_claim, NULL);
	pthread_join(thread, NULL);
	__inlay_thread_v1.pid_tgid = (__u64)getpid() << 32 | (__u32)syscall(SYS_gettid);
	assert_true(produce(0, 0));
	__inlay_thread_v1.pid_tgid = 0;
	assert_int_equal(lone_header()->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	consume(-1);
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 1);
	check_room();
}

/* One of another process, which lives on, is waited for as long as one that is stopped. */
static void lone_has_ended_elsewhere(void **state)
{
	struct inlay_ring_header *h = lone_header();

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	h->lone = 2ull << INLAY_RING_LONE_OWNER_SHIFT | 4711ull << INLAY_RING_LONE_TID_SHIFT;
	h->lone_busy = (__u64)(uintptr_t)&h;
	assert_false(produce(0, 0));
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_ASKED);
	h->lone_asked -= 1ull << 34;
	assert_false(produce(0, 0));
	h->lone_asked -= 1ull << 34;
	assert_true(produce(0, 0));
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	consume(-1);
	assert_int_equal(seen[0], 1);
	check_room();
}

static __u64 busy_in_handler;

static void produce_in_handler(int sig)
{
	(void)sig;
	assert_true(produce(0, 1));
	busy_in_handler = lone_header()->lone_busy;
}

static __attribute__((noinline)) void interrupted_in_claim(void)
{
	struct inlay_ring_header *h = lone_header();
	__u64 busy = (__u64)(uintptr_t)__builtin_frame_address(0);

	h->lone_busy = busy;
	raise(SIGUSR1);
	assert_int_equal(busy_in_handler, busy);
	assert_int_equal(h->lone_busy, busy);
	h->lone_busy = 0;
}

/* A handler on a piece of the thread's stack is further up, and yet in the middle of the claim. */
static void lone_on_a_piece_of_the_stack(void **state)
{
	char piece[64 << 10];
	stack_t stack = { .ss_sp = piece, .ss_size = sizeof(piece) }, none = { .ss_flags = SS_DISABLE };
	struct sigaction act = { .sa_handler = produce_in_handler, .sa_flags = SA_ONSTACK };

	(void)state;
	if (!INLAY_RING_HAS_LONE || IS_TSAN)
		skip();
	assert_true(produce(0, 0));
	assert_int_equal(sigaltstack(&stack, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
	interrupted_in_claim();
	sigaltstack(&none, NULL);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(lone_header()->lone & INLAY_RING_LONE_SHARE, 0);
	consume(-1);
	assert_int_equal(seen[0], 2);
}

static ucontext_t here, elsewhere;

static void produce_elsewhere(void)
{
	assert_true(produce(0, 1));
}

/* On a stack that is not the thread's another one may run that shares its storage: it is not the lone one. */
static void vacant_on_another_stack(void **state)
{
	static char stack[64 << 10] __attribute__((aligned(64)));
	struct inlay_ring_header *h = lone_header();

	(void)state;
	if (!INLAY_RING_HAS_LONE || IS_TSAN)
		skip();
	assert_true(produce(0, 0));
	h->lone = 0; /* as if another process had been it, and had died */
	for (__u32 i = 0; i < INLAY_RING_SEATS; i++)
		__inlay_ring_thread_v1.seats[i].lone = 0;
	assert_int_equal(getcontext(&elsewhere), 0);
	elsewhere.uc_stack.ss_sp = stack;
	elsewhere.uc_stack.ss_size = sizeof(stack);
	elsewhere.uc_link = &here;
	makecontext(&elsewhere, produce_elsewhere, 0);
	assert_int_equal(swapcontext(&here, &elsewhere), 0);
	assert_int_equal(h->lone & INLAY_RING_LONE_SHARE, INLAY_RING_LONE_SETTLED);
	consume(-1);
	assert_int_equal(seen[0], 2);
	check_room();
}

/* ---- Spans ------------------------------------------------------------------------------ */

static __u64 asked_at;	/* where the barrier was asked for last */

static int note_barrier(void *ctx, __u64 pos)
{
	(void)ctx;
	asked_at = pos;
	return 0;
}

/* An owner that had looked before the mark takes one more: it is delivered, and asked about anew. */
static void one_more_behind_the_mark(void **state)
{
	enum { SPAN = 256 };
	struct inlay_ring_header *h = lone_header();
	__u64 *at = (__u64 *)(void *)(h + 1), own = 1ull << INLAY_RING_OWNER_SHIFT, first;
	struct inlay_ring_record record;

	(void)state;
	inlay_ring_open(&ring, h, RING_BYTES, stub_is_alive, note_barrier, NULL);
	h->slots[0].span = INLAY_RING_SLOT_OPEN;
	at[0] = INLAY_RING_SET | INLAY_RING_SPAN | own | 1ull << INLAY_RING_SPAN_SLOT_SHIFT |
		(SPAN - 8);
	at[2] = INLAY_RING_SET | INLAY_RING_IN_SPAN | own | 8;
	h->tail = (__u64)SPAN / 8 << INLAY_RING_WORD_POS_SHIFT |
		  (__u64)SPAN / 8 << INLAY_RING_WORD_EXTENT_SHIFT | 1;
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_RECORD);
	inlay_ring_pass(&ring, &record);
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_HELD);
	first = asked_at;
	assert_int_equal(h->slots[0].span, INLAY_RING_SLOT_OPEN | INLAY_RING_SLOT_CLOSED);
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_HELD);
	assert_int_equal(asked_at, first);
	at[4] = INLAY_RING_SET | INLAY_RING_IN_SPAN | own | 8;
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_RECORD);
	inlay_ring_pass(&ring, &record);
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_HELD);
	assert_int_not_equal(asked_at, first);
	/* another one that it takes records in: it does not have to be asked */
	h->slots[0].span = INLAY_RING_SLOT_OPEN | 1024;
	assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_EMPTY);
	assert_int_equal(ring.cons, SPAN);
	assert_int_equal(h->slots[0].span, INLAY_RING_SLOT_OPEN | 1024);
	assert_int_equal(ring.broken, 0);
}

/* A handler that interrupts the thread when it takes a record in its span; and one that does not come back. */
static void span_is_busy(void **state)
{
	__u64 frame = (__u64)(uintptr_t)__builtin_frame_address(0), i, next;
	struct inlay_ring_seat *seat;
	struct inlay_ring_slot *slot;

	(void)state;
	if (!INLAY_RING_HAS_LONE)
		skip();
	assert_true(produce(0, 0));
	seat = become_hot();
	for (i = 6; i < 12; i++)
		assert_true(produce(0, i));
	assert_in_range(seat->slot, offsetof(struct inlay_ring_header, slots), INLAY_PAGE_BYTES - 64);
	slot = (struct inlay_ring_slot *)((char *)lone_header() + seat->slot);
	assert_true(slot->span == seat->span && slot->span & INLAY_RING_SLOT_OPEN);
	assert_int_equal(slot->busy, 0);
	/* further up on our stack: we are the handler, and leave alone what the thread is doing */
	slot->busy = frame + 4096;
	next = seat->next;
	assert_true(produce(0, 12));
	assert_true(produce(0, 13));
	assert_int_equal(seat->next, next);
	assert_int_equal(slot->busy, frame + 4096);
	/* what the thread takes later stands behind it */
	slot->busy = 0;
	assert_true(produce(0, 14));
	assert_int_not_equal(seat->next, next);
	/* further down: a handler was there, and has left by longjmp() */
	slot->busy = frame - 65536;
	assert_true(produce(0, 15));
	assert_int_equal(slot->busy, 0);
	consume(-1);
	assert_int_equal(seen[0], 11);
	assert_int_equal(lone_header()->lost, 0);
	check_room();
}

/* ---- Kills ------------------------------------------------------------------------------ */

static void sleep_ns(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

static pid_t start(__u64 producer)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	stub_owner = (__u32)producer + 1;
	__inlay_process_v1.epoch = 2 + (__u32)producer; /* as a fork child finds out */
	alarm(60);
	for (__u64 i = *next_of[producer];; i++)
		if (!produce(producer, i))
			sched_yield();
}

static void kills(void **state)
{
	struct inlay_ring_header *h = map.desc.region;
	pid_t pids[2];
	__u64 seed = 9;
	int i, k;

	(void)state;
	if (IS_TSAN)
		skip(); /* its runtime does not live through this */
	stub_owners = mmap(NULL, sizeof(*stub_owners), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(stub_owners != MAP_FAILED);
	for (k = 0; k < 2; k++)
		pids[k] = start((__u64)k);
	for (i = 0; i < NR_KILLS; i++) {
		__u64 until = now_ns() + 200000 + stub_random(&seed) % 2000000, had, begin;

		k = i % 2;
		while (now_ns() < until)
			consume(100);
		kill(pids[k], SIGKILL);
		waitpid(pids[k], NULL, 0);
		stub_owners->is_dead[k + 1] = 1;
		/* the other one goes on, and its records come, within 100 ms */
		had = seen[!k];
		begin = now_ns();
		while (seen[!k] == had) {
			consume(100);
			if (now_ns() - begin > 100000000 && seen[!k] == had)
				fail_msg("kill %d: held up for 100 ms", i);
			sleep_ns(1000);
		}
		/* a new process in the same row comes when all of the old one's is gone */
		had = INLAY_RING_WORD_POS(__atomic_load_n(&h->tail, __ATOMIC_ACQUIRE));
		while (((had - ring.cons) & INLAY_RING_WORD_POS_MASK) - 1 < RING_BYTES)
			consume(100);
		stub_owners->is_dead[k + 1] = 0;
		*next_of[k] += 1u << 20; /* some were made and lost */
		pids[k] = start((__u64)k);
	}
	for (k = 0; k < 2; k++) {
		kill(pids[k], SIGKILL);
		waitpid(pids[k], NULL, 0);
		stub_owners->is_dead[k + 1] = 1;
	}
	print_message("%llu and %llu records, %llu lost, %llu of the dead\n", seen[0], seen[1],
		      h->lost, h->dead);
	stub_owner = 3;
	__inlay_process_v1.epoch = 9;
	assert_true(seen[0] > NR_KILLS && seen[1] > NR_KILLS);
	assert_true(h->dead <= NR_KILLS + 2);
	check_room();
}

/* ---- Hostile bytes ---------------------------------------------------------------------- */

static int is_over;

static void *scribble(void *arg)
{
	__u64 *words = map.desc.region, seed = 77;

	(void)arg;
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		/* every other time the header, where it hurts */
		__u64 at = stub_random(&seed) % 2 ? stub_random(&seed) % 64 :
						    stub_random(&seed) % (map.desc.region_bytes / 8);
		__u64 *word = &words[at];

		switch (stub_random(&seed) % 4) {
		case 0:
			__atomic_store_n(word, stub_random(&seed) << 32 ^ stub_random(&seed),
					 __ATOMIC_RELAXED);
			break;
		case 1:
			__atomic_store_n(word, 0, __ATOMIC_RELAXED);
			break;
		case 2:
			__atomic_fetch_xor(word, 1ull << stub_random(&seed) % 64, __ATOMIC_RELAXED);
			break;
		default:
			__atomic_fetch_add(word, 8, __ATOMIC_RELAXED);
			break;
		}
	}
	return NULL;
}

static void *careless(void *arg)
{
	__u64 seed = 5, nr = 0;

	(void)arg;
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		__u64 bytes = stub_random(&seed) % 3 ? stub_random(&seed) % 200 :
						       stub_random(&seed) % RING_BYTES;
		char *at = __inlay_ringbuf_reserve_v1(&map.desc, bytes, 0);

		if (at)
			memset(at, 0xff, bytes);
		if (at && nr++ % 2)
			__inlay_ringbuf_submit_v1(at, 0);
		else if (at)
			__inlay_ringbuf_discard_v1(at, INLAY_BPF_RB_FORCE_WAKEUP);
		__inlay_ringbuf_query_v1(&map.desc, nr % 5);
	}
	return NULL;
}

/* Guard pages around the region turn a byte outside into a crash; the timeout, a loop. */
static void hostile(void **state)
{
	pthread_t threads[3];
	__u64 until, nr = 0;
	int i;

	(void)state;
	if (IS_TSAN)
		skip(); /* it races on purpose */
	is_over = 0;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, i ? careless : scribble, NULL);
	until = now_ns() + 2000000000ull;
	/* on a busy machine longer, until a record has come through */
	while (now_ns() < until || (!nr && now_ns() < until + 20000000000ull)) {
		struct inlay_ring_record record;
		int left = 50;

		inlay_ring_open(&ring, map.desc.region, RING_BYTES, stub_is_alive, stub_barrier, NULL);
		while (left--) {
			enum inlay_ring_found found = inlay_ring_next(&ring, &record);

			if (found == INLAY_RING_RECORD) {
				const char *data = record.data;

				nr += record.bytes && data[record.bytes - 1];
				inlay_ring_pass(&ring, &record);
			} else if (found == INLAY_RING_HELD) {
				inlay_ring_skip(&ring);
			}
			inlay_ring_release(&ring);
		}
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_true(nr > 0);
}

/*
 * A library is gone, and another one's map is where that library's was: a smaller one. Its own guard page
 * is behind it.
 */
static void same_address(void **state)
{
	const __u32 small = INLAY_PAGE_BYTES;
	size_t bytes = inlay_ring_region_bytes(small);
	char *behind = (char *)map.desc.region + bytes;
	__u32 nr = 0;
	void *record;

	(void)state;
	for (int i = 0; i < 4; i++)
		__inlay_ringbuf_submit_v1(__inlay_ringbuf_reserve_v1(&map.desc, 56, 0), 0);
	memset(map.desc.region, 0, bytes);
	assert_int_equal(mprotect(behind, (size_t)(map.pages + map.pages_bytes - behind), PROT_NONE),
			 0);
	map.desc.max_entries = small;
	map.desc.region_bytes = bytes;
	while (nr < RING_BYTES && (record = __inlay_ringbuf_reserve_v1(&map.desc, 56, 0))) {
		memset(record, 0xff, 56);
		__inlay_ringbuf_submit_v1(record, 0);
		nr++;
	}
	assert_int_equal(nr, small / 64 - 1);
	assert_int_equal(__inlay_ringbuf_query_v1(&map.desc, INLAY_BPF_RB_AVAIL_DATA), nr * 64);
}

/* More rings than a thread remembers, and than there is room for without asking for more; with a record open in each; ended in the other order. */
static void many_rings(void **state)
{
	enum { NR_RINGS = 400, NR_ROUNDS = 50 };
	static struct stub_map maps[NR_RINGS];
	static __u64 *records[NR_RINGS];
	struct inlay_ring_record record;
	int i, round;

	(void)state;
	for (i = 0; i < NR_RINGS; i++)
		stub_map_open(&maps[i], INLAY_MAP_TYPE_RINGBUF, INLAY_PAGE_BYTES);
	for (round = 0; round < NR_ROUNDS; round++) {
		for (i = 0; i < NR_RINGS; i++) {
			records[i] = __inlay_ringbuf_reserve_v1(&maps[i].desc, 8, 0);
			assert_non_null(records[i]);
			*records[i] = (__u64)(1000 * i + round);
		}
		for (i = NR_RINGS; i--;)
			__inlay_ringbuf_submit_v1(records[i], 0);
	}
	for (i = 0; i < NR_RINGS; i++) {
		inlay_ring_open(&ring, maps[i].desc.region, INLAY_PAGE_BYTES, stub_is_alive, stub_barrier, NULL);
		for (round = 0; round < NR_ROUNDS; round++) {
			assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_RECORD);
			assert_int_equal(*(const __u64 *)record.data, 1000 * i + round);
			inlay_ring_pass(&ring, &record);
		}
		assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_EMPTY);
		stub_map_close(&maps[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signals, open_map, close_map),
		cmocka_unit_test_setup_teardown(signals_locked, open_map, close_map),
		cmocka_unit_test_setup_teardown(raw_threads, open_map, close_map),
		cmocka_unit_test_setup_teardown(lone_is_busy, open_map, close_map),
		cmocka_unit_test_setup_teardown(no_barrier, open_map, close_map),
		cmocka_unit_test_setup_teardown(lone_has_ended, open_map, close_map),
		cmocka_unit_test_setup_teardown(lone_has_ended_elsewhere, open_map, close_map),
		cmocka_unit_test_setup_teardown(lone_on_a_piece_of_the_stack, open_map, close_map),
		cmocka_unit_test_setup_teardown(vacant_on_another_stack, open_map, close_map),
		cmocka_unit_test_setup_teardown(one_more_behind_the_mark, open_map, close_map),
		cmocka_unit_test_setup_teardown(span_is_busy, open_map, close_map),
		cmocka_unit_test_setup_teardown(signals_in_spans, open_map, close_map),
		cmocka_unit_test_setup_teardown(threads, open_map, close_map),
		cmocka_unit_test_setup_teardown(hostile, open_map, close_map),
		cmocka_unit_test_setup_teardown(kills, open_map, close_map),
		cmocka_unit_test_setup_teardown(same_address, open_map, close_map),
		cmocka_unit_test(many_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
