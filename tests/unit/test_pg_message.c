/* Runs tests/wire/pg/message.txt, and checks what a data file cannot say: prefixes, the sticky buffer, round trips. */
#include "pgwire/message.h"
#include "wire_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_pairs(struct buf *out, const char *title, const struct startup_parameter *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, " %s[%.*s=%.*s]", title, SPAN_ARG(p[i].name), SPAN_ARG(p[i].value));
}

static bool show_startup(struct span body, struct buf *out, struct pg_error *e)
{
	static const char *const kinds[] = {"login", "ssl", "gss", "cancel"};
	struct startup s;
	if (!startup_decode(body, &s, e))
		return false;
	buf_str(out, kinds[s.kind]);
	if (s.kind == STARTUP_CANCEL) {
		buf_printf(out, " pid=%u key=", s.pid);
		buf_hex(out, s.key.ptr, s.key.len);
	}
	if (s.kind != STARTUP_LOGIN)
		return true;
	buf_printf(out, " %u.%u user=%.*s", s.major, s.minor, SPAN_ARG(s.user));
	if (s.has_database)
		buf_printf(out, " database=%.*s", SPAN_ARG(s.database));
	if (s.has_replication)
		buf_printf(out, " replication=%.*s", SPAN_ARG(s.replication));
	put_pairs(out, "set", s.parameters, s.parameter_count);
	char *scratch = malloc(s.options.len + 1);
	struct startup_parameter option;
	*e = PG_ERROR_INIT;
	while (startup_next_option(&s.options, scratch, &option, e))
		put_pairs(out, "option", &option, 1);
	free(scratch);
	if (startup_needs_negotiation(&s))
		buf_str(out, " negotiate=");
	if (startup_needs_negotiation(&s)) {
		struct buf reply = BUF(1000);
		message_negotiate(&reply, &s);
		buf_hex(out, reply.ptr, reply.len);
		buf_done(&reply);
	}
	return !*e->message;
}

static bool show_parse(struct span body, struct buf *out, struct pg_error *e)
{
	struct message_parse p;
	if (!message_parse(body, &p, e))
		return false;
	buf_printf(out, "parse \"%.*s\" \"%.*s\"", SPAN_ARG(p.name), SPAN_ARG(p.sql));
	for (size_t i = 0; i < p.oid_count; i++)
		buf_printf(out, " %u", message_parse_oid(&p, i));
	return true;
}

static bool show_bind(struct span body, struct buf *out, struct pg_error *e)
{
	struct message_bind b;
	if (!message_bind(body, &b, e))
		return false;
	buf_printf(out, "bind \"%.*s\" \"%.*s\"", SPAN_ARG(b.portal), SPAN_ARG(b.statement));
	for (size_t i = 0; i < b.value_count; i++) {
		struct message_value v = message_next_value(&b);
		buf_printf(out, " %u:", message_bind_format(&b, i));
		if (v.is_null)
			buf_str(out, "NULL");
		else
			buf_hex(out, v.bytes.ptr, v.bytes.len);
	}
	buf_printf(out, " ->");
	for (size_t i = 0; i < b.result_format_count; i++)
		buf_printf(out, " %u", message_result_format(&b, i));
	return true;
}

static bool show_sasl(struct span body, struct buf *out, struct pg_error *e)
{
	struct message_sasl_initial s;
	if (!message_sasl_initial(body, &s, e))
		return false;
	buf_printf(out, "sasl %.*s %s%.*s", SPAN_ARG(s.mechanism), s.has_data ? "" : "none", SPAN_ARG(s.data));
	return true;
}

