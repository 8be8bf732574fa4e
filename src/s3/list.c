#include "s3/list.h"

#include "base/base64.h"
#include "storage/checksum.h"

struct run {
	const struct list_query *query;
	list_entry entry;
	void *ctx;
	struct list_page *page;
	struct span after; /* where the scan under way began; lives in `position` or the query */
	char position[LIST_POSITION_MAX];
	bool again; /* scan on from `after` */
};

/* Bytes above any that UTF-8 has: P + this is behind every key that starts with P. */
static const char above = '\xff';

static void restart_at(struct run *run, struct span base, char last)
{
	size_t len = base.len < LIST_POSITION_MAX - 1 ? base.len : LIST_POSITION_MAX - 1;
	memmove(run->position, base.ptr, len);
	run->position[len] = last;
	run->after = (struct span){run->position, len + 1};
}

/* The position just before the first key that starts with the prefix. */
static void start_at_prefix(struct run *run)
{
	struct span prefix = run->query->prefix;
	struct span all_but_last = span_first(prefix, prefix.len - 1);
	size_t len = all_but_last.len < LIST_POSITION_MAX - 2 ? all_but_last.len : LIST_POSITION_MAX - 2;
	unsigned char last = (unsigned char)prefix.ptr[prefix.len - 1];
	memcpy(run->position, all_but_last.ptr, len);
	/* Text has no zero bytes; a prefix that ends in one starts behind what it would follow. */
	if (last > 0) {
		run->position[len] = (char)(last - 1);
		run->position[len + 1] = above;
		len += 2;
	}
	run->after = (struct span){run->position, len};
}

static bool give(struct run *run, struct span name, const void *item)
{
	struct list_page *page = run->page;
	if (page->count == run->query->max) {
		page->truncated = true;
		return false;
	}
	run->entry(run->ctx, name, item);
	page->count++;
	page->last_len = name.len < sizeof(page->last) ? name.len : sizeof(page->last);
	memcpy(page->last, name.ptr, page->last_len);
	return true;
}

/* Length of the common prefix a key is folded into; 0: it stands for itself. */
static size_t folded(const struct list_query *query, struct span key)
{
	if (query->delimiter.len == 0)
		return 0;
	const char *from = key.ptr + query->prefix.len;
	const char *at = memmem(from, key.len - query->prefix.len, query->delimiter.ptr, query->delimiter.len);
	return at ? (size_t)(at - key.ptr) + query->delimiter.len : 0;
}

static bool visit(void *call, struct span key, const void *item)
{
	struct run *run = call;
	const struct list_query *query = run->query;
	if (!span_starts(key, query->prefix))
		return false;
	size_t len = folded(query, key);
	if (len == 0)
		return give(run, key, item);
	struct span common = span_first(key, len);
	/* A page that began behind the common prefix, or within it, has passed it. */
	if (span_cmp(common, query->after) > 0 && !give(run, common, NULL))
		return false;
	restart_at(run, common, above);
	run->again = true;
	return false;
}

void list_run(const struct list_query *query, const struct list_source *source, list_entry entry, void *ctx,
	      struct list_page *ret)
{
	struct run run = {.query = query, .entry = entry, .ctx = ctx, .page = ret, .after = query->after};
	*ret = (struct list_page){0};
	if (query->max == 0)
		return;
	if (query->prefix.len > 0 && span_cmp(query->after, query->prefix) < 0)
		start_at_prefix(&run);
	do {
		run.again = false;
		source->scan(source->ctx, run.after, visit, &run);
	} while (run.again);
}

static uint32_t crc_of(struct span s)
{
	struct digests digests;
	struct digest_values values;
	uint32_t crc;
	digests_begin(&digests, CHECKSUM_BIT(CHECKSUM_CRC32C));
	digests_update(&digests, s.ptr, s.len);
	digests_finish(&digests, &values);
	memcpy(&crc, values.of[CHECKSUM_CRC32C], sizeof(crc));
	return crc;
}

const char *list_token(struct arena *arena, struct span position)
{
	uint32_t crc = crc_of(position);
	char *bytes = arena_alloc(arena, sizeof(crc) + position.len);
	char *token = arena_alloc(arena, BASE64_SIZE(sizeof(crc) + position.len));
	memcpy(bytes, &crc, sizeof(crc));
	memcpy(bytes + sizeof(crc), position.ptr, position.len);
	base64_write_url(bytes, sizeof(crc) + position.len, token);
	return token;
}

bool list_token_read(struct arena *arena, struct span token, struct span *ret, struct err *err)
{
	char *bytes = arena_alloc(arena, token.len + 1);
	uint32_t crc;
	size_t n;
	if (base64_read_url(token, bytes, token.len, &n) && n >= sizeof(crc)) {
		struct span position = {bytes + sizeof(crc), n - sizeof(crc)};
		memcpy(&crc, bytes, sizeof(crc));
		if (crc == crc_of(position) && position.len <= LIST_POSITION_MAX && span_is_utf8(position)) {
			*ret = position;
			return true;
		}
	}
	return err_set(err, ERR_INVALID_ARGUMENT, "The continuation token is not one of this service");
}
