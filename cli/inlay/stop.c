/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end a command. See stop.h. */
#include <signal.h>
#include <stddef.h>

#include "cli/inlay/out.h"
#include "cli/inlay/stop.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { NR_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static volatile sig_atomic_t seen;
static bool is_caught;
static bool is_held[NR_SIGNALS];

static void on_stop(int sig)
{
	seen = sig;
}

/* A write that is interrupted goes on, or its line would be cut. */
static const struct sigaction action = {
	.sa_handler = on_stop,
	.sa_flags = SA_RESTART | (int)SA_RESETHAND,
};

void stop_catch(void)
{
	struct sigaction old;

	for (size_t i = 0; i < NR_SIGNALS; i++) {
		/* nohup(1) means it */
		if (signals[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
	is_caught = true;
}

bool stop_seen(void)
{
	return seen;
}

void stop_hold(void)
{
	struct sigaction old;

	if (is_caught || out_is_terminal())
		return;
	for (size_t i = 0; i < NR_SIGNALS; i++)
		is_held[i] = !sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL &&
			     !sigaction(signals[i], &action, NULL);
}

void stop_release(void)
{
	for (size_t i = 0; i < NR_SIGNALS; i++) {
		if (!is_held[i])
			continue;
		is_held[i] = false;
		signal(signals[i], SIG_DFL);
		if (seen == signals[i])
			raise(signals[i]);
	}
}
