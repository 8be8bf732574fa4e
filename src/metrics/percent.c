#include "metrics/percent.h"

#include "base/hash.h"

bool percent_decode(struct span text, bool form, char *ret, size_t size)
{
	size_t used = 0;
	while (text.len > 0) {
		char c = text.ptr[0];
		size_t n = 1;
		if (c == '%') {
			n = 3;
			if (text.len < n || !hash_unhex((struct span){text.ptr + 1, 2}, &c, 1))
				return false;
		} else if (c == '+' && form) {
			c = ' ';
		}
		if (c == '\0' || used + 1 >= size)
			return false;
		ret[used++] = c;
		text = span_skip(text, n);
	}
	ret[used] = '\0';
	return true;
}

bool percent_next(struct span *query_string, struct span *ret_name, struct span *ret_value)
{
	while (query_string->len > 0) {
		struct span value = span_cut(query_string, '&');
		if (value.len == 0)
			continue;
		*ret_name = span_cut(&value, '=');
		*ret_value = value;
		return true;
	}
	return false;
}
