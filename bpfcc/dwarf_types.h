/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of an ELF file's DWARF, as BTF. */
#ifndef INLAY_BPFCC_DWARF_TYPES_H
#define INLAY_BPFCC_DWARF_TYPES_H

struct btf;

/* 0; -EINVAL with *ret_why, a constant or libdw's text; -ENOMEM; an errno of the file's. */
int bpfcc_dwarf_types(const char *path, struct btf **ret_btf, const char **ret_why);

#endif /* INLAY_BPFCC_DWARF_TYPES_H */
