/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows one stage of an object. What LLVM makes is emitted as for an output file, into memory, so
 * that it is the very text of --emit=ll and --emit=asm.
 */
#include "bpfcc/cmd/stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpfcc/dump.h"

enum cmd_stage cmd_stage_by_name(const char *name)
{
	static const char *const names[] = {
		[CMD_STAGE_BYTECODE] = "bytecode",
		[CMD_STAGE_FACTS] = "facts",
		[CMD_STAGE_IR] = "ir",
		[CMD_STAGE_ASM] = "asm",
	};

	for (int i = CMD_STAGE_BYTECODE; i <= CMD_STAGE_ASM; i++)
		if (!strcmp(names[i], name))
			return (enum cmd_stage)i;
	return CMD_STAGE_NONE;
}

static int copy_to_stdout(int fd)
{
	char buf[1 << 14];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		fwrite(buf, 1, (size_t)n, stdout);
		at += n;
	}
	return n < 0 ? -errno : 0;
}

static int print_emitted(struct inlay_bpfcc_object *object, enum inlay_bpfcc_output output)
{
	int fd = memfd_create("bpfcc-stage", MFD_CLOEXEC), err;
	char path[64];

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = inlay_bpfcc_object_emit(object, output, path);
	if (!err)
		err = copy_to_stdout(fd);
	close(fd);
	return err;
}

int cmd_stage_print(struct inlay_bpfcc_object *object, enum cmd_stage stage)
{
	switch (stage) {
	case CMD_STAGE_BYTECODE:
		bpfcc_dump_bytecode(stdout, object);
		return 0;
	case CMD_STAGE_FACTS:
		bpfcc_dump(stdout, object);
		return 0;
	case CMD_STAGE_IR:
		return print_emitted(object, INLAY_BPFCC_LL);
	case CMD_STAGE_ASM:
		return print_emitted(object, INLAY_BPFCC_ASM);
	case CMD_STAGE_NONE:
		break;
	}
	return 0;
}
