/* The attach cache of table.h. */
#include "engine/files.h"

#include "base/fs.h"
#include "base/limits.h"
#include "engine/sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum ref_state { REF_ATTACHING, REF_READY, REF_FAILED };

/* One attached file. In `by_identity` until it is dropped; freed with its last user. */
struct table_ref {
	struct table_files *files;
	struct table_identity identity;
	char *path; /* public name it was found under */
	char *link;
	char catalog[32];
	enum ref_state state;
	bool dropped; /* no longer found; detached when unused */
	bool shared;  /* the link is one of several names of the file; false: a copy of it */
	uint64_t generation;
	size_t users;
	struct table_ref *older; /* unused ones, least recently used first */
	struct table_ref *newer;
};

bool table_identity_eq(const struct table_identity *a, const struct table_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool table_identify(const char *path, struct table_identity *ret, struct err *err)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(err, ERR_TABLE_NOT_FOUND, "There is no such table");
		return err_errno(err, errno, "The table's file cannot be looked at");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_TABLE_NOT_FOUND, "There is no such table");
	*ret = (struct table_identity){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
	};
	return true;
}

static struct span identity_key(const struct table_identity *identity)
{
	return (struct span){(const char *)identity, sizeof(*identity)};
}

static bool make_link(struct table_files *files, const char *path, const char *link, bool *ret_copied, struct err *err)
{
	if (fs_link(path, link, ret_copied, err))
		return true;
	/* The folder comes into being with the first table. */
	if (!fs_is_dir(files->private_dir) && fs_exists(path))
		return fs_mkdir(files->private_dir, err) && fs_link(path, link, ret_copied, err);
	struct table_identity now;
	struct err gone = ERR_INIT;
	/* The usual reason: it was deleted in between. */
	if (!table_identify(path, &now, &gone))
		*err = gone;
	return false;
}

/* The name tells an operator which table and which version of it is being read. */
bool files_link(struct table_files *files, const char *path, char ret[LIMIT_PATH_BYTES],
		struct table_identity *ret_identity, struct err *err)
{
	enum { TRIES = 3 };
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const size_t len = strcspn(base, ".");
	for (int i = 0; i < TRIES; i++) {
		struct table_identity before, after;
		bool copied;
		const uint64_t number = atomic_fetch_add(&files->sequence, 1);
		if (!fs_path(ret, LIMIT_PATH_BYTES, err, "%s/%.*s.%llu.duckdb", files->private_dir,
			     (int)(len < 100 ? len : 100), base, (unsigned long long)number) ||
		    !table_identify(path, &before, err) || !make_link(files, path, ret, &copied, err))
			return false;
		if (!copied)
			return table_identify(ret, ret_identity, err);
		/* A copy stands for the file that it was made from, if that is still the one of the name. */
		if (table_identify(path, &after, err) && table_identity_eq(&before, &after)) {
			*ret_identity = before;
			return true;
		}
		struct err ignored = ERR_INIT;
		(void)!fs_unlink(ret, &ignored);
	}
	return err_set(err, ERR_TABLE_LOCKED, "The table is replaced faster than it can be read");
}

static void lru_remove(struct table_ref *ref)
{
	struct table_files *files = ref->files;
	*(ref->older ? &ref->older->newer : &files->oldest) = ref->newer;
	*(ref->newer ? &ref->newer->older : &files->newest) = ref->older;
	ref->older = ref->newer = NULL;
}

static void lru_append(struct table_ref *ref)
{
	struct table_files *files = ref->files;
	ref->older = files->newest;
	ref->newer = NULL;
	*(files->newest ? &files->newest->newer : &files->oldest) = ref;
	files->newest = ref;
}

/* Out of both maps, with files->lock held. The reference lives on for its users. */
static void unlist(struct table_ref *ref)
{
	struct table_files *files = ref->files;
	if (ref->dropped)
		return;
	ref->dropped = true;
	if (map_get(&files->by_identity, identity_key(&ref->identity)) == ref)
		(void)map_remove(&files->by_identity, identity_key(&ref->identity));
	if (map_get(&files->by_path, span_of(ref->path)) == ref)
		(void)map_remove(&files->by_path, span_of(ref->path));
}

