-- Functions that are answered here, as pg_proc of PostgreSQL 15 has them: oid|name|kind, volatility, parallel, strict, leakproof, set|language|cost|rows|variadic|
-- result|arguments|all arguments|modes|names|defaults|source.
CREATE TABLE _pg.main._system_functions AS
	SELECT f[1]::UINTEGER AS oid, f[2] AS name, f[3] AS flags, f[4]::UINTEGER AS language, f[5]::FLOAT AS cost, f[6]::FLOAT AS row_count, f[7]::UINTEGER AS variadic_type,
		f[8]::UINTEGER AS result, coalesce(list_transform(list_filter(string_split(f[9], ' '), lambda o: o <> ''), lambda o: o::UINTEGER), []) AS arguments,
		CASE WHEN f[10] <> '' THEN list_transform(string_split(f[10], ' '), lambda o: o::UINTEGER) END AS all_arguments,
		CASE WHEN f[11] <> '' THEN list_filter(string_split(f[11], ''), lambda m: m <> '') END AS modes,
		CASE WHEN f[12] <> '' THEN string_split(f[12], ' ') END AS names, coalesce(f[13], '0')::SMALLINT AS defaults, CASE f[14] WHEN '-' THEN '' ELSE coalesce(nullif(f[14], ''), f[2]) END AS source
	FROM (SELECT string_split(unnest(string_split(trim('
31|byteaout|fiss--|12|1|0|0|2275|17||||0
33|charout|fiss--|12|1|0|0|2275|18||||0
34|namein|fiss--|12|1|0|0|19|2275||||0
35|nameout|fiss--|12|1|0|0|2275|19||||0
38|int2in|fiss--|12|1|0|0|21|2275||||0
39|int2out|fiss--|12|1|0|0|2275|21||||0
40|int2vectorin|fiss--|12|1|0|0|22|2275||||0
41|int2vectorout|fiss--|12|1|0|0|2275|22||||0
42|int4in|fiss--|12|1|0|0|23|2275||||0
43|int4out|fiss--|12|1|0|0|2275|23||||0
44|regprocin|fsss--|12|1|0|0|24|2275||||0
45|regprocout|fsss--|12|1|0|0|2275|24||||0
46|textin|fiss--|12|1|0|0|25|2275||||0
47|textout|fiss--|12|1|0|0|2275|25||||0
48|tidin|fiss--|12|1|0|0|27|2275||||0
49|tidout|fiss--|12|1|0|0|2275|27||||0
50|xidin|fiss--|12|1|0|0|28|2275||||0
51|xidout|fiss--|12|1|0|0|2275|28||||0
52|cidin|fiss--|12|1|0|0|29|2275||||0
53|cidout|fiss--|12|1|0|0|2275|29||||0
54|oidvectorin|fiss--|12|1|0|0|30|2275||||0
55|oidvectorout|fiss--|12|1|0|0|2275|30||||0
89|version|fsss--|12|1|0|0|25|||||0|pgsql_version
109|unknownin|fiss--|12|1|0|0|705|2275||||0
110|unknownout|fiss--|12|1|0|0|2275|705||||0
117|point_in|fiss--|12|1|0|0|600|2275||||0
118|point_out|fiss--|12|1|0|0|2275|600||||0
195|pg_node_tree_in|fiss--|12|1|0|0|194|2275||||0
196|pg_node_tree_out|fiss--|12|1|0|0|2275|194||||0
197|pg_node_tree_recv|fsss--|12|1|0|0|194|2281||||0
198|pg_node_tree_send|fsss--|12|1|0|0|17|194||||0
200|float4in|fiss--|12|1|0|0|700|2275||||0
201|float4out|fiss--|12|1|0|0|2275|700||||0
214|float8in|fiss--|12|1|0|0|701|2275||||0
215|float8out|fiss--|12|1|0|0|2275|701||||0
321|json_in|fiss--|12|1|0|0|114|2275||||0
322|json_out|fiss--|12|1|0|0|2275|114||||0
323|json_recv|fiss--|12|1|0|0|114|2281||||0
324|json_send|fiss--|12|1|0|0|17|114||||0
376|string_to_array|fis---|12|1|0|0|1009|25 25 25||||0|text_to_array_null
384|array_to_string|fss---|12|1|0|0|25|2277 25 25||||0|array_to_text_null
394|string_to_array|fis---|12|1|0|0|1009|25 25||||0|text_to_array
395|array_to_string|fsss--|12|1|0|0|25|2277 25||||0|array_to_text
400|hashtext|fiss--|12|1|0|0|23|25||||0
436|macaddr_in|fiss--|12|1|0|0|829|2275||||0
437|macaddr_out|fiss--|12|1|0|0|2275|829||||0
460|int8in|fiss--|12|1|0|0|20|2275||||0
461|int8out|fiss--|12|1|0|0|2275|20||||0
720|octet_length|fiss--|12|1|0|0|23|17||||0|byteaoctetlen
723|get_bit|fiss--|12|1|0|0|23|17 20||||0|byteaGetBit
724|set_bit|fiss--|12|1|0|0|17|17 20 23||||0|byteaSetBit
745|current_user|fsss--|12|1|0|0|19|||||0
746|session_user|fsss--|12|1|0|0|19|||||0
747|array_dims|fiss--|12|1|0|0|25|2277||||0
748|array_ndims|fiss--|12|1|0|0|23|2277||||0
749|overlay|fiss--|12|1|0|0|17|17 17 23 23||||0|byteaoverlay
750|array_in|fsss--|12|1|0|0|2277|2275 26 23||||0
751|array_out|fsss--|12|1|0|0|2275|2277||||0
752|overlay|fiss--|12|1|0|0|17|17 17 23||||0|byteaoverlay_no_len
753|trunc|fiss--|12|1|0|0|829|829||||0|macaddr_trunc
810|pg_client_encoding|fsss--|12|1|0|0|19|||||0
817|current_query|fvr---|12|1|0|0|25|||||0
849|position|fiss--|12|1|0|0|23|25 25||||0|textpos
861|current_database|fsss--|12|1|0|0|19|||||0
868|strpos|fiss--|12|1|0|0|23|25 25||||0|textpos
870|lower|fiss--|12|1|0|0|25|25||||0
871|upper|fiss--|12|1|0|0|25|25||||0
872|initcap|fiss--|12|1|0|0|25|25||||0
873|lpad|fiss--|12|1|0|0|25|25 23 25||||0
874|rpad|fiss--|12|1|0|0|25|25 23 25||||0
875|ltrim|fiss--|12|1|0|0|25|25 25||||0
876|rtrim|fiss--|12|1|0|0|25|25 25||||0
877|substr|fiss--|12|1|0|0|25|25 23 23||||0|text_substr
878|translate|fiss--|12|1|0|0|25|25 25 25||||0
879|lpad|fiss--|14|1|0|0|25|25 23||||0|-
880|rpad|fiss--|14|1|0|0|25|25 23||||0|-
881|ltrim|fiss--|12|1|0|0|25|25||||0|ltrim1
882|rtrim|fiss--|12|1|0|0|25|25||||0|rtrim1
883|substr|fiss--|12|1|0|0|25|25 23||||0|text_substr_no_len
884|btrim|fiss--|12|1|0|0|25|25 25||||0
885|btrim|fiss--|12|1|0|0|25|25||||0|btrim1
886|cash_in|fsss--|12|1|0|0|790|2275||||0
887|cash_out|fsss--|12|1|0|0|2275|790||||0
910|inet_in|fiss--|12|1|0|0|869|2275||||0
911|inet_out|fiss--|12|1|0|0|2275|869||||0
936|substring|fiss--|12|1|0|0|25|25 23 23||||0|text_substr
937|substring|fiss--|12|1|0|0|25|25 23||||0|text_substr_no_len
938|generate_series|fiss-r|12|1|1000|0|1114|1114 1114 1186||||0|generate_series_timestamp
939|generate_series|fsss-r|12|1|1000|0|1184|1184 1184 1186||||0|generate_series_timestamptz
940|mod|fiss--|12|1|0|0|21|21 21||||0|int2mod
941|mod|fiss--|12|1|0|0|23|23 23||||0|int4mod
947|mod|fiss--|12|1|0|0|20|20 20||||0|int8mod
1026|timezone|fiss--|12|1|0|0|1114|1186 1184||||0|timestamptz_izone
1031|aclitemin|fsss--|12|1|0|0|1033|2275||||0
1032|aclitemout|fsss--|12|1|0|0|2275|1033||||0
1039|getdatabaseencoding|fsss--|12|1|0|0|19|||||0
1044|bpcharin|fiss--|12|1|0|0|1042|2275 26 23||||0
1045|bpcharout|fiss--|12|1|0|0|2275|1042||||0
1046|varcharin|fiss--|12|1|0|0|1043|2275 26 23||||0
1047|varcharout|fiss--|12|1|0|0|2275|1043||||0
1066|generate_series|fiss-r|12|1|1000|0|23|23 23 23||||0|generate_series_step_int4
1067|generate_series|fiss-r|12|1|1000|0|23|23 23||||0|generate_series_int4
1068|generate_series|fiss-r|12|1|1000|0|20|20 20 20||||0|generate_series_step_int8
1069|generate_series|fiss-r|12|1|1000|0|20|20 20||||0|generate_series_int8
1081|format_type|fss---|12|1|0|0|25|26 23||||0
1084|date_in|fsss--|12|1|0|0|1082|2275||||0
1085|date_out|fsss--|12|1|0|0|2275|1082||||0
1143|time_in|fsss--|12|1|0|0|1083|2275 26 23||||0
1144|time_out|fiss--|12|1|0|0|2275|1083||||0
1150|timestamptz_in|fsss--|12|1|0|0|1184|2275 26 23||||0
1151|timestamptz_out|fsss--|12|1|0|0|2275|1184||||0
1158|to_timestamp|fiss--|12|1|0|0|1184|701||||0|float8_timestamptz
1159|timezone|fiss--|12|1|0|0|1114|25 1184||||0|timestamptz_zone
1160|interval_in|fsss--|12|1|0|0|1186|2275 26 23||||0
1161|interval_out|fsss--|12|1|0|0|2275|1186||||0
1171|date_part|fsss--|12|1|0|0|701|25 1184||||0|timestamptz_part
1172|date_part|fiss--|12|1|0|0|701|25 1186||||0|interval_part
1181|age|fsrs--|12|1|0|0|23|28||||0|xid_age
1191|generate_subscripts|fiss-r|12|1|1000|0|23|2277 23 16||||0
1192|generate_subscripts|fiss-r|12|1|1000|0|23|2277 23||||0|generate_subscripts_nodir
1194|log10|fiss--|12|1|0|0|701|701||||0|dlog10
1199|age|fiss--|12|1|0|0|1186|1184 1184||||0|timestamptz_age
1215|obj_description|fsss--|14|100|0|0|25|26 19||||0|-
1216|col_description|fsss--|14|100|0|0|25|26 23||||0|-
1217|date_trunc|fsss--|12|1|0|0|1184|25 1184||||0|timestamptz_trunc
1218|date_trunc|fiss--|12|1|0|0|1186|25 1186||||0|interval_trunc
1242|boolin|fiss--|12|1|0|0|16|2275||||0
1243|boolout|fiss--|12|1|0|0|2275|16||||0
1244|byteain|fiss--|12|1|0|0|17|2275||||0
1245|charin|fiss--|12|1|0|0|18|2275||||0
1264|pg_char_to_encoding|fsss--|12|1|0|0|23|19||||0|PG_char_to_encoding
1267|cidr_in|fiss--|12|1|0|0|650|2275||||0
1268|parse_ident|fiss--|12|1|0|0|1009|25 16|||str strict|1
1273|date_part|fiss--|12|1|0|0|701|25 1266||||0|timetz_part
1282|quote_ident|fiss--|12|1|0|0|25|25||||0
1283|quote_literal|fiss--|12|1|0|0|25|25||||0
1284|date_trunc|fsss--|12|1|0|0|1184|25 1184 25||||0|timestamptz_trunc_zone
1285|quote_literal|fsss--|14|1|0|0|25|2283||||0|select pg_catalog.quote_literal($1::pg_catalog.text)
1289|quote_nullable|fis---|12|1|0|0|25|25||||0
1290|quote_nullable|fss---|14|1|0|0|25|2283||||0|select pg_catalog.quote_nullable($1::pg_catalog.text)
1299|now|fsss--|12|1|0|0|1184|||||0
1312|timestamp_in|fsss--|12|1|0|0|1114|2275 26 23||||0
1313|timestamp_out|fsss--|12|1|0|0|2275|1114||||0
1317|length|fiss--|12|1|0|0|23|25||||0|textlen
1318|length|fiss--|12|1|0|0|23|1042||||0|bpcharlen
1340|log|fiss--|12|1|0|0|701|701||||0|dlog10
1341|ln|fiss--|12|1|0|0|701|701||||0|dlog1
1342|round|fiss--|12|1|0|0|701|701||||0|dround
1343|trunc|fiss--|12|1|0|0|701|701||||0|dtrunc
1344|sqrt|fiss--|12|1|0|0|701|701||||0|dsqrt
1345|cbrt|fiss--|12|1|0|0|701|701||||0|dcbrt
1346|pow|fiss--|12|1|0|0|701|701 701||||0|dpow
1347|exp|fiss--|12|1|0|0|701|701||||0|dexp
1348|obj_description|fsss--|14|100|0|0|25|26||||0|-
1349|oidvectortypes|fsss--|12|1|0|0|25|30||||0
1350|timetz_in|fsss--|12|1|0|0|1266|2275 26 23||||0
1351|timetz_out|fiss--|12|1|0|0|2275|1266||||0
1367|character_length|fiss--|12|1|0|0|23|1042||||0|bpcharlen
1368|power|fiss--|12|1|0|0|701|701 701||||0|dpow
1369|character_length|fiss--|12|1|0|0|23|25||||0|textlen
1372|char_length|fiss--|12|1|0|0|23|1042||||0|bpcharlen
1373|isfinite|fiss--|12|1|0|0|16|1082||||0|date_finite
1374|octet_length|fiss--|12|1|0|0|23|25||||0|textoctetlen
1375|octet_length|fiss--|12|1|0|0|23|1042||||0|bpcharoctetlen
1376|factorial|fiss--|12|1|0|0|1700|20||||0|numeric_fac
1381|char_length|fiss--|12|1|0|0|23|25||||0|textlen
1384|date_part|fiss--|14|1|0|0|701|25 1082||||0|-
1385|date_part|fiss--|12|1|0|0|701|25 1083||||0|time_part
1386|age|fsss--|14|1|0|0|1186|1184||||0|-
1387|pg_get_constraintdef|fsss--|12|1|0|0|25|26||||0
1389|isfinite|fiss--|12|1|0|0|16|1184||||0|timestamp_finite
1390|isfinite|fiss--|12|1|0|0|16|1186||||0|interval_finite
1394|abs|fiss--|12|1|0|0|700|700||||0|float4abs
1395|abs|fiss--|12|1|0|0|701|701||||0|float8abs
1396|abs|fiss--|12|1|0|0|20|20||||0|int8abs
1397|abs|fiss--|12|1|0|0|23|23||||0|int4abs
1398|abs|fiss--|12|1|0|0|21|21||||0|int2abs
1402|current_schema|fsus--|12|1|0|0|19|||||0
1403|current_schemas|fsus--|12|1|0|0|1003|16||||0
1404|overlay|fiss--|12|1|0|0|25|25 25 23 23||||0|textoverlay
1405|overlay|fiss--|12|1|0|0|25|25 25 23||||0|textoverlay_no_len
1427|cidr_out|fiss--|12|1|0|0|2275|650||||0
1481|log10|fiss--|14|1|0|0|1700|1700||||0|-
1564|bit_in|fiss--|12|1|0|0|1560|2275 26 23||||0
1565|bit_out|fiss--|12|1|0|0|2275|1560||||0
1569|like|fiss--|12|1|0|0|16|25 25||||0|textlike
1570|notlike|fiss--|12|1|0|0|16|25 25||||0|textnlike
1571|like|fiss--|12|1|0|0|16|19 25||||0|namelike
1572|notlike|fiss--|12|1|0|0|16|19 25||||0|namenlike
1573|pg_get_ruledef|fsss--|12|1|0|0|25|26||||0
1574|nextval|fvus--|12|1|0|0|20|2205||||0|nextval_oid
1575|currval|fvus--|12|1|0|0|20|2205||||0|currval_oid
1576|setval|fvus--|12|1|0|0|20|2205 20||||0|setval_oid
1579|varbit_in|fiss--|12|1|0|0|1562|2275 26 23||||0
1580|varbit_out|fiss--|12|1|0|0|2275|1562||||0
1597|pg_encoding_to_char|fsss--|12|1|0|0|19|23||||0|PG_encoding_to_char
1598|random|fvrs--|12|1|0|0|701|||||0|drandom
1599|setseed|fvrs--|12|1|0|0|2278|701||||0
1600|asin|fiss--|12|1|0|0|701|701||||0|dasin
1601|acos|fiss--|12|1|0|0|701|701||||0|dacos
1602|atan|fiss--|12|1|0|0|701|701||||0|datan
1603|atan2|fiss--|12|1|0|0|701|701 701||||0|datan2
1604|sin|fiss--|12|1|0|0|701|701||||0|dsin
1605|cos|fiss--|12|1|0|0|701|701||||0|dcos
1606|tan|fiss--|12|1|0|0|701|701||||0|dtan
1607|cot|fiss--|12|1|0|0|701|701||||0|dcot
1608|degrees|fiss--|12|1|0|0|701|701||||0
1609|radians|fiss--|12|1|0|0|701|701||||0
1610|pi|fiss--|12|1|0|0|701|||||0|dpi
1619|pg_typeof|fss---|12|1|0|0|2206|2276||||0
1620|ascii|fiss--|12|1|0|0|23|25||||0
1621|chr|fiss--|12|1|0|0|25|23||||0
1622|repeat|fiss--|12|1|0|0|25|25 23||||0
1637|like_escape|fiss--|12|1|0|0|25|25 25||||0
1640|pg_get_viewdef|fsrs--|12|1|0|0|25|25||||0|pg_get_viewdef_name
1641|pg_get_viewdef|fsrs--|12|1|0|0|25|26||||0
1642|pg_get_userbyid|fsss--|12|1|0|0|19|26||||0
1643|pg_get_indexdef|fsss--|12|1|0|0|25|26||||0
1662|pg_get_triggerdef|fsss--|12|1|0|0|25|26||||0
1665|pg_get_serial_sequence|fsss--|12|1|0|0|25|25 25||||0
1680|substring|fiss--|12|1|0|0|1560|1560 23 23||||0|bitsubstr
1681|length|fiss--|12|1|0|0|23|1560||||0|bitlength
1682|octet_length|fiss--|12|1|0|0|23|1560||||0|bitoctetlength
1686|pg_get_keywords|fsss-r|12|10|500|0|2249||25 18 16 25 25|ooooo|word catcode barelabel catdesc baredesc|0
1689|aclexplode|fsss-r|12|1|10|0|2249|1034|1034 26 26 25 16|ioooo|acl grantor grantee privilege_type is_grantable|0
1698|position|fiss--|12|1|0|0|23|1560 1560||||0|bitposition
1699|substring|fiss--|12|1|0|0|1560|1560 23||||0|bitsubstr_no_len
1701|numeric_in|fiss--|12|1|0|0|1700|2275 26 23||||0
1702|numeric_out|fiss--|12|1|0|0|2275|1700||||0
1705|abs|fiss--|12|1|0|0|1700|1700||||0|numeric_abs
1706|sign|fiss--|12|1|0|0|1700|1700||||0|numeric_sign
1707|round|fiss--|12|1|0|0|1700|1700 23||||0|numeric_round
1708|round|fiss--|14|1|0|0|1700|1700||||0|-
1709|trunc|fiss--|12|1|0|0|1700|1700 23||||0|numeric_trunc
1710|trunc|fiss--|14|1|0|0|1700|1700||||0|-
1711|ceil|fiss--|12|1|0|0|1700|1700||||0|numeric_ceil
1712|floor|fiss--|12|1|0|0|1700|1700||||0|numeric_floor
1713|length|fsss--|12|1|0|0|23|17 19||||0|length_in_encoding
1714|convert_from|fsss--|12|1|0|0|25|17 19||||0|pg_convert_from
1716|pg_get_expr|fsss--|12|1|0|0|25|194 26||||0
1717|convert_to|fsss--|12|1|0|0|17|25 19||||0|pg_convert_to
1728|mod|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_mod
1730|sqrt|fiss--|12|1|0|0|1700|1700||||0|numeric_sqrt
1732|exp|fiss--|12|1|0|0|1700|1700||||0|numeric_exp
1734|ln|fiss--|12|1|0|0|1700|1700||||0|numeric_ln
1736|log|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_log
1738|pow|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_power
1741|log|fiss--|14|1|0|0|1700|1700||||0|-
1765|setval|fvus--|12|1|0|0|20|2205 20 16||||0|setval3_oid
1768|to_char|fsss--|12|1|0|0|25|1186 25||||0|interval_to_char
1770|to_char|fsss--|12|1|0|0|25|1184 25||||0|timestamptz_to_char
1772|to_char|fsss--|12|1|0|0|25|1700 25||||0|numeric_to_char
1773|to_char|fsss--|12|1|0|0|25|23 25||||0|int4_to_char
1774|to_char|fsss--|12|1|0|0|25|20 25||||0|int8_to_char
1775|to_char|fsss--|12|1|0|0|25|700 25||||0|float4_to_char
1776|to_char|fsss--|12|1|0|0|25|701 25||||0|float8_to_char
1778|to_timestamp|fsss--|12|1|0|0|1184|25 25||||0
1780|to_date|fsss--|12|1|0|0|1082|25 25||||0
1798|oidin|fiss--|12|1|0|0|26|2275||||0
1799|oidout|fiss--|12|1|0|0|2275|26||||0
1810|bit_length|fiss--|14|1|0|0|23|17||||0|-
1811|bit_length|fiss--|14|1|0|0|23|25||||0|-
1812|bit_length|fiss--|14|1|0|0|23|1560||||0|-
1922|has_table_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_table_privilege_name_name
1923|has_table_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_table_privilege_name_id
1924|has_table_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_table_privilege_id_name
1925|has_table_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_table_privilege_id_id
1926|has_table_privilege|fsss--|12|1|0|0|16|25 25||||0|has_table_privilege_name
1927|has_table_privilege|fsss--|12|1|0|0|16|26 25||||0|has_table_privilege_id
1928|pg_stat_get_numscans|fsrs--|12|1|0|0|20|26||||0
1946|encode|fiss--|12|1|0|0|25|17 25||||0|binary_encode
1947|decode|fiss--|12|1|0|0|17|25 25||||0|binary_decode
1993|shobj_description|fsss--|14|100|0|0|25|26 19||||0|-
2007|like|fiss--|12|1|0|0|16|17 17||||0|bytealike
2008|notlike|fiss--|12|1|0|0|16|17 17||||0|byteanlike
2009|like_escape|fiss--|12|1|0|0|17|17 17||||0|like_escape_bytea
2010|length|fiss--|12|1|0|0|23|17||||0|byteaoctetlen
2012|substring|fiss--|12|1|0|0|17|17 23 23||||0|bytea_substr
2013|substring|fiss--|12|1|0|0|17|17 23||||0|bytea_substr_no_len
2014|position|fiss--|12|1|0|0|23|17 17||||0|byteapos
2015|btrim|fiss--|12|1|0|0|17|17 17||||0|byteatrim
2020|date_trunc|fiss--|12|1|0|0|1114|25 1114||||0|timestamp_trunc
2021|date_part|fiss--|12|1|0|0|701|25 1114||||0|timestamp_part
2026|pg_backend_pid|fsrs--|12|1|0|0|23|||||0
2034|pg_conf_load_time|fsrs--|12|1|0|0|1184|||||0
2037|timezone|fsss--|12|1|0|0|1266|25 1266||||0|timetz_zone
2038|timezone|fiss--|12|1|0|0|1266|1186 1266||||0|timetz_izone
2048|isfinite|fiss--|12|1|0|0|16|1114||||0|timestamp_finite
2049|to_char|fsss--|12|1|0|0|25|1114 25||||0|timestamp_to_char
2050|max|ais---|12|1|0|0|2277|2277||||0|aggregate_dummy
2051|min|ais---|12|1|0|0|2277|2277||||0|aggregate_dummy
2058|age|fiss--|12|1|0|0|1186|1114 1114||||0|timestamp_age
2059|age|fsss--|14|1|0|0|1186|1114||||0|-
2069|timezone|fiss--|12|1|0|0|1184|25 1114||||0|timestamp_zone
2070|timezone|fiss--|12|1|0|0|1184|1186 1114||||0|timestamp_izone
2073|substring|fiss--|12|1|0|0|25|25 25||||0|textregexsubstr
2074|substring|fiss--|14|1|0|0|25|25 25 25||||0|-
2077|current_setting|fsss--|12|1|0|0|25|25||||0|show_config_by_name
2078|set_config|fvu---|12|1|0|0|25|25 25 16||||0|set_config_by_name
2079|pg_table_is_visible|fsss--|12|10|0|0|16|26||||0
2080|pg_type_is_visible|fsss--|12|10|0|0|16|26||||0
2081|pg_function_is_visible|fsss--|12|10|0|0|16|26||||0
2082|pg_operator_is_visible|fsss--|12|10|0|0|16|26||||0
2083|pg_opclass_is_visible|fsss--|12|10|0|0|16|26||||0
2085|substr|fiss--|12|1|0|0|17|17 23 23||||0|bytea_substr
2086|substr|fiss--|12|1|0|0|17|17 23||||0|bytea_substr_no_len
2087|replace|fiss--|12|1|0|0|25|25 25 25||||0|replace_text
2088|split_part|fiss--|12|1|0|0|25|25 25 23||||0
2089|to_hex|fiss--|12|1|0|0|25|23||||0|to_hex32
2090|to_hex|fiss--|12|1|0|0|25|20||||0|to_hex64
2091|array_lower|fiss--|12|1|0|0|23|2277 23||||0
2092|array_upper|fiss--|12|1|0|0|23|2277 23||||0
2093|pg_conversion_is_visible|fsss--|12|10|0|0|16|26||||0
2096|pg_terminate_backend|fvss--|12|1|0|0|16|23 20|||pid timeout|1
2098|pg_get_functiondef|fsss--|12|1|0|0|25|26||||0
2100|avg|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2101|avg|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2102|avg|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2103|avg|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2104|avg|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2105|avg|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2106|avg|ais---|12|1|0|0|1186|1186||||0|aggregate_dummy
2107|sum|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2108|sum|ais---|12|1|0|0|20|23||||0|aggregate_dummy
2109|sum|ais---|12|1|0|0|20|21||||0|aggregate_dummy
2110|sum|ais---|12|1|0|0|700|700||||0|aggregate_dummy
2111|sum|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2112|sum|ais---|12|1|0|0|790|790||||0|aggregate_dummy
2113|sum|ais---|12|1|0|0|1186|1186||||0|aggregate_dummy
2114|sum|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2115|max|ais---|12|1|0|0|20|20||||0|aggregate_dummy
2116|max|ais---|12|1|0|0|23|23||||0|aggregate_dummy
2117|max|ais---|12|1|0|0|21|21||||0|aggregate_dummy
2118|max|ais---|12|1|0|0|26|26||||0|aggregate_dummy
2119|max|ais---|12|1|0|0|700|700||||0|aggregate_dummy
2120|max|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2122|max|ais---|12|1|0|0|1082|1082||||0|aggregate_dummy
2123|max|ais---|12|1|0|0|1083|1083||||0|aggregate_dummy
2124|max|ais---|12|1|0|0|1266|1266||||0|aggregate_dummy
2125|max|ais---|12|1|0|0|790|790||||0|aggregate_dummy
2126|max|ais---|12|1|0|0|1114|1114||||0|aggregate_dummy
2127|max|ais---|12|1|0|0|1184|1184||||0|aggregate_dummy
2128|max|ais---|12|1|0|0|1186|1186||||0|aggregate_dummy
2129|max|ais---|12|1|0|0|25|25||||0|aggregate_dummy
2130|max|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2131|min|ais---|12|1|0|0|20|20||||0|aggregate_dummy
2132|min|ais---|12|1|0|0|23|23||||0|aggregate_dummy
2133|min|ais---|12|1|0|0|21|21||||0|aggregate_dummy
2134|min|ais---|12|1|0|0|26|26||||0|aggregate_dummy
2135|min|ais---|12|1|0|0|700|700||||0|aggregate_dummy
2136|min|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2138|min|ais---|12|1|0|0|1082|1082||||0|aggregate_dummy
2139|min|ais---|12|1|0|0|1083|1083||||0|aggregate_dummy
2140|min|ais---|12|1|0|0|1266|1266||||0|aggregate_dummy
2141|min|ais---|12|1|0|0|790|790||||0|aggregate_dummy
2142|min|ais---|12|1|0|0|1114|1114||||0|aggregate_dummy
2143|min|ais---|12|1|0|0|1184|1184||||0|aggregate_dummy
2144|min|ais---|12|1|0|0|1186|1186||||0|aggregate_dummy
2145|min|ais---|12|1|0|0|25|25||||0|aggregate_dummy
2146|min|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2147|count|ais---|12|1|0|0|20|2276||||0|aggregate_dummy
2148|variance|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2149|variance|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2150|variance|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2151|variance|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2152|variance|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2153|variance|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2154|stddev|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2155|stddev|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2156|stddev|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2157|stddev|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2158|stddev|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2159|stddev|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2162|pg_get_function_arguments|fsss--|12|1|0|0|25|26||||0
2165|pg_get_function_result|fsss--|12|1|0|0|25|26||||0
2167|ceiling|fiss--|12|1|0|0|1700|1700||||0|numeric_ceil
2168|pg_database_size|fvss--|12|1|0|0|20|19||||0|pg_database_size_name
2169|power|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_power
2171|pg_cancel_backend|fvss--|12|1|0|0|16|23||||0
2176|array_length|fiss--|12|1|0|0|23|2277 23||||0
2181|has_sequence_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_sequence_privilege_name_name
2182|has_sequence_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_sequence_privilege_name_id
2183|has_sequence_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_sequence_privilege_id_name
2184|has_sequence_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_sequence_privilege_id_id
2185|has_sequence_privilege|fsss--|12|1|0|0|16|25 25||||0|has_sequence_privilege_name
2186|has_sequence_privilege|fsss--|12|1|0|0|16|26 25||||0|has_sequence_privilege_id
2196|inet_client_addr|fsr---|12|1|0|0|869|||||0
2197|inet_client_port|fsr---|12|1|0|0|23|||||0
2198|inet_server_addr|fsr---|12|1|0|0|869|||||0
2199|inet_server_port|fsr---|12|1|0|0|23|||||0
2212|regprocedurein|fsss--|12|1|0|0|2202|2275||||0
2213|regprocedureout|fsss--|12|1|0|0|2275|2202||||0
2218|regclassin|fsss--|12|1|0|0|2205|2275||||0
2219|regclassout|fsss--|12|1|0|0|2275|2205||||0
2220|regtypein|fsss--|12|1|0|0|2206|2275||||0
2221|regtypeout|fsss--|12|1|0|0|2275|2206||||0
2232|pg_get_function_identity_arguments|fsss--|12|1|0|0|25|26||||0
2236|bit_and|ais---|12|1|0|0|21|21||||0|aggregate_dummy
2237|bit_or|ais---|12|1|0|0|21|21||||0|aggregate_dummy
2238|bit_and|ais---|12|1|0|0|23|23||||0|aggregate_dummy
2239|bit_or|ais---|12|1|0|0|23|23||||0|aggregate_dummy
2240|bit_and|ais---|12|1|0|0|20|20||||0|aggregate_dummy
2241|bit_or|ais---|12|1|0|0|20|20||||0|aggregate_dummy
2242|bit_and|ais---|12|1|0|0|1560|1560||||0|aggregate_dummy
2243|bit_or|ais---|12|1|0|0|1560|1560||||0|aggregate_dummy
2244|max|ais---|12|1|0|0|1042|1042||||0|aggregate_dummy
2245|min|ais---|12|1|0|0|1042|1042||||0|aggregate_dummy
2250|has_database_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_database_privilege_name_name
2251|has_database_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_database_privilege_name_id
2252|has_database_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_database_privilege_id_name
2253|has_database_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_database_privilege_id_id
2254|has_database_privilege|fsss--|12|1|0|0|16|25 25||||0|has_database_privilege_name
2255|has_database_privilege|fsss--|12|1|0|0|16|26 25||||0|has_database_privilege_id
2256|has_function_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_function_privilege_name_name
2257|has_function_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_function_privilege_name_id
2258|has_function_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_function_privilege_id_name
2259|has_function_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_function_privilege_id_id
2260|has_function_privilege|fsss--|12|1|0|0|16|25 25||||0|has_function_privilege_name
2261|has_function_privilege|fsss--|12|1|0|0|16|26 25||||0|has_function_privilege_id
2262|has_language_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_language_privilege_name_name
2263|has_language_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_language_privilege_name_id
2264|has_language_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_language_privilege_id_name
2265|has_language_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_language_privilege_id_id
2266|has_language_privilege|fsss--|12|1|0|0|16|25 25||||0|has_language_privilege_name
2267|has_language_privilege|fsss--|12|1|0|0|16|26 25||||0|has_language_privilege_id
2268|has_schema_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_schema_privilege_name_name
2269|has_schema_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_schema_privilege_name_id
2270|has_schema_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_schema_privilege_id_name
2271|has_schema_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_schema_privilege_id_id
2272|has_schema_privilege|fsss--|12|1|0|0|16|25 25||||0|has_schema_privilege_name
2273|has_schema_privilege|fsss--|12|1|0|0|16|26 25||||0|has_schema_privilege_id
2284|regexp_replace|fiss--|12|1|0|0|25|25 25 25||||0|textregexreplace_noopt
2285|regexp_replace|fiss--|12|1|0|0|25|25 25 25 25||||0|textregexreplace
2286|pg_total_relation_size|fvss--|12|1|0|0|20|2205||||0
2288|pg_size_pretty|fiss--|12|1|0|0|25|20||||0
2289|pg_options_to_table|fsss-r|12|1|3|0|2249|1009|1009 25 25|ioo|options_array option_name option_value|0
2290|record_in|fsss--|12|1|0|0|2249|2275 26 23||||0
2291|record_out|fsss--|12|1|0|0|2275|2249||||0
2292|cstring_in|fiss--|12|1|0|0|2275|2275||||0
2293|cstring_out|fiss--|12|1|0|0|2275|2275||||0
2294|any_in|fiss--|12|1|0|0|2276|2275||||0
2295|any_out|fiss--|12|1|0|0|2275|2276||||0
2296|anyarray_in|fiss--|12|1|0|0|2277|2275||||0
2297|anyarray_out|fsss--|12|1|0|0|2275|2277||||0
2298|void_in|fiss--|12|1|0|0|2278|2275||||0
2299|void_out|fiss--|12|1|0|0|2275|2278||||0
2300|trigger_in|fis---|12|1|0|0|2279|2275||||0
2301|trigger_out|fiss--|12|1|0|0|2275|2279||||0
2304|internal_in|fis---|12|1|0|0|2281|2275||||0
2305|internal_out|fiss--|12|1|0|0|2275|2281||||0
2308|ceil|fiss--|12|1|0|0|701|701||||0|dceil
2309|floor|fiss--|12|1|0|0|701|701||||0|dfloor
2310|sign|fiss--|12|1|0|0|701|701||||0|dsign
2311|md5|fissl-|12|1|0|0|25|25||||0|md5_text
2312|anyelement_in|fiss--|12|1|0|0|2283|2275||||0
2313|anyelement_out|fiss--|12|1|0|0|2275|2283||||0
2320|ceiling|fiss--|12|1|0|0|701|701||||0|dceil
2321|md5|fissl-|12|1|0|0|25|17||||0|md5_bytea
2322|pg_tablespace_size|fvss--|12|1|0|0|20|26||||0|pg_tablespace_size_oid
2323|pg_tablespace_size|fvss--|12|1|0|0|20|19||||0|pg_tablespace_size_name
2324|pg_database_size|fvss--|12|1|0|0|20|26||||0|pg_database_size_oid
2325|pg_relation_size|fvss--|14|1|0|0|20|2205||||0|-
2331|unnest|fiss-r|12|1|100|0|2283|2277||||0|array_unnest
2332|pg_relation_size|fvss--|12|1|0|0|20|2205 25||||0
2335|array_agg|ais---|12|1|0|0|2277|2776||||0|aggregate_dummy
2390|has_tablespace_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_tablespace_privilege_name_name
2391|has_tablespace_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_tablespace_privilege_name_id
2392|has_tablespace_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_tablespace_privilege_id_name
2393|has_tablespace_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_tablespace_privilege_id_id
2394|has_tablespace_privilege|fsss--|12|1|0|0|16|25 25||||0|has_tablespace_privilege_name
2395|has_tablespace_privilege|fsss--|12|1|0|0|16|26 25||||0|has_tablespace_privilege_id
2400|array_recv|fsss--|12|1|0|0|2277|2281 26 23||||0
2401|array_send|fsss--|12|1|0|0|17|2277||||0
2402|record_recv|fsss--|12|1|0|0|2249|2281 26 23||||0
2403|record_send|fsss--|12|1|0|0|17|2249||||0
2404|int2recv|fiss--|12|1|0|0|21|2281||||0
2405|int2send|fiss--|12|1|0|0|17|21||||0
2406|int4recv|fiss--|12|1|0|0|23|2281||||0
2407|int4send|fiss--|12|1|0|0|17|23||||0
2408|int8recv|fiss--|12|1|0|0|20|2281||||0
2409|int8send|fiss--|12|1|0|0|17|20||||0
2410|int2vectorrecv|fiss--|12|1|0|0|22|2281||||0
2411|int2vectorsend|fiss--|12|1|0|0|17|22||||0
2412|bytearecv|fiss--|12|1|0|0|17|2281||||0
2413|byteasend|fiss--|12|1|0|0|17|17||||0
2414|textrecv|fsss--|12|1|0|0|25|2281||||0
2415|textsend|fsss--|12|1|0|0|17|25||||0
2416|unknownrecv|fiss--|12|1|0|0|705|2281||||0
2417|unknownsend|fiss--|12|1|0|0|17|705||||0
2418|oidrecv|fiss--|12|1|0|0|26|2281||||0
2419|oidsend|fiss--|12|1|0|0|17|26||||0
2420|oidvectorrecv|fiss--|12|1|0|0|30|2281||||0
2421|oidvectorsend|fiss--|12|1|0|0|17|30||||0
2422|namerecv|fsss--|12|1|0|0|19|2281||||0
2423|namesend|fsss--|12|1|0|0|17|19||||0
2424|float4recv|fiss--|12|1|0|0|700|2281||||0
2425|float4send|fiss--|12|1|0|0|17|700||||0
2426|float8recv|fiss--|12|1|0|0|701|2281||||0
2427|float8send|fiss--|12|1|0|0|17|701||||0
2428|point_recv|fiss--|12|1|0|0|600|2281||||0
2429|point_send|fiss--|12|1|0|0|17|600||||0
2430|bpcharrecv|fsss--|12|1|0|0|1042|2281 26 23||||0
2431|bpcharsend|fsss--|12|1|0|0|17|1042||||0
2432|varcharrecv|fsss--|12|1|0|0|1043|2281 26 23||||0
2433|varcharsend|fsss--|12|1|0|0|17|1043||||0
2434|charrecv|fiss--|12|1|0|0|18|2281||||0
2435|charsend|fiss--|12|1|0|0|17|18||||0
2436|boolrecv|fiss--|12|1|0|0|16|2281||||0
2437|boolsend|fiss--|12|1|0|0|17|16||||0
2438|tidrecv|fiss--|12|1|0|0|27|2281||||0
2439|tidsend|fiss--|12|1|0|0|17|27||||0
2440|xidrecv|fiss--|12|1|0|0|28|2281||||0
2441|xidsend|fiss--|12|1|0|0|17|28||||0
2442|cidrecv|fiss--|12|1|0|0|29|2281||||0
2443|cidsend|fiss--|12|1|0|0|17|29||||0
2444|regprocrecv|fiss--|12|1|0|0|24|2281||||0
2445|regprocsend|fiss--|12|1|0|0|17|24||||0
2446|regprocedurerecv|fiss--|12|1|0|0|2202|2281||||0
2447|regproceduresend|fiss--|12|1|0|0|17|2202||||0
2452|regclassrecv|fiss--|12|1|0|0|2205|2281||||0
2453|regclasssend|fiss--|12|1|0|0|17|2205||||0
2454|regtyperecv|fiss--|12|1|0|0|2206|2281||||0
2455|regtypesend|fiss--|12|1|0|0|17|2206||||0
2456|bit_recv|fiss--|12|1|0|0|1560|2281 26 23||||0
2457|bit_send|fiss--|12|1|0|0|17|1560||||0
2458|varbit_recv|fiss--|12|1|0|0|1562|2281 26 23||||0
2459|varbit_send|fiss--|12|1|0|0|17|1562||||0
2460|numeric_recv|fiss--|12|1|0|0|1700|2281 26 23||||0
2461|numeric_send|fiss--|12|1|0|0|17|1700||||0
2462|sinh|fiss--|12|1|0|0|701|701||||0|dsinh
2463|cosh|fiss--|12|1|0|0|701|701||||0|dcosh
2464|tanh|fiss--|12|1|0|0|701|701||||0|dtanh
2465|asinh|fiss--|12|1|0|0|701|701||||0|dasinh
2466|acosh|fiss--|12|1|0|0|701|701||||0|dacosh
2467|atanh|fiss--|12|1|0|0|701|701||||0|datanh
2468|date_recv|fiss--|12|1|0|0|1082|2281||||0
2469|date_send|fiss--|12|1|0|0|17|1082||||0
2470|time_recv|fiss--|12|1|0|0|1083|2281 26 23||||0
2471|time_send|fiss--|12|1|0|0|17|1083||||0
2472|timetz_recv|fiss--|12|1|0|0|1266|2281 26 23||||0
2473|timetz_send|fiss--|12|1|0|0|17|1266||||0
2474|timestamp_recv|fiss--|12|1|0|0|1114|2281 26 23||||0
2475|timestamp_send|fiss--|12|1|0|0|17|1114||||0
2476|timestamptz_recv|fiss--|12|1|0|0|1184|2281 26 23||||0
2477|timestamptz_send|fiss--|12|1|0|0|17|1184||||0
2478|interval_recv|fiss--|12|1|0|0|1186|2281 26 23||||0
2479|interval_send|fiss--|12|1|0|0|17|1186||||0
2492|cash_recv|fiss--|12|1|0|0|790|2281||||0
2493|cash_send|fiss--|12|1|0|0|17|790||||0
2494|macaddr_recv|fiss--|12|1|0|0|829|2281||||0
2495|macaddr_send|fiss--|12|1|0|0|17|829||||0
2496|inet_recv|fiss--|12|1|0|0|869|2281||||0
2497|inet_send|fiss--|12|1|0|0|17|869||||0
2498|cidr_recv|fiss--|12|1|0|0|650|2281||||0
2499|cidr_send|fiss--|12|1|0|0|17|650||||0
2500|cstring_recv|fsss--|12|1|0|0|2275|2281||||0
2501|cstring_send|fsss--|12|1|0|0|17|2275||||0
2502|anyarray_recv|fsss--|12|1|0|0|2277|2281||||0
2503|anyarray_send|fsss--|12|1|0|0|17|2277||||0
2504|pg_get_ruledef|fsss--|12|1|0|0|25|26 16||||0|pg_get_ruledef_ext
2505|pg_get_viewdef|fsrs--|12|1|0|0|25|25 16||||0|pg_get_viewdef_name_ext
2506|pg_get_viewdef|fsrs--|12|1|0|0|25|26 16||||0|pg_get_viewdef_ext
2507|pg_get_indexdef|fsss--|12|1|0|0|25|26 23 16||||0|pg_get_indexdef_ext
2508|pg_get_constraintdef|fsss--|12|1|0|0|25|26 16||||0|pg_get_constraintdef_ext
2509|pg_get_expr|fsss--|12|1|0|0|25|194 26 16||||0|pg_get_expr_ext
2517|bool_and|ais---|12|1|0|0|16|16||||0|aggregate_dummy
2518|bool_or|ais---|12|1|0|0|16|16||||0|aggregate_dummy
2519|every|ais---|12|1|0|0|16|16||||0|aggregate_dummy
2560|pg_postmaster_start_time|fsss--|12|1|0|0|1184|||||0
2561|pg_blocking_pids|fvss--|12|1|0|0|1007|23||||0
2626|pg_sleep|fvss--|12|1|0|0|2278|701||||0
2641|var_samp|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2642|var_samp|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2643|var_samp|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2644|var_samp|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2645|var_samp|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2646|var_samp|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2647|transaction_timestamp|fsss--|12|1|0|0|1184|||||0|now
2648|statement_timestamp|fsss--|12|1|0|0|1184|||||0
2649|clock_timestamp|fvss--|12|1|0|0|1184|||||0
2705|pg_has_role|fsss--|12|1|0|0|16|19 19 25||||0|pg_has_role_name_name
2706|pg_has_role|fsss--|12|1|0|0|16|19 26 25||||0|pg_has_role_name_id
2707|pg_has_role|fsss--|12|1|0|0|16|26 19 25||||0|pg_has_role_id_name
2708|pg_has_role|fsss--|12|1|0|0|16|26 26 25||||0|pg_has_role_id_id
2709|pg_has_role|fsss--|12|1|0|0|16|19 25||||0|pg_has_role_name
2710|pg_has_role|fsss--|12|1|0|0|16|26 25||||0|pg_has_role_id
2712|stddev_samp|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2713|stddev_samp|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2714|stddev_samp|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2715|stddev_samp|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2716|stddev_samp|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2717|stddev_samp|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2718|var_pop|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2719|var_pop|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2720|var_pop|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2721|var_pop|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2722|var_pop|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2723|var_pop|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2724|stddev_pop|ais---|12|1|0|0|1700|20||||0|aggregate_dummy
2725|stddev_pop|ais---|12|1|0|0|1700|23||||0|aggregate_dummy
2726|stddev_pop|ais---|12|1|0|0|1700|21||||0|aggregate_dummy
2727|stddev_pop|ais---|12|1|0|0|701|700||||0|aggregate_dummy
2728|stddev_pop|ais---|12|1|0|0|701|701||||0|aggregate_dummy
2729|stddev_pop|ais---|12|1|0|0|1700|1700||||0|aggregate_dummy
2730|pg_get_triggerdef|fsss--|12|1|0|0|25|26 16||||0|pg_get_triggerdef_ext
2763|regexp_matches|fiss-r|12|1|1|0|1009|25 25||||0|regexp_matches_no_flags
2764|regexp_matches|fiss-r|12|1|10|0|1009|25 25 25||||0
2765|regexp_split_to_table|fiss-r|12|1|1000|0|25|25 25||||0|regexp_split_to_table_no_flags
2766|regexp_split_to_table|fiss-r|12|1|1000|0|25|25 25 25||||0
2767|regexp_split_to_array|fiss--|12|1|0|0|1009|25 25||||0|regexp_split_to_array_no_flags
2768|regexp_split_to_array|fiss--|12|1|0|0|1009|25 25 25||||0
2777|anynonarray_in|fiss--|12|1|0|0|2776|2275||||0
2778|anynonarray_out|fiss--|12|1|0|0|2275|2776||||0
2781|pg_stat_get_last_vacuum_time|fsrs--|12|1|0|0|1184|26||||0
2783|pg_stat_get_last_analyze_time|fsrs--|12|1|0|0|1184|26||||0
2797|max|ais---|12|1|0|0|27|27||||0|aggregate_dummy
2798|min|ais---|12|1|0|0|27|27||||0|aggregate_dummy
2803|count|ais---|12|1|0|0|20|||||0|aggregate_dummy
2818|regr_count|ais---|12|1|0|0|20|701 701||||0|aggregate_dummy
2819|regr_sxx|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2820|regr_syy|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2821|regr_sxy|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2822|regr_avgx|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2823|regr_avgy|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2824|regr_r2|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2825|regr_slope|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2826|regr_intercept|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2827|covar_pop|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2828|covar_samp|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2829|corr|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
2854|pg_my_temp_schema|fsrs--|12|1|0|0|26|||||0
2855|pg_is_other_temp_schema|fsss--|12|1|0|0|16|26||||0
2856|pg_timezone_names|fsss-r|12|1|1000|0|2249||25 25 1186 16|oooo|name abbrev utc_offset is_dst|0
2878|pg_stat_get_live_tuples|fsrs--|12|1|0|0|20|26||||0
2879|pg_stat_get_dead_tuples|fsrs--|12|1|0|0|20|26||||0
2880|pg_advisory_lock|fvrs--|12|1|0|0|2278|20||||0|pg_advisory_lock_int8
2881|pg_advisory_lock_shared|fvrs--|12|1|0|0|2278|20||||0|pg_advisory_lock_shared_int8
2882|pg_try_advisory_lock|fvrs--|12|1|0|0|16|20||||0|pg_try_advisory_lock_int8
2884|pg_advisory_unlock|fvrs--|12|1|0|0|16|20||||0|pg_advisory_unlock_int8
2886|pg_advisory_lock|fvrs--|12|1|0|0|2278|23 23||||0|pg_advisory_lock_int4
2887|pg_advisory_lock_shared|fvrs--|12|1|0|0|2278|23 23||||0|pg_advisory_lock_shared_int4
2888|pg_try_advisory_lock|fvrs--|12|1|0|0|16|23 23||||0|pg_try_advisory_lock_int4
2890|pg_advisory_unlock|fvrs--|12|1|0|0|16|23 23||||0|pg_advisory_unlock_int4
2892|pg_advisory_unlock_all|fvrs--|12|1|0|0|2278|||||0
2893|xml_in|fsss--|12|1|0|0|142|2275||||0
2894|xml_out|fiss--|12|1|0|0|2275|142||||0
2898|xml_recv|fsss--|12|1|0|0|142|2281||||0
2899|xml_send|fsss--|12|1|0|0|17|142||||0
2943|txid_current|fsus--|12|1|0|0|20|||||0|pg_current_xact_id
2952|uuid_in|fiss--|12|1|0|0|2950|2275||||0
2953|uuid_out|fiss--|12|1|0|0|2275|2950||||0
2961|uuid_recv|fiss--|12|1|0|0|2950|2281||||0
2962|uuid_send|fiss--|12|1|0|0|17|2950||||0
2997|pg_table_size|fvss--|12|1|0|0|20|2205||||0
2998|pg_indexes_size|fvss--|12|1|0|0|20|2205||||0
2999|pg_relation_filenode|fsss--|12|1|0|0|26|2205||||0
3000|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_foreign_data_wrapper_privilege_name_name
3001|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_foreign_data_wrapper_privilege_name_id
3002|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_foreign_data_wrapper_privilege_id_name
3003|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_foreign_data_wrapper_privilege_id_id
3004|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|25 25||||0|has_foreign_data_wrapper_privilege_name
3005|has_foreign_data_wrapper_privilege|fsss--|12|1|0|0|16|26 25||||0|has_foreign_data_wrapper_privilege_id
3006|has_server_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_server_privilege_name_name
3007|has_server_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_server_privilege_name_id
3008|has_server_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_server_privilege_id_name
3009|has_server_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_server_privilege_id_id
3010|has_server_privilege|fsss--|12|1|0|0|16|25 25||||0|has_server_privilege_name
3011|has_server_privilege|fsss--|12|1|0|0|16|26 25||||0|has_server_privilege_id
3012|has_column_privilege|fsss--|12|1|0|0|16|19 25 25 25||||0|has_column_privilege_name_name_name
3013|has_column_privilege|fsss--|12|1|0|0|16|19 25 21 25||||0|has_column_privilege_name_name_attnum
3014|has_column_privilege|fsss--|12|1|0|0|16|19 26 25 25||||0|has_column_privilege_name_id_name
3015|has_column_privilege|fsss--|12|1|0|0|16|19 26 21 25||||0|has_column_privilege_name_id_attnum
3016|has_column_privilege|fsss--|12|1|0|0|16|26 25 25 25||||0|has_column_privilege_id_name_name
3017|has_column_privilege|fsss--|12|1|0|0|16|26 25 21 25||||0|has_column_privilege_id_name_attnum
3018|has_column_privilege|fsss--|12|1|0|0|16|26 26 25 25||||0|has_column_privilege_id_id_name
3019|has_column_privilege|fsss--|12|1|0|0|16|26 26 21 25||||0|has_column_privilege_id_id_attnum
3020|has_column_privilege|fsss--|12|1|0|0|16|25 25 25||||0|has_column_privilege_name_name
3021|has_column_privilege|fsss--|12|1|0|0|16|25 21 25||||0|has_column_privilege_name_attnum
3022|has_column_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_column_privilege_id_name
3023|has_column_privilege|fsss--|12|1|0|0|16|26 21 25||||0|has_column_privilege_id_attnum
3024|has_any_column_privilege|fsss--|12|10|0|0|16|19 25 25||||0|has_any_column_privilege_name_name
3025|has_any_column_privilege|fsss--|12|10|0|0|16|19 26 25||||0|has_any_column_privilege_name_id
3026|has_any_column_privilege|fsss--|12|10|0|0|16|26 25 25||||0|has_any_column_privilege_id_name
3027|has_any_column_privilege|fsss--|12|10|0|0|16|26 26 25||||0|has_any_column_privilege_id_id
3028|has_any_column_privilege|fsss--|12|10|0|0|16|25 25||||0|has_any_column_privilege_name
3029|has_any_column_privilege|fsss--|12|10|0|0|16|26 25||||0|has_any_column_privilege_id
3030|overlay|fiss--|12|1|0|0|1560|1560 1560 23 23||||0|bitoverlay
3031|overlay|fiss--|12|1|0|0|1560|1560 1560 23||||0|bitoverlay_no_len
3032|get_bit|fiss--|12|1|0|0|23|1560 23||||0|bitgetbit
3033|set_bit|fiss--|12|1|0|0|1560|1560 23 23||||0|bitsetbit
3034|pg_relation_filepath|fsss--|12|1|0|0|25|2205||||0
3035|pg_listening_channels|fsrs-r|12|1|10|0|25|||||0
3036|pg_notify|fvr---|12|1|0|0|2278|25 25||||0
3058|concat|fss---|12|1|0|2276|25|2276|2276|v||0|text_concat
3059|concat_ws|fss---|12|1|0|2276|25|25 2276|25 2276|iv||0|text_concat_ws
3060|left|fiss--|12|1|0|0|25|25 23||||0|text_left
3061|right|fiss--|12|1|0|0|25|25 23||||0|text_right
3062|reverse|fiss--|12|1|0|0|25|25||||0|text_reverse
3073|pg_is_wal_replay_paused|fvss--|12|1|0|0|16|||||0
3089|pg_advisory_xact_lock|fvrs--|12|1|0|0|2278|20||||0|pg_advisory_xact_lock_int8
3091|pg_try_advisory_xact_lock|fvrs--|12|1|0|0|16|20||||0|pg_try_advisory_xact_lock_int8
3093|pg_advisory_xact_lock|fvrs--|12|1|0|0|2278|23 23||||0|pg_advisory_xact_lock_int4
3095|pg_try_advisory_xact_lock|fvrs--|12|1|0|0|16|23 23||||0|pg_try_advisory_xact_lock_int4
3100|row_number|wis---|12|1|0|0|20|||||0|window_row_number
3101|rank|wis---|12|1|0|0|20|||||0|window_rank
3102|dense_rank|wis---|12|1|0|0|20|||||0|window_dense_rank
3103|percent_rank|wis---|12|1|0|0|701|||||0|window_percent_rank
3104|cume_dist|wis---|12|1|0|0|701|||||0|window_cume_dist
3105|ntile|wiss--|12|1|0|0|23|23||||0|window_ntile
3106|lag|wiss--|12|1|0|0|2283|2283||||0|window_lag
3107|lag|wiss--|12|1|0|0|2283|2283 23||||0|window_lag_with_offset
3109|lead|wiss--|12|1|0|0|2283|2283||||0|window_lead
3110|lead|wiss--|12|1|0|0|2283|2283 23||||0|window_lead_with_offset
3112|first_value|wiss--|12|1|0|0|2283|2283||||0|window_first_value
3113|last_value|wiss--|12|1|0|0|2283|2283||||0|window_last_value
3114|nth_value|wiss--|12|1|0|0|2283|2283 23||||0|window_nth_value
3120|void_recv|fiss--|12|1|0|0|2278|2281||||0
3121|void_send|fiss--|12|1|0|0|17|2278||||0
3138|has_type_privilege|fsss--|12|1|0|0|16|19 25 25||||0|has_type_privilege_name_name
3139|has_type_privilege|fsss--|12|1|0|0|16|19 26 25||||0|has_type_privilege_name_id
3140|has_type_privilege|fsss--|12|1|0|0|16|26 25 25||||0|has_type_privilege_id_name
3141|has_type_privilege|fsss--|12|1|0|0|16|26 26 25||||0|has_type_privilege_id_id
3142|has_type_privilege|fsss--|12|1|0|0|16|25 25||||0|has_type_privilege_name
3143|has_type_privilege|fsss--|12|1|0|0|16|26 25||||0|has_type_privilege_id
3153|array_to_json|fsss--|12|1|0|0|114|2277||||0
3154|array_to_json|fsss--|12|1|0|0|114|2277 16||||0|array_to_json_pretty
3155|row_to_json|fsss--|12|1|0|0|114|2249||||0
3156|row_to_json|fsss--|12|1|0|0|114|2249 16||||0|row_to_json_pretty
3159|pg_get_viewdef|fsrs--|12|1|0|0|25|26 23||||0|pg_get_viewdef_wrap
3166|pg_size_pretty|fiss--|12|1|0|0|25|1700||||0|pg_size_pretty_numeric
3175|json_agg|ass---|12|1|0|0|114|2283||||0|aggregate_dummy
3176|to_json|fsss--|12|1|0|0|114|2283||||0
3179|cardinality|fiss--|12|1|0|0|23|2277||||0|array_cardinality
3198|json_build_array|fss---|12|1|0|2276|114|2276|2276|v||0
3199|json_build_array|fss---|12|1|0|0|114|||||0|json_build_array_noargs
3200|json_build_object|fss---|12|1|0|2276|114|2276|2276|v||0
3201|json_build_object|fss---|12|1|0|0|114|||||0|json_build_object_noargs
3202|json_object|fiss--|12|1|0|0|114|1009||||0
3203|json_object|fiss--|12|1|0|0|114|1009 1009||||0|json_object_two_arg
3207|jsonb_array_length|fiss--|12|1|0|0|23|3802||||0
3210|jsonb_typeof|fiss--|12|1|0|0|25|3802||||0
3259|generate_series|fiss-r|12|1|1000|0|1700|1700 1700 1700||||0|generate_series_step_numeric
3260|generate_series|fiss-r|12|1|1000|0|1700|1700 1700||||0|generate_series_numeric
3267|jsonb_agg|ass---|12|1|0|0|3802|2283||||0|aggregate_dummy
3271|jsonb_build_array|fss---|12|1|0|2276|3802|2276|2276|v||0
3272|jsonb_build_array|fss---|12|1|0|0|3802|||||0|jsonb_build_array_noargs
3273|jsonb_build_object|fss---|12|1|0|2276|3802|2276|2276|v||0
3274|jsonb_build_object|fss---|12|1|0|0|3802|||||0|jsonb_build_object_noargs
3294|current_setting|fsss--|12|1|0|0|25|25 16||||0|show_config_by_name_missing_ok
3298|row_security_active|fsss--|12|1|0|0|16|26||||0
3299|row_security_active|fsss--|12|1|0|0|16|25||||0|row_security_active_name
3306|jsonb_pretty|fiss--|12|1|0|0|25|3802||||0
3322|unnest|fiss-r|12|1|10|0|2249|3614|3614 25 1005 1009|iooo|tsvector lexeme positions weights|0|tsvector_unnest
3348|txid_current_if_assigned|fsus--|12|1|0|0|20|||||0|pg_current_xact_id_if_assigned
3352|pg_get_partkeydef|fsss--|12|1|0|0|25|26||||0
3403|pg_statistics_obj_is_visible|fsss--|12|10|0|0|16|26||||0
3408|pg_get_partition_constraintdef|fsss--|12|1|0|0|25|26||||0
3415|pg_get_statisticsobjdef|fsss--|12|1|0|0|25|26||||0
3420|sha256|fissl-|12|1|0|0|17|17||||0|sha256_bytea
3423|pg_partition_tree|fvss-r|12|1|1000|0|2249|2205|2205 2205 2205 16 23|ioooo|rootrelid relid parentrelid isleaf level|0
3425|pg_partition_ancestors|fvss-r|12|1|10|0|2205|2205|2205 2205|io|partitionid relid|0
3432|gen_random_uuid|fvssl-|12|1|0|0|2950|||||0
3461|make_timestamp|fiss--|12|1|0|0|1114|23 23 23 23 23 701|||year month mday hour min sec|0
3462|make_timestamptz|fsss--|12|1|0|0|1184|23 23 23 23 23 701|||year month mday hour min sec|0
3463|make_timestamptz|fsss--|12|1|0|0|1184|23 23 23 23 23 701 25|||year month mday hour min sec timezone|0|make_timestamptz_at_timezone
3493|to_regtype|fsss--|12|1|0|0|2206|25||||0
3494|to_regproc|fsss--|12|1|0|0|24|25||||0
3495|to_regclass|fsss--|12|1|0|0|2205|25||||0
3504|anyenum_in|fiss--|12|1|0|0|3500|2275||||0
3505|anyenum_out|fsss--|12|1|0|0|2275|3500||||0
3506|enum_in|fsss--|12|1|0|0|3500|2275 26||||0
3507|enum_out|fsss--|12|1|0|0|2275|3500||||0
3526|max|ais---|12|1|0|0|3500|3500||||0|aggregate_dummy
3527|min|ais---|12|1|0|0|3500|3500||||0|aggregate_dummy
3528|enum_first|fss---|12|1|0|0|3500|3500||||0
3529|enum_last|fss---|12|1|0|0|3500|3500||||0
3530|enum_range|fss---|12|1|0|0|2277|3500 3500||||0|enum_range_bounds
3531|enum_range|fss---|12|1|0|0|2277|3500||||0|enum_range_all
3532|enum_recv|fsss--|12|1|0|0|3500|2281 26||||0
3533|enum_send|fsss--|12|1|0|0|17|3500||||0
3537|pg_describe_object|fsss--|12|1|0|0|25|26 26 23||||0
3538|string_agg|ais---|12|1|0|0|25|25 25||||0|aggregate_dummy
3539|format|fss---|12|1|0|2276|25|25 2276|25 2276|iv||0|text_format
3540|format|fss---|12|1|0|0|25|25||||0|text_format_nv
3545|string_agg|ais---|12|1|0|0|17|17 17||||0|aggregate_dummy
3564|max|ais---|12|1|0|0|869|869||||0|aggregate_dummy
3565|min|ais---|12|1|0|0|869|869||||0|aggregate_dummy
3610|tsvectorin|fiss--|12|1|0|0|3614|2275||||0
3611|tsvectorout|fiss--|12|1|0|0|2275|3614||||0
3638|tsvectorsend|fiss--|12|1|0|0|17|3614||||0
3639|tsvectorrecv|fiss--|12|1|0|0|3614|2281||||0
3696|starts_with|fissl-|12|1|0|0|16|25 25||||0|text_starts_with
3711|length|fiss--|12|1|0|0|23|3614||||0|tsvector_length
3756|pg_ts_parser_is_visible|fsss--|12|10|0|0|16|26||||0
3757|pg_ts_dict_is_visible|fsss--|12|10|0|0|16|26||||0
3758|pg_ts_config_is_visible|fsss--|12|10|0|0|16|26||||0
3768|pg_ts_template_is_visible|fsss--|12|10|0|0|16|26||||0
3778|pg_tablespace_location|fsss--|12|1|0|0|25|26||||0
3787|to_jsonb|fsss--|12|1|0|0|3802|2283||||0
3803|jsonb_send|fiss--|12|1|0|0|17|3802||||0
3804|jsonb_out|fiss--|12|1|0|0|2275|3802||||0
3805|jsonb_recv|fiss--|12|1|0|0|3802|2281||||0
3806|jsonb_in|fiss--|12|1|0|0|3802|2275||||0
3808|pg_get_function_arg_default|fsss--|12|1|0|0|25|26 23||||0
3809|pg_export_snapshot|fvus--|12|1|0|0|25|||||0
3810|pg_is_in_recovery|fvss--|12|1|0|0|16|||||0
3815|pg_collation_is_visible|fsss--|12|10|0|0|16|26||||0
3829|pg_opfamily_is_visible|fsss--|12|10|0|0|16|26||||0
3839|pg_identify_object|fsss--|12|1|0|0|2249|26 26 23|26 26 23 25 25 25 25|iiioooo|classid objid objsubid type schema name identity|0
3842|pg_relation_is_updatable|fsss--|12|10|0|0|23|2205 16||||0
3843|pg_column_is_updatable|fsss--|12|10|0|0|16|2205 21 16||||0
3846|make_date|fiss--|12|1|0|0|1082|23 23 23|||year month day|0
3847|make_time|fiss--|12|1|0|0|1083|23 23 701|||hour min sec|0
3943|acldefault|fiss--|12|1|0|0|1034|18 26||||0|acldefault_sql
3951|json_extract_path|fiss--|12|1|0|25|114|114 1009|114 1009|iv|from_json path_elems|0
3953|json_extract_path_text|fiss--|12|1|0|25|25|114 1009|114 1009|iv|from_json path_elems|0
3956|json_array_length|fiss--|12|1|0|0|23|114||||0
3958|json_each|fiss-r|12|1|100|0|2249|114|114 25 114|ioo|from_json key value|0
3968|json_typeof|fiss--|12|1|0|0|25|114||||0
3972|percentile_disc|ais---|12|1|0|0|2283|701 2283||||0|aggregate_dummy
3974|percentile_cont|ais---|12|1|0|0|701|701 701||||0|aggregate_dummy
3976|percentile_cont|ais---|12|1|0|0|1186|701 1186||||0|aggregate_dummy
3978|percentile_disc|ais---|12|1|0|0|2277|1022 2283||||0|aggregate_dummy
3980|percentile_cont|ais---|12|1|0|0|1022|1022 701||||0|aggregate_dummy
3982|percentile_cont|ais---|12|1|0|0|1187|1022 1186||||0|aggregate_dummy
3984|mode|ais---|12|1|0|0|2283|2283||||0|aggregate_dummy
3986|rank|ais---|12|1|0|2276|20|2276|2276|v||0|aggregate_dummy
3988|percent_rank|ais---|12|1|0|2276|701|2276|2276|v||0|aggregate_dummy
3990|cume_dist|ais---|12|1|0|2276|701|2276|2276|v||0|aggregate_dummy
3992|dense_rank|ais---|12|1|0|2276|20|2276|2276|v||0|aggregate_dummy
4053|array_agg|ais---|12|1|0|0|2277|2277||||0|aggregate_dummy
4084|regnamespacein|fsss--|12|1|0|0|4089|2275||||0
4085|regnamespaceout|fsss--|12|1|0|0|2275|4089||||0
4086|to_regnamespace|fsss--|12|1|0|0|4089|25||||0
4087|regnamespacerecv|fiss--|12|1|0|0|4089|2281||||0
4088|regnamespacesend|fiss--|12|1|0|0|17|4089||||0
4092|regroleout|fsss--|12|1|0|0|2275|4096||||0
4093|to_regrole|fsss--|12|1|0|0|4096|25||||0
4094|regrolerecv|fiss--|12|1|0|0|4096|2281||||0
4095|regrolesend|fiss--|12|1|0|0|17|4096||||0
4098|regrolein|fsss--|12|1|0|0|4096|2275||||0
5044|gcd|fiss--|12|1|0|0|23|23 23||||0|int4gcd
5045|gcd|fiss--|12|1|0|0|20|20 20||||0|int8gcd
5046|lcm|fiss--|12|1|0|0|23|23 23||||0|int4lcm
5047|lcm|fiss--|12|1|0|0|20|20 20||||0|int8lcm
5048|gcd|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_gcd
5049|lcm|fiss--|12|1|0|0|1700|1700 1700||||0|numeric_lcm
5059|pg_current_xact_id|fsus--|12|1|0|0|5069|||||0
5060|pg_current_xact_id_if_assigned|fsus--|12|1|0|0|5069|||||0
5070|xid8in|fiss--|12|1|0|0|5069|2275||||0
5081|xid8out|fiss--|12|1|0|0|2275|5069||||0
5082|xid8recv|fiss--|12|1|0|0|5069|2281||||0
5083|xid8send|fiss--|12|1|0|0|17|5069||||0
5099|max|ais---|12|1|0|0|5069|5069||||0|aggregate_dummy
5100|min|ais---|12|1|0|0|5069|5069||||0|aggregate_dummy
6120|pg_get_replica_identity_index|fsss--|12|10|0|0|2205|2205||||0
6121|pg_relation_is_publishable|fsss--|12|1|0|0|16|2205||||0
6162|bit_count|fiss--|12|1|0|0|20|1560||||0|bit_bit_count
6163|bit_count|fiss--|12|1|0|0|20|17||||0|bytea_bit_count
6164|bit_xor|ais---|12|1|0|0|21|21||||0|aggregate_dummy
6165|bit_xor|ais---|12|1|0|0|23|23||||0|aggregate_dummy
6166|bit_xor|ais---|12|1|0|0|20|20||||0|aggregate_dummy
6167|bit_xor|ais---|12|1|0|0|1560|1560||||0|aggregate_dummy
6174|pg_get_statisticsobjdef_columns|fsss--|12|1|0|0|25|26||||0
6177|date_bin|fiss--|12|1|0|0|1114|1186 1114 1114||||0|timestamp_bin
6178|date_bin|fiss--|12|1|0|0|1184|1186 1184 1184||||0|timestamptz_bin
6195|ltrim|fiss--|12|1|0|0|17|17 17||||0|bytealtrim
6196|rtrim|fiss--|12|1|0|0|17|17 17||||0|byteartrim
6197|pg_get_function_sqlbody|fsss--|12|1|0|0|25|26||||0
6199|extract|fiss--|12|1|0|0|1700|25 1082||||0|extract_date
6200|extract|fiss--|12|1|0|0|1700|25 1083||||0|extract_time
6201|extract|fiss--|12|1|0|0|1700|25 1266||||0|extract_timetz
6202|extract|fiss--|12|1|0|0|1700|25 1114||||0|extract_timestamp
6203|extract|fsss--|12|1|0|0|1700|25 1184||||0|extract_timestamptz
6204|extract|fiss--|12|1|0|0|1700|25 1186||||0|extract_interval
6251|regexp_replace|fiss--|12|1|0|0|25|25 25 25 23 23 25||||0|textregexreplace_extended
6252|regexp_replace|fiss--|12|1|0|0|25|25 25 25 23 23||||0|textregexreplace_extended_no_flags
6253|regexp_replace|fiss--|12|1|0|0|25|25 25 25 23||||0|textregexreplace_extended_no_n
6254|regexp_count|fiss--|12|1|0|0|23|25 25||||0|regexp_count_no_start
6255|regexp_count|fiss--|12|1|0|0|23|25 25 23||||0|regexp_count_no_flags
6256|regexp_count|fiss--|12|1|0|0|23|25 25 23 25||||0
', chr(10)), chr(10))), '|') AS f);
