/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT, SIGTERM and SIGHUP while something must not be left half done: only a mark is set, and a
 * second one of the same kind ends the process as it would have.
 */
#ifndef INLAY_CLI_STOP_H
#define INLAY_CLI_STOP_H

#include <stdbool.h>

/* For the rest of the command, which asks stop_seen() and ends by itself. */
void stop_catch(void);
bool stop_seen(void);

/* Around one output: the process ends by the signal, but at stop_release(). Not on a terminal. */
void stop_hold(void);
void stop_release(void);

#endif /* INLAY_CLI_STOP_H */