/* Without the lock: nobody else knows the reference any more. Failing to detach leaves nothing to do about it. */
static void detach(struct table_ref *ref)
{
	struct table_files *files = ref->files;
	struct err err = ERR_INIT;
	struct session *session;
	if (ref->state == REF_READY && ref->generation == instance_generation(files->data) &&
	    session_open(files->data, &session, &err)) {
		char sql[64];
		(void)snprintf(sql, sizeof(sql), "DETACH %s", ref->catalog);
		(void)!session_run(session, sql, &err);
		session_close(session);
	}
	if (ref->link)
		(void)!fs_unlink(ref->link, &err);
	free(ref->link);
	free(ref->path);
	free(ref);
}

/* The least recently used reference when there are more than the maximum, off all lists. */
static struct table_ref *evict(struct table_files *files)
{
	pthread_mutex_lock(&files->lock);
	struct table_ref *ref = files->attached > files->max ? files->oldest : NULL;
	if (ref) {
		lru_remove(ref);
		unlist(ref);
		files->attached--;
		files->evictions++;
	}
	pthread_mutex_unlock(&files->lock);
	return ref;
}

static void trim(struct table_files *files)
{
	struct table_ref *ref;
	while ((ref = evict(files)))
		detach(ref);
}

/* Drops what is listed (lock held); returns it when the caller has to detach it, i.e. nobody uses it. */
static struct table_ref *drop(struct table_ref *ref)
{
	if (!ref || ref->dropped)
		return NULL;
	unlist(ref);
	if (ref->users > 0)
		return NULL;
	lru_remove(ref);
	ref->files->attached--;
	return ref;
}

void table_release(struct table_ref *ref)
{
	if (!ref)
		return;
	struct table_files *files = ref->files;
	pthread_mutex_lock(&files->lock);
	const bool last = --ref->users == 0;
	const bool gone = last && ref->dropped;
	if (gone)
		files->attached--;
	else if (last)
		lru_append(ref);
	pthread_mutex_unlock(&files->lock);
	if (gone)
		detach(ref);
	trim(files);
}

void table_release_cleanup(void *ref)
{
	table_release(ref);
}

static bool attach_file(struct table_files *files, struct table_ref *ref, struct err *err)
{
	struct session *session;
	if (!session_open(files->data, &session, err))
		return false;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "ATTACH %L AS %s (READ_ONLY)", ref->link, ref->catalog);
	bool ok = sql_finish(&sql, &text, err) && session_run(session, text, err);
	if (!ok && session_fault(session)->kind != FAULT_KIND_NONE && err->code != ERR_DISK_FULL &&
	    err->code != ERR_OUT_OF_MEMORY && err->code != ERR_CANCELLED) {
		char why[256];
		(void)snprintf(why, sizeof(why), "%.255s", err->message);
		(void)err_set(err, ERR_ENGINE, "The table's file cannot be read: %s", why);
	}
	buf_done(&sql);
	session_close(session);
	return ok;
}

/* Waits until another thread has attached it; one user is counted already. Lock held on entry, not on return. */
static bool await(struct table_ref *ref, struct table_ref **ret, struct err *err)
{
	struct table_files *files = ref->files;
	while (ref->state == REF_ATTACHING)
		pthread_cond_wait(&files->attached_cond, &files->lock);
	const bool ok = ref->state == REF_READY;
	pthread_mutex_unlock(&files->lock);
	if (ok) {
		*ret = ref;
		return true;
	}
	table_release(ref);
	return err_set(err, ERR_ENGINE, "The table's file cannot be read");
}

/* A listed reference of the present engine gets a user (lock held); NULL when there is none. */
static struct table_ref *find(struct table_files *files, const struct table_identity *identity,
			      struct table_ref **ret_stale)
{
	struct table_ref *ref = map_get(&files->by_identity, identity_key(identity));
	if (ref && ref->generation != instance_generation(files->data)) {
		*ret_stale = drop(ref);
		ref = NULL;
	}
	if (!ref)
		return NULL;
	if (ref->users++ == 0)
		lru_remove(ref);
	files->hits++;
	return ref;
}

/* Lists a new reference (lock held), takes the place of an older file of the same path. */
static struct table_ref *list(struct table_files *files, const char *path, const char *link,
			      const struct table_identity *identity, struct table_ref **ret_replaced)
{
	struct table_ref *ref = mem_alloc(sizeof(*ref));
	*ref = (struct table_ref){.files = files, .identity = *identity, .users = 1, .state = REF_ATTACHING};
	ref->path = mem_strdup(path);
	ref->link = mem_strdup(link);
	ref->generation = instance_generation(files->data);
	(void)snprintf(ref->catalog, sizeof(ref->catalog), "t%llu",
		       (unsigned long long)atomic_fetch_add(&files->sequence, 1));
	*ret_replaced = drop(map_get(&files->by_path, span_of(path)));
	(void)map_put(&files->by_identity, identity_key(identity), ref);
	(void)map_put(&files->by_path, span_of(path), ref);
	files->attached++;
	files->misses++;
	return ref;
}

