/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest-prefix matching: a hash map of {prefix length, bits}, with the bits behind the prefix
 * zero, and a bitmap of the lengths that there are. A lookup asks for each of them, the longest
 * first: a probe of about 10 ns a length, and real tables have few.
 *
 * So whatever makes a hash map safe against kills, signals and hostile memory holds here, too. The
 * bit of a length goes on before the first key of that length is linked, and never goes off.
 */
#include "rt/map_hash.h"
#include "rt/map_lpm.h"

enum {
	LPM_KEY_WORDS = (4 + 256 + 7) / 8,
	LPM_ENOSPC = 28,
	/* chains that change, or in hostile memory go round, which a lookup follows at length */
	LPM_UNSURE_MAX = 16,
};

struct lpm_key {
	__u64 words[LPM_KEY_WORDS];
	__u32 nr_words;
	__u32 length;
};

/* Bytes of the prefix length, which keys begin with. */
#define LPM_DATA_OFF 4u

/* A key in its first `length` bits; it must not be shorter than that already. */
static void cut(struct lpm_key *key, __u32 length)
{
	__u32 end = LPM_DATA_OFF + length / 8, word = end / 8, shift = end % 8 * 8;
	__u64 bits = (0xff00u >> length % 8) & 0xffu;

	if (word < key->nr_words) {
		inlay_store(&key->words[word],
			    key->words[word] & (((1ull << shift) - 1) | bits << shift));
		while (++word < key->nr_words)
			inlay_store(&key->words[word], 0ull);
	}
	inlay_store(&key->words[0], (key->words[0] & ~0xffffffffull) | length);
	key->length = length;
}

/* Copies the key, which may lie in a map and change. False: its prefix is longer than a key. */
static bool key_init(struct lpm_key *copy, const struct inlay_map_desc *desc, const void *key)
{
	__u32 i;

	copy->nr_words = (desc->key_size + 7) / 8;
	if (desc->key_size <= LPM_DATA_OFF || copy->nr_words > LPM_KEY_WORDS)
		return false;
	for (i = 0; i < copy->nr_words; i++)
		inlay_store(&copy->words[i], inlay_any_word(key, desc->key_size, i));
	copy->length = (__u32)copy->words[0];
	if (copy->length > 8 * (desc->key_size - LPM_DATA_OFF))
		return false;
	cut(copy, copy->length);
	return true;
}

static __u64 *lengths(const struct inlay_map_desc *desc, char *region)
{
	return (__u64 *)(region +
			 inlay_lpm_lengths_off(desc->key_size, desc->value_size, desc->max_entries));
}

static void *find_exact(const struct inlay_map_desc *desc, char *region, const struct lpm_key *key,
			__u32 *nr_unsure)
{
	__u32 node, gen = 0;

	switch (inlay_hash_peek(desc, region, key->words, &node, &gen)) {
	case INLAY_HASH_ABSENT:
	case INLAY_HASH_DOZING:
		return 0;
	case INLAY_HASH_UNSURE:
		if (++*nr_unsure > LPM_UNSURE_MAX)
			return 0;
		return __inlay_hash_lookup(desc, key->words);
	case INLAY_HASH_PRESENT:
		break;
	}
	return inlay_hash_node_value(desc, inlay_hash_node(desc, region, node));
}

void *__inlay_lpm_lookup(const struct inlay_map_desc *desc, const void *key)
{
	char *region = inlay_map_region(desc);
	__u32 word, nr_unsure = 0;
	struct lpm_key copy;

	if (!region || !key_init(&copy, desc, key))
		return 0;
	for (word = copy.length / 64 + 1; word--;) {
		__u64 on = inlay_load(lengths(desc, region) + word);

		if (word == copy.length / 64 && copy.length % 64 != 63)
			on &= (2ull << copy.length % 64) - 1;
		for (; on; on &= ~(1ull << (63 - __builtin_clzll(on)))) {
			void *value;

			cut(&copy, 64 * word + 63 - (__u32)__builtin_clzll(on));
			value = find_exact(desc, region, &copy, &nr_unsure);
			if (value)
				return value;
		}
	}
	return 0;
}

__s64 __inlay_lpm_update(const struct inlay_map_desc *desc, const void *key, const void *value,
			 __u64 flags)
{
	char *region = inlay_map_region(desc);
	struct lpm_key copy;
	__u64 *word, bit;
	__s64 err;

	if (flags > INLAY_BPF_EXIST || !key_init(&copy, desc, key))
		return -INLAY_EINVAL;
	if (!region)
		return -INLAY_EBUSY;
	word = lengths(desc, region) + copy.length / 64;
	bit = 1ull << copy.length % 64;
	/* before the key is there; the exchange that links it releases this */
	if (flags != INLAY_BPF_EXIST && !(inlay_load(word) & bit))
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	err = __inlay_hash_update(desc, copy.words, value, flags);
	return err == -INLAY_E2BIG ? -LPM_ENOSPC : err;
}

__s64 __inlay_lpm_delete(const struct inlay_map_desc *desc, const void *key)
{
	struct lpm_key copy;

	if (!key_init(&copy, desc, key))
		return -INLAY_EINVAL;
	return __inlay_hash_delete(desc, copy.words);
}