static bool show_message(const struct message_frame *f, struct buf *out, struct pg_error *e)
{
	struct span text;
	struct message_target t;
	struct message_execute x;
	switch (f->type) {
	case 'Q':
	case 'f':
		if (!(f->type == 'Q' ? message_query(f->body, &text, e) : message_string(f->body, &text, e)))
			return false;
		buf_printf(out, "%c \"%.*s\"", f->type, SPAN_ARG(text));
		return true;
	case 'P':
		return show_parse(f->body, out, e);
	case 'B':
		return show_bind(f->body, out, e);
	case 'D':
	case 'C':
		if (!message_target(f->body, &t, e))
			return false;
		buf_printf(out, "%c %c \"%.*s\"", f->type, t.kind, SPAN_ARG(t.name));
		return true;
	case 'E':
		if (!message_execute(f->body, &x, e))
			return false;
		buf_printf(out, "execute \"%.*s\" %u", SPAN_ARG(x.portal), x.max_rows);
		return true;
	case 'p':
		return show_sasl(f->body, out, e);
	case 'd':
		buf_printf(out, "data %zu", f->body.len);
		return true;
	default:
		buf_printf(out, "%c", f->type);
		return message_empty(f->body, e);
	}
}

static enum message_state frame(bool first, struct span in, struct message_frame *f, struct pg_error *e)
{
	return first ? message_startup_frame(in, f, e) : message_frame(in, 1000, f, e);
}

static void run_case(const struct wire_case *c)
{
	bool first = wire_get(c, "startup") != NULL;
	const char *in = first ? wire_get(c, "startup") : wire_get(c, "message");
	const char *want = wire_get(c, "want");
	struct buf bytes = BUF(1 << 20), out = BUF(1 << 16);
	struct message_frame f = {0};
	struct pg_error e = PG_ERROR_INIT;
	assert_non_null(in);
	assert_non_null(want);
	wire_bytes(in, &bytes);

	/* An exact copy, so that the address sanitizer sees a read past the end. */
	char *exact = malloc(bytes.len + (bytes.len == 0));
	memcpy(exact, bytes.ptr ? bytes.ptr : "", bytes.len);
	struct span all = {exact, bytes.len};
	enum message_state state = frame(first, all, &f, &e);
	bool good = state == MESSAGE_READY && (first ? show_startup(f.body, &out, &e) : show_message(&f, &out, &e));
	if (state == MESSAGE_MORE)
		buf_str(&out, "more");
	else if (!good) {
		buf_reset(&out);
		buf_printf(&out, "%s %s", pg_severity_name(e.severity), e.sqlstate);
	}
	if (strcmp(buf_view(&out).ptr, want) != 0)
		fail_msg("line %d, %s:\n  got  %s (%s)\n  want %s", c->line, c->name, buf_view(&out).ptr, e.message,
			 want);
	/* No proper beginning of a whole packet is taken for one. */
	for (size_t n = 0; state == MESSAGE_READY && n < f.size; n++) {
		struct message_frame part;
		assert_int_equal(frame(first, span_first(all, n), &part, &e), MESSAGE_MORE);
	}
	free(exact);
	buf_done(&bytes);
	buf_done(&out);
}

static void wire_messages(void **state)
{
	(void)state;
	assert_true(wire_file_run("pg/message.txt", run_case) > 40);
}

static void expect_bytes(struct buf *out, const char *notation)
{
	struct buf want = BUF(1 << 16);
	wire_bytes(notation, &want);
	assert_int_equal(out->len, want.len);
	assert_memory_equal(out->ptr, want.ptr, want.len);
	buf_done(&want);
	buf_reset(out);
}