static nlink_t link_count(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_nlink : 0;
}

static bool attach_new(struct table_files *files, const char *path, struct table_ref **ret, struct err *err)
{
	char link[LIMIT_PATH_BYTES];
	struct table_identity identity;
	struct err ignored = ERR_INIT;
	if (!files_link(files, path, link, &identity, err))
		return false;
	struct table_ref *stale = NULL, *replaced = NULL;
	pthread_mutex_lock(&files->lock);
	/* Another thread may have been faster. */
	struct table_ref *ref = find(files, &identity, &stale);
	if (ref) {
		const bool ok = await(ref, ret, err);
		(void)!fs_unlink(link, &ignored);
		return ok;
	}
	ref = list(files, path, link, &identity, &replaced);
	pthread_mutex_unlock(&files->lock);
	trim(files);
	if (replaced)
		detach(replaced);
	if (stale)
		detach(stale);
	ref->shared = link_count(link) > 1;
	const bool ok = attach_file(files, ref, err);
	pthread_mutex_lock(&files->lock);
	ref->state = ok ? REF_READY : REF_FAILED;
	if (!ok)
		unlist(ref);
	pthread_cond_broadcast(&files->attached_cond);
	pthread_mutex_unlock(&files->lock);
	if (ok)
		*ret = ref;
	else
		table_release(ref);
	return ok;
}

/* Opening a session is what puts a new engine behind a dead handle. */
static bool revive(struct table_files *files, struct err *err)
{
	struct session *session;
	if (!instance_is_dead(files->data))
		return true;
	if (!session_open(files->data, &session, err))
		return false;
	session_close(session);
	return true;
}

bool table_attach(struct table_files *files, const char *path, struct table_ref **ret, struct err *err)
{
	struct table_identity identity;
	if (!table_identify(path, &identity, err) || !revive(files, err))
		return false;
	struct table_ref *stale = NULL;
	pthread_mutex_lock(&files->lock);
	struct table_ref *ref = find(files, &identity, &stale);
	if (ref)
		return await(ref, ret, err);
	pthread_mutex_unlock(&files->lock);
	if (stale)
		detach(stale);
	return attach_new(files, path, ret, err);
}

void table_forget(struct table_files *files, const char *path)
{
	pthread_mutex_lock(&files->lock);
	struct table_ref *ref = drop(map_get(&files->by_path, span_of(path)));
	pthread_mutex_unlock(&files->lock);
	if (ref)
		detach(ref);
}

void table_reap(struct table_files *files)
{
	struct table_ref *victims = NULL;
	pthread_mutex_lock(&files->lock);
	for (struct table_ref *ref = files->oldest, *next; ref; ref = next) {
		next = ref->newer;
		if (!ref->shared || link_count(ref->link) > 1)
			continue;
		(void)drop(ref);
		ref->newer = victims;
		victims = ref;
	}
	pthread_mutex_unlock(&files->lock);
	for (struct table_ref *next; victims; victims = next) {
		next = victims->newer;
		detach(victims);
	}
}

void files_drop_all(struct table_files *files)
{
	pthread_mutex_lock(&files->lock);
	files->max = 0;
	pthread_mutex_unlock(&files->lock);
	trim(files);
}

const char *table_ref_alias(const struct table_ref *ref)
{
	return ref->catalog;
}

const char *table_ref_catalog(const struct table_ref *ref)
{
	return ref->catalog;
}

const struct table_identity *table_ref_identity(const struct table_ref *ref)
{
	return &ref->identity;
}

void table_files_stats(struct table_files *files, struct table_files_stats *ret)
{
	pthread_mutex_lock(&files->lock);
	size_t unused = 0;
	for (const struct table_ref *ref = files->oldest; ref; ref = ref->newer)
		unused++;
	*ret = (struct table_files_stats){files->attached, files->attached - unused, files->hits, files->misses,
					  files->evictions};
	pthread_mutex_unlock(&files->lock);
}
