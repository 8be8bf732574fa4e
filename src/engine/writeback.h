/*
 * Has the disk begin on a file while somebody else still writes it, so that making it durable in the end does not take
 * as long again: a thread looks every few milliseconds how far the file has come and asks the kernel to write that out.
 *
 *	struct writeback *w = writeback_begin(path);
 *	... the engine writes `path` ...
 *	writeback_end(w);
 *	... fs_sync_file(path, err) ...
 *
 * It promises nothing: without a thread, without the file, or when the kernel refuses, the sync does all the work. The
 * file may come into being later; it is not created here.
 */
#ifndef ENGINE_WRITEBACK_H
#define ENGINE_WRITEBACK_H

struct writeback;

/* The path is copied. */
struct writeback *writeback_begin(const char *path);
/* Does not wait for the disk. */
void writeback_end(struct writeback *w);

#endif
