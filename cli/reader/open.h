/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What opening a segment and walking a directory of them share: options and refusals.
 */
#ifndef INLAY_READER_OPEN_H
#define INLAY_READER_OPEN_H

#include "inlay/inlay.h"

/* Copies the caller's options, absent members zero; opts may be NULL. */
int opts_load(const struct inlay_segment_opts *opts, struct inlay_segment_opts *ret_opts);
/* Writes the reason for `error` and returns it. */
int refuse(const struct inlay_segment_opts *opts, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Makes a reader of an open file, which it owns from then on, also on failure. */
int reader_new(int fd, const char *path, const struct inlay_segment_opts *opts,
	       struct inlay_reader **ret_reader);
/* Opens the directory of segments after checking who owns it. */
int dir_open(const struct inlay_segment_opts *opts, char *ret_path, size_t path_bytes, int *ret_fd);
uid_t opts_owner(const struct inlay_segment_opts *opts);
/* Opens a name of the directory, without following a link. */
int segment_openat(int dir_fd, const char *name, const char *path,
		   const struct inlay_segment_opts *opts, struct inlay_reader **ret_reader);

/*
 * memfd.c: segments in memfds of running processes, by the paths /proc/PID/fd/FD.
 * memfd_open_pid(): -ENOENT: the process has none; -ESRCH: there is no such process.
 */
bool memfd_is_path(const char *path);
int memfd_open(const char *path, const struct inlay_segment_opts *opts,
	       struct inlay_reader **ret_reader);
int memfd_open_pid(uint32_t pid, const struct inlay_segment_opts *opts,
		   struct inlay_reader **ret_reader);
int memfd_list(const struct inlay_segment_opts *opts, inlay_segment_fn fn, void *arg);

#endif /* INLAY_READER_OPEN_H */
