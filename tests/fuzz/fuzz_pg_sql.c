/* A text of statements. */
#include "pgwire/command.h"
#include "pgwire/rewrite.h"
#include "pgwire/select_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const struct stmt *s, struct arena *arena)
{
	struct pg_error e;
	struct command_transaction t;
	struct command_set set;
	struct span name;
	struct command_prepare p;
	struct command_execute x;
	struct command_declare d;
	struct command_fetch f;
	struct command_copy c;
	static const struct rewrite_hooks none;
	struct rewritten r;
	(void)!(command_transaction(s, arena, &t, &e) || command_set(s, arena, &set, &e) ||
		command_name(s, arena, &name, &e));
	struct select_list list;
	(void)select_list_read(s, arena, &list);
	if (rewrite(s, &none, arena, &r, &e))
		(void)rewrite_origin(&r, r.sql.len / 2);
	(void)!(command_prepare(s, arena, &p, &e) || command_execute(s, arena, &x, &e) ||
		command_declare(s, arena, &d, &e) || command_fetch(s, arena, &f, &e) || command_copy(s, arena, &c, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct span rest = {(const char *)data, size};
	struct pg_error e;
	struct stmt s;
	while (stmt_next(&rest, &s, &e) && s.kind != STMT_NONE)
		parse(&s, arena);
	arena_free(arena);
	return 0;
}
