/* SPDX-License-Identifier: BSD-2-Clause */
/* The store: a hash table of strings behind one lock. */
#include "kv.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kv_item {
	struct kv_item *next;
	uint16_t flags;
	char key[KV_KEY_MAX + 1];
	char value[KV_VALUE_MAX + 1];
};

struct kv_store {
	pthread_mutex_t lock;
	struct kv_item *buckets[KV_BUCKETS];
};

uint32_t kv_hash(const char *key, uint32_t seed)
{
	uint32_t h = seed;

	/* keeps callers in this file from making one call of two */
	__asm__ volatile("" : "+r"(h));
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h;
}

struct kv_store *kv_open(void)
{
	struct kv_store *store = calloc(1, sizeof(*store));

	if (store)
		pthread_mutex_init(&store->lock, NULL);
	return store;
}

void kv_close(struct kv_store *store)
{
	int i;

	for (i = 0; i < KV_BUCKETS; i++)
		while (store->buckets[i]) {
			struct kv_item *item = store->buckets[i];

			store->buckets[i] = item->next;
			free(item);
		}
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* The link that leads to the key's item, or the end of its chain. */
static struct kv_item **find(struct kv_store *store, const char *key)
{
	struct kv_item **at = &store->buckets[kv_hash(key, 2166136261u) % KV_BUCKETS];

	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static int put(struct kv_store *store, const char *key, const char *value, uint16_t flags)
{
	struct kv_item **at = find(store, key);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return -1;
		snprintf((*at)->key, sizeof((*at)->key), "%s", key);
	}
	snprintf((*at)->value, sizeof((*at)->value), "%s", value);
	(*at)->flags = flags;
	return 0;
}

int kv_get(struct kv_store *store, const char *key, char *value, size_t value_bytes)
{
	struct kv_item *item;
	int length = -1;

	pthread_mutex_lock(&store->lock);
	item = *find(store, key);
	if (item)
		length = snprintf(value, value_bytes, "%s", item->value);
	pthread_mutex_unlock(&store->lock);
	return length;
}

int kv_set(struct kv_store *store, const char *key, const char *value, uint16_t flags)
{
	int err;

	if (strlen(key) > KV_KEY_MAX || strlen(value) > KV_VALUE_MAX)
		return -2;
	pthread_mutex_lock(&store->lock);
	err = put(store, key, value, flags);
	pthread_mutex_unlock(&store->lock);
	return err;
}

bool kv_delete(struct kv_store *store, const char *key)
{
	struct kv_item **at, *item;

	pthread_mutex_lock(&store->lock);
	at = find(store, key);
	item = *at;
	if (item)
		*at = item->next;
	pthread_mutex_unlock(&store->lock);
	free(item);
	return item != NULL;
}

long kv_increment(struct kv_store *store, const char *key, long by)
{
	char text[32];
	long n = by;

	pthread_mutex_lock(&store->lock);
	if (*find(store, key))
		n += strtol((*find(store, key))->value, NULL, 10);
	snprintf(text, sizeof(text), "%ld", n);
	put(store, key, text, 0);
	pthread_mutex_unlock(&store->lock);
	return n;
}

const char *kv_peek(const struct kv_store *store, const char *key)
{
	const struct kv_item *item = store->buckets[kv_hash(key, 2166136261u) % KV_BUCKETS];

	while (item && strcmp(item->key, key))
		item = item->next;
	return item ? item->value : NULL;
}
