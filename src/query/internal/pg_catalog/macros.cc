// PostgreSQL's functions as expressions of what there is.
#include "query/internal/pg_catalog/macros.h"

#include <fmt/format.h>

#include <string>

#include "duckdb/parser/parsed_data/create_macro_info.hpp"
#include "query/internal/pg_catalog/catalogs.h"
#include "query/internal/pg_catalog/keywords.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

struct Macro {
    const char* schema;
    const char* definition;  // name(arguments) AS expression
};

constexpr Macro kMacros[] = {
    {"main", "version() AS 'PostgreSQL 15.0 (Tarn)'"},
    {"main", "current_user() AS (select user_name from tarn_session())"},
    {"main", "session_user() AS (select user_name from tarn_session())"},
    {"main", "user() AS (select user_name from tarn_session())"},
    {"main", "\"~*\"(a, b) AS regexp_matches(a, b, 'i')"},
    {"main", "\"!~*\"(a, b) AS NOT regexp_matches(a, b, 'i')"},
    // x LIKE ANY (array) and its kin, as clauses.h writes them.
    {"main",
     "tarn_any(l) AS case when l is null then null when list_contains(l, true) then true when "
     "len(list_filter(l, lambda x: x is null)) > 0 then null else false end"},
    {"main",
     "tarn_all(l) AS case when l is null then null when list_contains(l, false) then false when "
     "len(list_filter(l, lambda x: x is null)) > 0 then null else true end"},
    {"main", "\"@~~\"(a, b) AS tarn_any(list_transform(b, lambda p: a like p))"},
    {"main", "\"@~~*\"(a, b) AS tarn_any(list_transform(b, lambda p: a ilike p))"},
    {"main", "\"@!~~\"(a, b) AS tarn_any(list_transform(b, lambda p: a not like p))"},
    {"main", "\"@!~~*\"(a, b) AS tarn_any(list_transform(b, lambda p: a not ilike p))"},
    {"main", "\"&~~\"(a, b) AS tarn_all(list_transform(b, lambda p: a like p))"},
    {"main", "\"&~~*\"(a, b) AS tarn_all(list_transform(b, lambda p: a ilike p))"},
    {"main", "\"&!~~\"(a, b) AS tarn_all(list_transform(b, lambda p: a not like p))"},
    {"main", "\"&!~~*\"(a, b) AS tarn_all(list_transform(b, lambda p: a not ilike p))"},
    {"main", "btrim(s) AS trim(s), (s, c) AS trim(s, c)"},
    {"main",
     "overlay(s, r, p) AS left(s, p - 1) || r || substr(s, p + length(r)), (s, r, p, n) AS "
     "left(s, p - 1) || r || substr(s, p + n)"},
    {"main", "div(a, b) AS trunc(a / b)"},
    {"main", "array_ndims(a) AS case when len(a) > 0 then 1 end"},
    {"main", "array_dims(a) AS case when len(a) > 0 then '[1:' || len(a) || ']' end"},
    {"main",
     "array_replace(a, f, t) AS list_transform(a, lambda x: case when x is not distinct from f "
     "then t "
     "else x end)"},
    {"main", "string_to_table(s, d) AS unnest(string_to_array(s, d))"},
    {"main", "date_bin(w, t, o) AS time_bucket(w, t, o)"},
    {"main", "clock_timestamp() AS now()"},
    {"main", "statement_timestamp() AS now()"},
    // Each once as the list that FROM unnests (functions_in_from.h).
    {"main", "tarn_list_json_array_elements(j) AS from_json(j, '[\"JSON\"]')"},
    {"main", "tarn_list_json_array_elements_text(j) AS from_json(j, '[\"VARCHAR\"]')"},
    {"main", "tarn_list_json_object_keys(j) AS json_keys(j)"},
    {"main", "tarn_list_string_to_table(s, d) AS string_to_array(s, d)"},
    {"main", "json_array_elements(j) AS unnest(tarn_list_json_array_elements(j))"},
    {"main", "jsonb_array_elements(j) AS unnest(tarn_list_jsonb_array_elements(j))"},
    {"main", "json_array_elements_text(j) AS unnest(tarn_list_json_array_elements_text(j))"},
    {"main", "jsonb_array_elements_text(j) AS unnest(tarn_list_jsonb_array_elements_text(j))"},
    {"main", "json_object_keys(j) AS unnest(tarn_list_json_object_keys(j))"},
    {"main", "jsonb_object_keys(j) AS unnest(tarn_list_jsonb_object_keys(j))"},
    {"main", "array_remove(a, e) AS list_filter(a, lambda x: x IS DISTINCT FROM e)"},
    {"main", "current_role() AS (select user_name from tarn_session())"},
    {"main",
     "tarn_regclass(n) AS coalesce(tarn_catalog_number(split_part(lower(n), '.', -1)), (select "
     "arg_min(oid, coalesce(list_position(current_schemas(false), database), 0)) "
     "from (select oid, name, database from "
     "tarn_relations() union all select oid, name, database from tarn_sequences() union all select "
     "oid, name, database from tarn_keys()) r where r.name = "
     "lower(replace(split_part(n, '.', -1), '\"', '')) and case when contains(n, '.') then "
     "r.database = lower(replace(split_part(n, '.', -2), '\"', '')) else "
     "(r.database = 'pg_temp' or list_contains(current_schemas(false), r.database)) end))"},
    {"main",
     "tarn_regclass_of(v) AS (select coalesce(try_cast(x as bigint), tarn_regclass(x)) from "
     "(select v::varchar as x) given)"},
    {"main",
     "tarn_sequence_of(t, c) AS (select oid from tarn_sequences() s where s.column_name = c and "
     "s.relation_oid = t::bigint)"},
    {"main",
     "tarn_regclass_name(o) AS case when o::bigint = 0 then '-' else coalesce((select max(case "
     "when "
     "n.nspname in (current_schema(), 'pg_catalog') then '' else quote_ident(n.nspname) || '.' end "
     "|| quote_ident(c.relname)) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on "
     "n.oid "
     "= c.relnamespace where c.oid = o::bigint), o::bigint::varchar) end"},
    {"main", "tarn_regtype(t) AS coalesce(try_cast(t::varchar as bigint), to_regtype(t::varchar))"},
    {"main",
     "tarn_regtype_name(t) AS case when t::bigint = 0 then '-' else pg_catalog.format_type(t, "
     "null) "
     "end"},
    {"main",
     "tarn_regnamespace(n) AS (select oid from pg_catalog.pg_namespace where nspname = "
     "lower(replace(n, '\"', '')))"},
    {"pg_catalog", "acldefault(k, o) AS null::varchar[]"},
    {"pg_catalog",
     "aclexplode(a) AS TABLE select 0::tarn_oid as grantor, 0::tarn_oid as grantee, '' as "
     "privilege_type, false as is_grantable where false"},
    {"pg_catalog",
     "pg_options_to_table(a) AS TABLE select '' as option_name, '' as option_value where false"},
    {"pg_catalog", "version() AS 'PostgreSQL 15.0 (Tarn)'"},
    {"pg_catalog",
     "tarn_type_words(t, m, name) AS case t "
     "when 16 then 'boolean' when 20 then 'bigint' when 21 then 'smallint' when 23 then 'integer' "
     "when 700 then 'real' when 701 then 'double precision' "
     "when 1083 then 'time' || case when m >= 0 then '(' || m || ')' else '' end || "
     "' without time zone' "
     "when 1114 then 'timestamp' || case when m >= 0 then '(' || m || ')' else '' end || "
     "' without time zone' "
     "when 1184 then 'timestamp' || case when m >= 0 then '(' || m || ')' else '' end || "
     "' with time zone' "
     "when 1043 then 'character varying' || case when m > 4 then '(' || (m - 4) || ')' else '' end "
     "when 1042 then case when m > 4 then 'character(' || (m - 4) || ')' "
     "when m is null then 'character' else 'bpchar' end "
     "when 1700 then case when m is null or m < 4 then 'numeric' else "
     "'numeric(' || ((m - 4) >> 16) || ',' || ((m - 4) & 65535) || ')' end "
     "else name end"},
    {"pg_catalog",
     "format_type(t, m) AS case when t is null then null else coalesce((select case "
     "when y.typelem <> 0 then pg_catalog.tarn_type_words(y.typelem, m, y.typname[2:]) || '[]' "
     "else pg_catalog.tarn_type_words(y.oid, m, y.typname) end "
     "from pg_catalog.pg_type y where y.oid = t), 'unknown') end"},
    {"pg_catalog", "pg_get_userbyid(r) AS (select user_name from tarn_session())"},
    {"pg_catalog",
     "pg_table_is_visible(r) AS (select count(*) > 0 from (select oid, database from "
     "tarn_relations() union all select oid, database from "
     "tarn_sequences() union all select oid, database from tarn_keys()) x where x.oid = r and "
     "(x.database = 'pg_temp' or list_contains(current_schemas(false), x.database)))"},
    {"pg_catalog", "pg_type_is_visible(t) AS true"},
    {"pg_catalog", "pg_function_is_visible(t) AS true"},
    {"pg_catalog", "pg_get_expr(e, r) AS e, (e, r, p) AS e"},
    {"pg_catalog",
     "tarn_indexdef(i) AS (select 'CREATE UNIQUE INDEX ' || name || ' ON ' || database || '.' || "
     "relation || ' USING btree ' || "
     "definition[strpos(definition, '('):] from tarn_keys() k where k.oid = i)"},
    {"pg_catalog",
     "pg_get_indexdef(i) AS tarn_indexdef(i), (i, c, p) AS case when c = 0 then tarn_indexdef(i) "
     "else (select trim(split_part(replace("
     "replace(definition[strpos(definition, '('):], '(', ''), ')', ''), ',', c)) from tarn_keys() "
     "k where k.oid = i) end"},
    {"pg_catalog",
     "pg_get_constraintdef(i) AS (select definition from tarn_constraints() k where k.oid = i), "
     "(i, p) AS (select definition from tarn_constraints() "
     "k where k.oid = i)"},
    {"pg_catalog",
     "pg_get_viewdef(v) AS (select sql || ';' from tarn_relations() x where x.oid = v), (v, p) AS "
     "(select "
     "sql || ';' from tarn_relations() x where x.oid = v)"},
    {"pg_catalog", "pg_get_ruledef(r) AS null::varchar, (r, p) AS null::varchar"},
    {"pg_catalog", "pg_get_triggerdef(r) AS null::varchar, (r, p) AS null::varchar"},
    {"pg_catalog", "pg_get_statisticsobjdef_columns(r) AS null::varchar"},
    {"pg_catalog", "pg_get_partkeydef(r) AS null::varchar"},
    {"pg_catalog", "pg_get_function_result(f) AS null::varchar"},
    {"pg_catalog", "pg_get_function_arguments(f) AS null::varchar"},
    {"pg_catalog", "pg_get_function_identity_arguments(f) AS null::varchar"},
    {"pg_catalog", "pg_get_functiondef(f) AS null::varchar"},
    {"pg_catalog",
     "pg_get_serial_sequence(t, c) AS (select quote_ident(database) || '.' || quote_ident(name) "
     "from tarn_sequences() s where s.column_name = c and "
     "s.relation_oid = tarn_regclass(t))"},
    {"pg_catalog", "pg_sequence_last_value(s) AS null::bigint"},
    {"pg_catalog", "pg_relation_is_publishable(r) AS false"},
    {"pg_catalog", "pg_encoding_to_char(e) AS 'UTF8'"},
    {"pg_catalog", "pg_table_size(r) AS 0::bigint"},
    {"pg_catalog", "pg_stat_get_numscans(i) AS 0::bigint"},
    {"pg_catalog", "pg_relation_size(r) AS 0::bigint"},
    {"pg_catalog", "pg_total_relation_size(r) AS 0::bigint"},
    {"pg_catalog", "pg_database_size(r) AS 0::bigint"},
    {"pg_catalog", "pg_tablespace_location(r) AS ''"},
    {"pg_catalog", "pg_backend_pid() AS 0"},
    {"pg_catalog", "array_to_string(a, s) AS list_aggregate(a, 'string_agg', s)"},
    {"pg_catalog", "pg_is_in_recovery() AS false"},
    {"pg_catalog", "pg_postmaster_start_time() AS now()"},
    {"pg_catalog",
     "col_description(t, c) AS (select comment from tarn_columns() x where x.relation_oid = t and "
     "x.number = c and comment <> '')"},
    {"pg_catalog",
     "obj_description(o) AS (select comment from tarn_relations() x where x.oid = o and comment <> "
     "''), "
     "(o, c) AS (select comment from tarn_relations() x where x.oid = o and comment <> '')"},
    {"pg_catalog", "shobj_description(o, c) AS null::varchar"},
    {"pg_catalog",
     "parse_ident(n) AS list_transform(regexp_extract_all(n, '\"(?:[^\"]|\"\")*\"|[^.\"]+'), "
     "lambda "
     "x: case when x[1] = '\"' then replace(x[2:-2], '\"\"', '\"') else lower(trim(x)) end)"},
    {"pg_catalog", "to_regclass(n) AS tarn_regclass(n)"},
    {"pg_catalog",
     "to_regtype(n) AS (select oid from pg_catalog.pg_type y where y.typname = case lower(n) when "
     "'integer' then 'int4' when 'int' then 'int4' when 'bigint' then 'int8' when 'smallint' then "
     "'int2' when 'boolean' then 'bool' when 'real' then 'float4' when 'double precision' then "
     "'float8' when 'character varying' then 'varchar' when 'decimal' then 'numeric' when "
     "'timestamp without time zone' then 'timestamp' when 'timestamp with time zone' then "
     "'timestamptz' when 'time without time zone' then 'time' when 'character' then 'bpchar' else "
     "lower(n) end limit 1)"},
    {"pg_catalog", "pg_advisory_unlock_all() AS null::varchar"},  // there are none
    {"pg_catalog", "pg_get_function_sqlbody(f) AS null::varchar"},
    {"pg_catalog",
     "pg_char_to_encoding(n) AS case when lower(n) in ('utf8', 'utf-8', 'unicode') then 6 else -1 "
     "end"},
    {"pg_catalog", "pg_statistics_obj_is_visible(o) AS true"},
    {"pg_catalog", "pg_operator_is_visible(o) AS true"},
    {"main", "pg_size_pretty(n) AS format_bytes(n::bigint)"},
    {"pg_catalog", "getdatabaseencoding() AS 'UTF8'"},
    {"pg_catalog", "pg_describe_object(c, o, s) AS null::varchar"},
    {"pg_catalog", "pg_partition_ancestors(r) AS r::tarn_oid"},
    // psql asks it WITH ORDINALITY, which DuckDB reads past for a macro.
    {"pg_catalog",
     "pg_partition_ancestors(r) AS TABLE select r::tarn_oid as relid, 1::bigint as ordinality"},
    {"pg_catalog",
     "pg_partition_tree(r) AS TABLE select 0::tarn_oid as relid, 0::tarn_oid as parentrelid, true "
     "as isleaf, 0 as level where false"},
    {"pg_catalog", "pg_opclass_is_visible(o) AS true"},
    {"pg_catalog", "pg_opfamily_is_visible(o) AS true"},
    {"pg_catalog", "pg_conversion_is_visible(o) AS true"},
    {"pg_catalog", "pg_collation_is_visible(o) AS true"},
    {"pg_catalog", "pg_ts_parser_is_visible(o) AS true"},
    {"pg_catalog", "pg_ts_dict_is_visible(o) AS true"},
    {"pg_catalog", "pg_ts_template_is_visible(o) AS true"},
    {"pg_catalog", "pg_ts_config_is_visible(o) AS true"},
    {"pg_catalog", "pg_get_statisticsobjdef(o) AS null::varchar"},
    {"pg_catalog", "pg_tablespace_size(o) AS 0::bigint"},
    {"pg_catalog", "pg_my_temp_schema() AS 0::tarn_oid"},
    {"pg_catalog", "pg_is_other_temp_schema(o) AS false"},
    {"pg_catalog", "pg_has_role(r, p) AS true, (u, r, p) AS true"},
    {"pg_catalog", "has_any_column_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_column_privilege(t, c, p) AS true, (u, t, c, p) AS true"},
    {"pg_catalog", "has_sequence_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_function_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_type_privilege(t, p) AS true, (u, t, p) AS true"},
    {"information_schema",
     "_pg_expandarray(a) AS unnest(list_transform(a, lambda x, i: {'x': x, 'n': i}))"},
    {"pg_catalog", "has_table_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_schema_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_database_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "array_upper(a, d) AS nullif(len(a), 0)"},
    {"pg_catalog", "array_lower(a, d) AS case when len(a) > 0 then 1 end"},
    {"pg_catalog", "txid_current() AS 0::bigint"},
};

}  // namespace

