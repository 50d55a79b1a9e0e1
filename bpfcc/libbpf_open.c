/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens an object with libbpf, for map definitions and BTF. libbpf has one print function a process
 * and no argument for it: ours is installed while a lock is held, knows its sink through the
 * thread, and passes on what other threads print.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/libbpf_print.h"
#include "bpfcc/loader.h"

static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;
static libbpf_print_fn_t other_print;
static __thread struct bpfcc_diag *print_diag;

static int print(enum libbpf_print_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[512];
	size_t n;

	/* another thread's, which happens to call libbpf now */
	if (!print_diag)
		return other_print ? other_print(level, format, args) : 0;
	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	n = strlen(text);
	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	bpfcc_report(print_diag, INLAY_BPFCC_NOTE, NULL, NULL, "%s", text);
	return 0;
}

void bpfcc_libbpf_begin(struct bpfcc_diag *diag)
{
	pthread_mutex_lock(&print_lock);
	print_diag = diag;
	other_print = libbpf_set_print(print);
}

void bpfcc_libbpf_end(void)
{
	libbpf_set_print(other_print);
	print_diag = NULL;
	pthread_mutex_unlock(&print_lock);
}

int bpfcc_libbpf_open(struct bpfcc_loader *l, const void *data, size_t size)
{
	/* a known name makes the names of data sections' maps known: "i.bss" */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "i", .relaxed_maps = true);
	int err;

	bpfcc_libbpf_begin(l->diag);
	l->bpf = bpf_object__open_mem(data, size, &opts);
	err = l->bpf ? 0 : -errno;
	bpfcc_libbpf_end();
	if (err) {
		if (err == -ENOMEM)
			return err;
		return bpfcc_error(l->diag, NULL, NULL, "libbpf cannot open the object: %s",
				   strerror(-err));
	}
	l->btf = bpf_object__btf(l->bpf);
	return 0;
}