static void backend_messages_are_exact(void **state)
{
	(void)state;
	struct buf out = BUF(4096);
	message_auth_mechanisms(&out, true);
	expect_bytes(&out, "\"R\" i32:42 i32:10 \"SCRAM-SHA-256-PLUS\\0SCRAM-SHA-256\\0\\0\"");
	message_auth_mechanisms(&out, false);
	expect_bytes(&out, "\"R\" i32:23 i32:10 \"SCRAM-SHA-256\\0\\0\"");
	message_auth(&out, AUTH_OK, SPAN_NONE);
	expect_bytes(&out, "\"R\" i32:8 i32:0");
	message_parameter_status(&out, SPAN("TimeZone"), SPAN("UTC"));
	expect_bytes(&out, "\"S\" i32:17 \"TimeZone\\0UTC\\0\"");
	message_key_data(&out, 7, 0xdeadbeef);
	expect_bytes(&out, "\"K\" i32:12 i32:7 de ad be ef");
	message_ready(&out, 'E');
	expect_bytes(&out, "\"Z\" i32:5 \"E\"");
	message_complete(&out, "INSERT 0 3");
	expect_bytes(&out, "\"C\" i32:15 \"INSERT 0 3\\0\"");
	message_bare(&out, MESSAGE_SUSPENDED);
	expect_bytes(&out, "\"s\" i32:4");
	message_copy_response(&out, 'G', true, 2);
	expect_bytes(&out, "\"G\" i32:11 01 i16:2 i16:1 i16:1");
	message_copy_data(&out, SPAN("1\n"));
	expect_bytes(&out, "\"d\" i32:6 \"1\\n\"");
	uint32_t oids[] = {23, 25};
	message_parameter_description(&out, oids, 2);
	expect_bytes(&out, "\"t\" i32:14 i16:2 i32:23 i32:25");
	buf_done(&out);
}

static void rows_are_patched_in_place(void **state)
{
	(void)state;
	struct buf out = BUF(4096);
	struct message_column columns[] = {{.name = SPAN("id\0x"), .type_oid = 23, .type_len = 4, .type_mod = -1}};
	message_row_description(&out, columns, 1);
	expect_bytes(&out, "\"T\" i32:27 i16:1 \"id\\0\" i32:0 i16:0 i32:23 i16:4 i32:-1 i16:0");
	size_t row = message_row_begin(&out, 3);
	message_field_null(&out);
	message_field(&out, SPAN("ab"));
	size_t field = message_field_begin(&out);
	buf_str(&out, "xyz");
	message_field_end(&out, field);
	message_end(&out, row);
	expect_bytes(&out, "\"D\" i32:23 i16:3 i32:-1 i32:2 \"ab\" i32:3 \"xyz\"");
	buf_done(&out);
}

static void errors_carry_their_fields(void **state)
{
	(void)state;
	struct buf out = BUF(4096);
	struct pg_error e;
	assert_false(pg_error_set(&e, "42P01", "no %s", "t"));
	pg_error_hint(&e, "look");
	e.position = 15;
	message_error(&out, &e);
	expect_bytes(&out, "\"E\" i32:42 \"SERROR\\0VERROR\\0C42P01\\0Mno t\\0Hlook\\0P15\\0\" 00");
	pg_notice_set(&e, PG_WARNING, "25001", "w");
	message_error(&out, &e);
	expect_bytes(&out, "\"N\" i32:33 \"SWARNING\\0VWARNING\\0C25001\\0Mw\\0\" 00");
	buf_done(&out);
}

static void a_full_buffer_stays_failed(void **state)
{
	(void)state;
	struct buf out = BUF(8);
	size_t row = message_row_begin(&out, 1);
	size_t field = message_field_begin(&out);
	buf_str(&out, "too much for it");
	message_field_end(&out, field);
	message_end(&out, row);
	assert_true(out.failed);
	buf_done(&out);
}

/* Long texts are cut at a whole character. */
static void messages_are_cut_at_characters(void **state)
{
	(void)state;
	struct pg_error e;
	char text[3000] = {0};
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	(void)pg_error_set(&e, "XX000", "%s", text);
	assert_true(span_is_utf8(span_of(e.message)));
	assert_int_equal(strlen(e.message), 1023);
	pg_error_hint(&e, "%s", text);
	assert_int_equal(strlen(e.hint), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_messages),
		cmocka_unit_test(backend_messages_are_exact),
		cmocka_unit_test(rows_are_patched_in_place),
		cmocka_unit_test(errors_carry_their_fields),
		cmocka_unit_test(a_full_buffer_stays_failed),
		cmocka_unit_test(messages_are_cut_at_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
