#include "pgwire/scram.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The exchange of RFC 7677, section 3: user "user", password "pencil". */
#define CLIENT_FIRST	  "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE	  "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST	  "r=rOprNGfwEbeRWgbNEkqO" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define CLIENT_FINAL_BARE "c=biws,r=rOprNGfwEbeRWgbNEkqO" SERVER_NONCE
#define PROOF		  "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL	  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static const unsigned char SALT[] = {0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e,
				     0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81};

static struct scram_verifier pencil(void)
{
	struct scram_verifier v;
	assert_true(scram_verifier_derive(SPAN("pencil"), (struct span){(const char *)SALT, sizeof(SALT)}, 4096, &v));
	return v;
}

static enum scram_result first(struct scram *s, const char *mechanism, const char *message, struct buf *out)
{
	struct pg_error e;
	return scram_first(s, span_of(mechanism), span_of(message), out, &e);
}

static enum scram_result last(struct scram *s, const char *message, struct buf *out)
{
	struct pg_error e;
	return scram_final(s, span_of(message), out, &e);
}

/* Runs the RFC's first half; `nonce` is the whole length of ours because the RFC's is longer. */
static void begin_rfc(struct scram *s, struct span binding)
{
	struct scram_verifier v = pencil();
	struct buf out = BUF(1000);
	scram_begin(s, &v, false, binding);
	assert_int_equal(strlen(s->nonce), 24);
	assert_int_equal(first(s, "SCRAM-SHA-256", CLIENT_FIRST, &out), SCRAM_FINE);
	/* Exchange our random nonce for the RFC's. */
	buf_reset(&s->first_bare);
	buf_str(&s->first_bare, "n=user,r=rOprNGfwEbeRWgbNEkqO," SERVER_FIRST);
	(void)snprintf(s->full_nonce, sizeof(s->full_nonce), "%s", "rOprNGfwEbeRWgbNEkqO" SERVER_NONCE);
	buf_done(&out);
}

static void the_rfc_exchange_succeeds(void **state)
{
	(void)state;
	struct scram s;
	struct buf out = BUF(1000);
	begin_rfc(&s, SPAN_NONE);
	assert_int_equal(last(&s, CLIENT_FINAL_BARE ",p=" PROOF, &out), SCRAM_FINE);
	assert_string_equal(out.ptr, SERVER_FINAL);
	/* Nothing may be said twice. */
	assert_int_equal(last(&s, CLIENT_FINAL_BARE ",p=" PROOF, &out), SCRAM_MALFORMED);
	scram_done(&s);
	buf_done(&out);
}

static void the_first_reply_continues_the_nonce(void **state)
{
	(void)state;
	struct scram s;
	struct scram_verifier v = pencil();
	struct buf out = BUF(1000);
	char want[200];
	scram_begin(&s, &v, false, SPAN_NONE);
	assert_int_equal(first(&s, "SCRAM-SHA-256", "n,,n=,r=abc", &out), SCRAM_FINE);
	(void)snprintf(want, sizeof(want), "r=abc%s,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", s.nonce);
	assert_string_equal(out.ptr, want);
	scram_done(&s);
	buf_done(&out);
}

static void tampered_finals_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *message;
		enum scram_result want;
	} rows[] = {
		{CLIENT_FINAL_BARE ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", SCRAM_REFUSED},
		{CLIENT_FINAL_BARE ",x=1,p=" PROOF, SCRAM_REFUSED}, /* changes what is signed */
		{CLIENT_FINAL_BARE, SCRAM_MALFORMED},
		{CLIENT_FINAL_BARE ",p=", SCRAM_MALFORMED},
		{CLIENT_FINAL_BARE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=",
		 SCRAM_MALFORMED}, /* not canonical */
		{CLIENT_FINAL_BARE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ", SCRAM_MALFORMED},
		{CLIENT_FINAL_BARE ",p=" PROOF ",x=1", SCRAM_MALFORMED},
		{"c=eSws,r=rOprNGfwEbeRWgbNEkqO" SERVER_NONCE ",p=" PROOF, SCRAM_MALFORMED},
		{"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=" PROOF, SCRAM_MALFORMED},
		{"r=rOprNGfwEbeRWgbNEkqO" SERVER_NONCE ",p=" PROOF, SCRAM_MALFORMED},
		{"", SCRAM_MALFORMED},
		{",,,,", SCRAM_MALFORMED},
		{"c=", SCRAM_MALFORMED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scram s;
		struct buf out = BUF(1000);
		begin_rfc(&s, SPAN_NONE);
		enum scram_result got = last(&s, rows[i].message, &out);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].message, (int)got);
		scram_done(&s);
		buf_done(&out);
	}
}

