#include "engine/calendar.h"

#include "engine/number.h"

/* Years begin in March here, so that the leap day is the last one; 400 years have 146,097 days. */
void calendar_split(int64_t days, struct calendar_date *ret)
{
	const int64_t shifted = days + 719468;
	const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	const unsigned of_era = (unsigned)(shifted - era * 146097);
	const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const unsigned march_month = (5 * of_year + 2) / 153;
	ret->day = of_year - (153 * march_month + 2) / 5 + 1;
	ret->month = march_month < 10 ? march_month + 3 : march_month - 9;
	ret->year = (int64_t)year_of_era + era * 400 + (ret->month <= 2);
}

int64_t calendar_day(int64_t value, int64_t units_per_day, int64_t *ret_rest)
{
	int64_t day = value / units_per_day, rest = value % units_per_day;
	if (rest < 0) {
		rest += units_per_day;
		day--;
	}
	*ret_rest = rest;
	return day;
}

size_t calendar_print_date(const struct calendar_date *date, char *out)
{
	const uint64_t year = (uint64_t)(date->year > 0 ? date->year : 1 - date->year);
	size_t n = 4;
	if (year < 10000)
		number_padded(year, 4, out);
	else
		n = number_u64(year, out);
	out[n] = '-';
	number_padded(date->month, 2, out + n + 1);
	out[n + 3] = '-';
	number_padded(date->day, 2, out + n + 4);
	return n + 6;
}

size_t calendar_print_time(int64_t units, unsigned digits, bool trim, char *out)
{
	static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
	const int64_t seconds = units / powers[digits];
	uint64_t fraction = (uint64_t)(units % powers[digits]);
	number_padded((uint64_t)(seconds / 3600), 2, out);
	out[2] = ':';
	number_padded((uint64_t)(seconds / 60 % 60), 2, out + 3);
	out[5] = ':';
	number_padded((uint64_t)(seconds % 60), 2, out + 6);
	if (fraction == 0)
		return 8;
	while (trim && fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	out[8] = '.';
	number_padded(fraction, digits, out + 9);
	return 9 + digits;
}

size_t calendar_print_offset(int32_t seconds, char *out)
{
	const unsigned east = (unsigned)(seconds < 0 ? -seconds : seconds);
	const unsigned parts[] = {east / 3600, east / 60 % 60, east % 60};
	const size_t n = parts[2] ? 3 : parts[1] ? 2 : 1;
	out[0] = seconds < 0 ? '-' : '+';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			out[3 * i] = ':';
		number_padded(parts[i], 2, out + 3 * i + 1);
	}
	return 3 * n;
}