duck::unique_ptr<duck::SQLStatement> parse_one(const std::string& sql) {
    duck::Parser parser(parser_options());
    parser.ParseQuery(sql);
    return std::move(parser.statements[0]);
}

void add_macro(duck::ClientContext& context, duck::Catalog& system, const char* schema,
               const std::string& definition) {
    const auto statement = parse_one("CREATE OR REPLACE MACRO " + definition);
    auto& info = statement->Cast<duck::CreateStatement>().info->Cast<duck::CreateMacroInfo>();
    info.catalog = SYSTEM_CATALOG;
    info.schema = schema;
    info.internal = true;
    info.temporary = false;
    system.CreateFunction(context, info);
}

void add_catalog_macros(duck::ClientContext& context, duck::Catalog& system) {
    std::string numbers = "tarn_catalog_number(n) AS case n";
    for (const auto& catalog : catalog_columns())
        if (catalog.number != 0)
            numbers += fmt::format(" when '{}' then {}", catalog.name, catalog.number);
    add_macro(context, system, "main", numbers + " end");
    add_macro(
        context, system, "pg_catalog",
        fmt::format("pg_get_keywords() AS TABLE select unnest(string_split(words, ' ')) as word, "
                    "catcode::tarn_char as catcode, true as barelabel, "
                    "catdesc, 'can be bare label' as baredesc from (values ('U', 'unreserved', "
                    "'{}'), ('C', 'unreserved (cannot be function or type "
                    "name)', '{}'), ('T', 'reserved (can be function or type name)', '{}'), ('R', "
                    "'reserved', '{}')) t(catcode, catdesc, words)",
                    kUnreservedWords, kColumnNameWords, kTypeOrFunctionWords, kReservedWords));
    for (const auto& macro : kMacros) add_macro(context, system, macro.schema, macro.definition);
}

}  // namespace tarn::query
