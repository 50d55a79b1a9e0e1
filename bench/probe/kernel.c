/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe objects as kernel uprobes: uprobe.multi for the counts, uprobe.session for the latency.
 * libbpf 1.1 knows neither, so type, attach type and link are given by hand.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/probe/bench.h"

/* linux/bpf.h of 6.6 and later: */
#define ATTACH_UPROBE_MULTI 48
#define ATTACH_UPROBE_SESSION 57
struct uprobe_multi_link {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, pad0;
};

struct bench_kernel {
	struct bpf_object *object;
	int link_fd;
	int prog_fd;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* File offset of bench_victim; 0: not found. */
static uint64_t victim_offset(const char *binary)
{
	int fd = open(binary, O_RDONLY | O_CLOEXEC);
	uint64_t address = 0, offset = 0;
	Elf_Scn *section = NULL;
	size_t nr_headers = 0;
	Elf *elf;

	if (fd < 0)
		return 0;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !address && (section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Shdr header;
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || !data)
			continue;
		for (int i = 0; !address && gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);

			if (name && strcmp(name, "bench_victim") == 0)
				address = symbol.st_value;
		}
	}
	if (elf && address)
		elf_getphdrnum(elf, &nr_headers);
	for (size_t i = 0; i < nr_headers; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    address - header.p_vaddr < header.p_filesz)
			offset = address - header.p_vaddr + header.p_offset;
	}
	if (elf)
		elf_end(elf);
	close(fd);
	return offset;
}

int bench_kernel_attach(const char *object, const char *binary, pid_t pid,
			struct bench_kernel **ret_kernel, char *reason)
{
	struct bench_kernel *kernel = calloc(1, sizeof(*kernel));
	struct uprobe_multi_link attr;
	struct bpf_program *prog;
	uint64_t offset = victim_offset(binary);
	uint32_t attach_type;
	int err;

	if (!kernel)
		return -ENOMEM;
	kernel->link_fd = -1;
	libbpf_set_print(quiet);
	if (geteuid() != 0) {
		snprintf(reason, BENCH_REASON_BYTES, "needs root");
		err = -EPERM;
		goto fail;
	}
	kernel->object = bpf_object__open_file(object, NULL);
	if (!kernel->object || !offset) {
		snprintf(reason, BENCH_REASON_BYTES, "cannot read %s", offset ? object : binary);
		err = -ENOENT;
		goto fail;
	}
	prog = bpf_object__next_program(kernel->object, NULL);
	attach_type = strncmp(bpf_program__section_name(prog), "uprobe.session", 14) == 0 ?
			      ATTACH_UPROBE_SESSION :
			      ATTACH_UPROBE_MULTI;
	bpf_program__set_type(prog, BPF_PROG_TYPE_KPROBE);
	bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)attach_type);
	err = bpf_object__load(kernel->object);
	if (err) {
		snprintf(reason, BENCH_REASON_BYTES, "the kernel does not load it: %s",
			 strerror(-err));
		goto fail;
	}
	kernel->prog_fd = bpf_program__fd(prog);
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)kernel->prog_fd;
	attr.attach_type = attach_type;
	attr.path = (uint64_t)binary;
	attr.offsets = (uint64_t)&offset;
	attr.cnt = 1;
	attr.pid = (uint32_t)pid;
	kernel->link_fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (kernel->link_fd < 0) {
		err = -errno;
		snprintf(reason, BENCH_REASON_BYTES, "the kernel does not attach it: %s",
			 strerror(errno));
		goto fail;
	}
	*ret_kernel = kernel;
	return 0;
fail:
	bench_kernel_detach(kernel);
	return err;
}

bool bench_kernel_has_run(const struct bench_kernel *kernel)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, kernel->object) {
		uint64_t value[4096] = { 0 };
		uint32_t key = 0;

		if (bpf_map__value_size(map) > sizeof(value) ||
		    bpf_map_lookup_elem(bpf_map__fd(map), &key, value))
			continue;
		if (strstr(bpf_map__name(map), "rodata"))
			continue;
		for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++)
			if (value[i])
				return true;
	}
	return false;
}

void bench_kernel_detach(struct bench_kernel *kernel)
{
	if (!kernel)
		return;
	if (kernel->link_fd >= 0)
		close(kernel->link_fd);
	bpf_object__close(kernel->object);
	free(kernel);
}
