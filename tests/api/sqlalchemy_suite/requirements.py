"""What SQLAlchemy's suite may expect: all that its PostgreSQL dialect promises of PostgreSQL 15."""

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

PROMISED = """
    boolean_col_expressions nullsordering standalone_binds intersect except_ window_functions ctes ctes_on_dml
    table_value_constructor tuple_in views foreign_key_constraint_name_reflection
    implicit_default_schema default_schema_name_switch reflects_pk_names comment_reflection
    foreign_key_constraint_option_reflection_ondelete fk_constraint_option_reflection_ondelete_restrict
    fk_constraint_option_reflection_ondelete_noaction foreign_key_constraint_option_reflection_onupdate
    fk_constraint_option_reflection_onupdate_restrict temp_table_names has_temp_table temporary_views
    indexes_with_expressions check_constraint_reflection unicode_ddl datetime_literals datetime_timezone time_timezone
    timestamp_microseconds datetime_historic date_historic autocommit isolation_level json_type
    precision_numerics_enotation_small precision_numerics_enotation_large
    precision_numerics_many_significant_digits precision_numerics_retains_significant_digits infinity_floats savepoints
    update_from delete_from mod_operator_as_percent_sign percent_schema_names order_by_label_with_expression
    supports_distinct_on regexp_match regexp_replace fetch_first fetch_no_order_by fetch_expression
    computed_columns computed_columns_stored identity_columns identity_columns_standard
    foreign_key_ddl self_referential_foreign_keys deferrable_fks non_updating_cascade
    reflect_tables_no_columns index_reflects_included_columns table_ddl_if_exists index_ddl_if_exists
""".split()


class Requirements(SuiteRequirements):
    def get_order_by_collation(self, config):
        return "C"

    def get_isolation_levels(self, config):
        levels = set(config.db.dialect._isolation_lookup)
        return {"default": "READ COMMITTED", "supported": levels}


for name in PROMISED:
    setattr(Requirements, name, property(lambda self: exclusions.open()))