static void malformed_firsts_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"n",
		"n,",
		"n,,",
		"n,,n=",
		"n,,n=,",
		"n,,n=,r=",
		"n,,r=abc",
		"n,a=admin,n=,r=abc",
		"x,,n=,r=abc",
		"n,,m=ext,n=,r=abc",
		"n,,n=,r=a\x01",
		"p=tls-unique,,n=,r=abc",
		"p=tls-server-end-point,,n=,r=abc",
	};
	struct scram_verifier v = pencil();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scram s;
		struct buf out = BUF(1000);
		scram_begin(&s, &v, false, SPAN_NONE);
		if (first(&s, "SCRAM-SHA-256", rows[i], &out) != SCRAM_MALFORMED || out.len)
			fail_msg("%s was accepted", rows[i]);
		assert_int_equal(last(&s, CLIENT_FINAL_BARE ",p=" PROOF, &out), SCRAM_MALFORMED);
		scram_done(&s);
		buf_done(&out);
	}
	struct scram s;
	struct buf out = BUF(1000);
	scram_begin(&s, &v, false, SPAN_NONE);
	assert_int_equal(first(&s, "SCRAM-SHA-1", CLIENT_FIRST, &out), SCRAM_MALFORMED);
	scram_begin(&s, &v, false, SPAN_NONE);
	assert_int_equal(first(&s, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc", &out), SCRAM_MALFORMED);
	scram_done(&s);
	buf_done(&out);
}

/* A client's half, for the exchanges no RFC prints. */
static void client_final(const struct scram_verifier *v, const char *password, const char *auth_message,
			 const char *without_proof, char *ret, size_t size)
{
	unsigned char salted[32], client_key[32], stored[32], signature[32];
	unsigned char text[64];
	(void)PKCS5_PBKDF2_HMAC(password, (int)strlen(password), v->salt, (int)v->salt_len, (int)v->iterations,
				EVP_sha256(), 32, salted);
	hash_hmac_sha256((struct span){(char *)salted, 32}, SPAN("Client Key"), client_key);
	hash_sha256((struct span){(char *)client_key, 32}, stored);
	hash_hmac_sha256((struct span){(char *)stored, 32}, span_of(auth_message), signature);
	for (int i = 0; i < 32; i++)
		client_key[i] ^= signature[i];
	(void)EVP_EncodeBlock(text, client_key, 32);
	(void)snprintf(ret, size, "%s,p=%s", without_proof, (char *)text);
}

static enum scram_result run_bound(const char *mechanism, const char *flag, const char *c, bool is_mock)
{
	struct scram_verifier v = pencil();
	struct scram s;
	struct buf out = BUF(1000);
	char message[200], auth[2000], without[800], final[1000];
	scram_begin(&s, &v, is_mock, SPAN("0123456789abcdef"));
	(void)snprintf(message, sizeof(message), "%s,,n=,r=abc", flag);
	enum scram_result result = first(&s, mechanism, message, &out);
	if (result == SCRAM_FINE) {
		(void)snprintf(without, sizeof(without), "c=%s,r=%s", c, s.full_nonce);
		(void)snprintf(auth, sizeof(auth), "n=,r=abc,%s,%s", out.ptr, without);
		client_final(&v, "pencil", auth, without, final, sizeof(final));
		result = last(&s, final, &out);
	}
	scram_done(&s);
	buf_done(&out);
	return result;
}

static void channel_binding_is_checked(void **state)
{
	(void)state;
	/* base64 of "p=tls-server-end-point,,0123456789abcdef" */
	static const char bound[] = "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMDEyMzQ1Njc4OWFiY2RlZg==";
	static const char other[] = "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMDEyMzQ1Njc4OWFiY2RlMA==";
	assert_int_equal(run_bound("SCRAM-SHA-256-PLUS", "p=tls-server-end-point", bound, false), SCRAM_FINE);
	assert_int_equal(run_bound("SCRAM-SHA-256-PLUS", "p=tls-server-end-point", other, false), SCRAM_MALFORMED);
	assert_int_equal(run_bound("SCRAM-SHA-256-PLUS", "n", "biws", false), SCRAM_MALFORMED);
	assert_int_equal(run_bound("SCRAM-SHA-256", "n", "biws", false), SCRAM_FINE);
	/* "y" while we offered binding: the offer was cut out. */
	assert_int_equal(run_bound("SCRAM-SHA-256", "y", "eSws", false), SCRAM_MALFORMED);
	/* A mock user is refused even with the right proof. */
	assert_int_equal(run_bound("SCRAM-SHA-256", "n", "biws", true), SCRAM_REFUSED);
}

static void verifiers_have_the_text_of_postgresql(void **state)
{
	(void)state;
	struct scram_verifier v = pencil(), back;
	char text[SCRAM_VERIFIER_SIZE];
	scram_verifier_format(&v, text);
	assert_string_equal(
		text, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
		      "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
	assert_true(scram_verifier_parse(span_of(text), &back));
	assert_memory_equal(&v, &back, sizeof(v.iterations));
	assert_memory_equal(v.stored_key, back.stored_key, SHA256_BYTES);
	assert_true(scram_password_matches(&back, SPAN("pencil")));
	assert_false(scram_password_matches(&back, SPAN("pencil ")));
	assert_false(scram_password_matches(&back, SPAN("")));
	static const char *const bad[] = {
		"",
		"md5abc",
		"SCRAM-SHA-256$",
		"SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
		"SCRAM-SHA-256$4096:W22Z$WG5d:wfPL",
		"SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(scram_verifier_parse(span_of(bad[i]), &back));
}

static void unknown_users_get_a_stable_salt(void **state)
{
	(void)state;
	struct scram_verifier a, b, c;
	scram_verifier_mock(SPAN("joe"), SPAN("secret"), &a);
	scram_verifier_mock(SPAN("joe"), SPAN("secret"), &b);
	scram_verifier_mock(SPAN("jim"), SPAN("secret"), &c);
	assert_memory_equal(a.salt, b.salt, SCRAM_SALT);
	assert_memory_not_equal(a.salt, c.salt, SCRAM_SALT);
	assert_int_equal(a.iterations, SCRAM_ITERATIONS);
}

static void passwords_are_prepared(void **state)
{
	(void)state;
	struct scram_verifier v;
	assert_true(scram_verifier_make(SPAN("a\xc2\xa0"
					     "b\xe2\x80\x8d"),
					&v));
	assert_true(scram_password_matches(&v, SPAN("a b")));
	assert_false(scram_verifier_make(SPAN(""), &v));
	assert_false(scram_verifier_make(SPAN("\xff"), &v));
	assert_false(scram_verifier_make(SPAN("\xc2\xad"), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tampered_finals_are_refused),
		cmocka_unit_test(malformed_firsts_are_refused),
		cmocka_unit_test(channel_binding_is_checked),
		cmocka_unit_test(the_rfc_exchange_succeeds),
		cmocka_unit_test(the_first_reply_continues_the_nonce),
		cmocka_unit_test(verifiers_have_the_text_of_postgresql),
		cmocka_unit_test(unknown_users_get_a_stable_salt),
		cmocka_unit_test(passwords_are_prepared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
