/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a string argument of work(), which needs guarded reads. */
#include <inlay/inlay.bpf.h>

char text[16];
long bytes;

SEC("uprobe/work")
int read_text(struct pt_regs *ctx)
{
	bytes = bpf_probe_read_user_str(text, sizeof(text), (void *)PT_REGS_PARM1(ctx));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
