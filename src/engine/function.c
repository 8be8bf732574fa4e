#include "engine/function.h"

#include "base/limits.h"
#include "engine/core.h"

#include <stdlib.h>

static void function_free(void *ctx)
{
	struct function *f = ctx;
	if (f->destroy)
		f->destroy(f->ctx);
	free(f);
}

static bool is_valid(duckdb_vector vector, idx_t row)
{
	uint64_t *validity = duckdb_vector_get_validity(vector);
	return !validity || duckdb_validity_row_is_valid(validity, row);
}

static void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
	const struct function *f = duckdb_scalar_function_get_extra_info(info);
	duckdb_vector first = duckdb_data_chunk_get_vector(input, 0), second = duckdb_data_chunk_get_vector(input, 1);
	const int32_t *numbers = duckdb_vector_get_data(first);
	const bool *flags = duckdb_vector_get_data(second);
	bool *results = duckdb_vector_get_data(output);
	const idx_t n = duckdb_data_chunk_get_size(input);
	for (idx_t i = 0; i < n; i++) {
		if (is_valid(first, i) && is_valid(second, i)) {
			results[i] = f->call(f->ctx, numbers[i], flags[i]);
			continue;
		}
		duckdb_vector_ensure_validity_writable(output);
		duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), i);
	}
}

bool function_register(struct session *session, const char *name, const struct function *function, struct err *err)
{
	struct function *f = mem_alloc(sizeof(*f));
	*f = *function;
	duckdb_scalar_function made = duckdb_create_scalar_function();
	duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
	duckdb_logical_type flag = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
	duckdb_scalar_function_set_name(made, name);
	duckdb_scalar_function_add_parameter(made, number);
	duckdb_scalar_function_add_parameter(made, flag);
	duckdb_scalar_function_set_return_type(made, flag);
	duckdb_scalar_function_set_volatile(made);
	duckdb_scalar_function_set_special_handling(made);
	duckdb_scalar_function_set_extra_info(made, f, function_free);
	duckdb_scalar_function_set_function(made, run);
	const bool fine = duckdb_register_scalar_function(session->connection, made) == DuckDBSuccess;
	duckdb_destroy_logical_type(&number);
	duckdb_destroy_logical_type(&flag);
	duckdb_destroy_scalar_function(&made);
	return fine || err_set(err, ERR_ENGINE, "The engine does not take the function %s", name);
}

enum { TEXT_ARGUMENTS_MAX = 8 };

static struct span text_at(duckdb_vector vector, idx_t row)
{
	if (!is_valid(vector, row))
		return SPAN_NONE;
	duckdb_string_t *text = (duckdb_string_t *)duckdb_vector_get_data(vector) + row;
	return (struct span){duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

static void run_text(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
	const struct text_function *f = duckdb_scalar_function_get_extra_info(info);
	const idx_t n = duckdb_data_chunk_get_size(input);
	struct buf out = BUF(LIMIT_SQL_BYTES);
	for (idx_t i = 0; i < n; i++) {
		struct span texts[TEXT_ARGUMENTS_MAX];
		const char *error = NULL;
		for (idx_t k = 0; k < f->arguments; k++)
			texts[k] = text_at(duckdb_data_chunk_get_vector(input, k), i);
		buf_reset(&out);
		const bool fine = f->call(texts, &out, &error);
		if (out.failed)
			error = "the result is too long";
		if (error) {
			duckdb_scalar_function_set_error(info, error);
			break;
		}
		if (fine) {
			const struct span made = buf_view(&out);
			duckdb_vector_assign_string_element_len(output, i, made.len ? made.ptr : "", made.len);
			continue;
		}
		duckdb_vector_ensure_validity_writable(output);
		duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), i);
	}
	buf_done(&out);
}

bool function_register_text(struct session *session, const char *name, const struct text_function *function,
			    struct err *err)
{
	duckdb_scalar_function made = duckdb_create_scalar_function();
	duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	duckdb_scalar_function_set_name(made, name);
	for (size_t i = 0; i < function->arguments; i++)
		duckdb_scalar_function_add_parameter(made, text);
	duckdb_scalar_function_set_return_type(made, text);
	duckdb_scalar_function_set_special_handling(made);
	duckdb_scalar_function_set_extra_info(made, (void *)(uintptr_t)function, NULL);
	duckdb_scalar_function_set_function(made, run_text);
	const bool fine = duckdb_register_scalar_function(session->connection, made) == DuckDBSuccess;
	duckdb_destroy_logical_type(&text);
	duckdb_destroy_scalar_function(&made);
	return fine || err_set(err, ERR_ENGINE, "The engine does not take the function %s", name);
}
