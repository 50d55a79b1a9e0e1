/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4): names probe objects by their content.
 */
#ifndef INLAY_BPFCC_SHA256_H
#define INLAY_BPFCC_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define BPFCC_SHA256_BYTES 32

struct bpfcc_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void bpfcc_sha256_init(struct bpfcc_sha256 *h);
void bpfcc_sha256_update(struct bpfcc_sha256 *h, const void *data, size_t bytes);
void bpfcc_sha256_final(struct bpfcc_sha256 *h, uint8_t ret_digest[BPFCC_SHA256_BYTES]);

#endif /* INLAY_BPFCC_SHA256_H */
