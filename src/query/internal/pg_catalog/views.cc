// PostgreSQL's catalogs as SQL over the sources. Columns that tools select are there; those without
// meaning here hold PostgreSQL's neutral value.
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "duckdb/parser/query_node/list.hpp"
#include "query/internal/identity.h"
#include "query/internal/on_conflict.h"
#include "query/internal/pg_catalog/aggregates.h"
#include "query/internal/pg_catalog/catalogs.h"
#include "query/internal/pg_catalog/functions.h"
#include "query/internal/pg_catalog/macros.h"
#include "query/internal/pg_catalog/pg_catalog.h"
#include "query/internal/pg_catalog/sources.h"
#include "query/internal/pg_catalog/types.h"
#include "query/internal/setting_functions.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

struct View {
    const char* schema;
    const char* name;
    const char* sql;
};

// The types of types.h; typbasetype and the like are the same for all.
constexpr const char* kTypes = R"(
select oid::tarn_oid as oid, typname::varchar as typname, 11::tarn_oid as typnamespace, 10::tarn_oid as typowner, typlen::smallint as typlen,
  typlen > 0 and typlen <= 8 as typbyval, 'b'::tarn_char as typtype, typcategory::tarn_char as typcategory, false as typispreferred, true as typisdefined,
  ','::tarn_char as typdelim, 0::tarn_oid as typrelid, typelem::tarn_oid as typelem, typarray::tarn_oid as typarray, case when typcategory = 'A' and typname[1] = '_' then 'array_in' else typname || '_in' end as typinput,
  case when typcategory = 'A' and typname[1] = '_' then 'array_out' else typname || '_out' end as typoutput,
  case when typcategory = 'A' and typname[1] = '_' then 2400 else 2402 end::tarn_oid as typreceive,
  case when typcategory = 'A' and typname[1] = '_' then 2401 else 2403 end::tarn_oid as typsend, '-'::varchar as typmodin, '-'::varchar as typmodout,
  'i'::varchar as typalign, 'p'::varchar as typstorage, false as typnotnull, 0::tarn_oid as typbasetype, -1::integer as typtypmod, 0::integer as typndims,
  0::tarn_oid as typcollation, null::varchar as typdefault, null::varchar as typdefaultbin, null::varchar[] as typacl
from (values (16,'bool',1,'B',0,1000),(17,'bytea',-1,'U',0,1001),(18,'char',1,'S',0,1002),(19,'name',64,'S',18,1003),(20,'int8',8,'N',0,1016),
  (21,'int2',2,'N',0,1005),(22,'int2vector',-1,'A',21,0),(23,'int4',4,'N',0,1007),(25,'text',-1,'S',0,1009),(26,'oid',4,'N',0,1028),(114,'json',-1,'U',0,199),
  (700,'float4',4,'N',0,1021),(701,'float8',8,'N',0,1022),(1042,'bpchar',-1,'S',0,1014),(1043,'varchar',-1,'S',0,1015),(1082,'date',4,'D',0,1182),
  (1083,'time',8,'D',0,1183),(1114,'timestamp',8,'D',0,1115),(1184,'timestamptz',8,'D',0,1185),(1186,'interval',16,'T',0,1187),
  (1700,'numeric',-1,'N',0,1231),(2950,'uuid',16,'U',0,2951),(3802,'jsonb',-1,'U',0,3807),(2205,'regclass',4,'N',0,2210),
  (1000,'_bool',-1,'A',16,0),(1001,'_bytea',-1,'A',17,0),(1016,'_int8',-1,'A',20,0),(1005,'_int2',-1,'A',21,0),(1007,'_int4',-1,'A',23,0),
  (1009,'_text',-1,'A',25,0),(199,'_json',-1,'A',114,0),(1021,'_float4',-1,'A',700,0),(1022,'_float8',-1,'A',701,0),(1015,'_varchar',-1,'A',1043,0),
  (1182,'_date',-1,'A',1082,0),(1183,'_time',-1,'A',1083,0),(1115,'_timestamp',-1,'A',1114,0),(1185,'_timestamptz',-1,'A',1184,0),
  (1187,'_interval',-1,'A',1186,0),(1231,'_numeric',-1,'A',1700,0),(2951,'_uuid',-1,'A',2950,0),
  (1028,'_oid',-1,'A',26,0),(1002,'_char',-1,'A',18,0),(1003,'_name',-1,'A',19,0),(1014,'_bpchar',-1,'A',1042,0),(3807,'_jsonb',-1,'A',3802,0),
  (2210,'_regclass',-1,'A',2205,0)) t(oid,typname,typlen,typcategory,typelem,typarray))";

constexpr View kViews[] = {
    {"pg_catalog", "pg_attribute",
     "select relation_oid as attrelid, name as attname, type_oid as atttypid, -1 as attstattarget, "
     "length::smallint as attlen, number::smallint as attnum, "
     "0 as attndims, -1 as attcacheoff, modifier as atttypmod, false as attbyval, 'i' as attalign, "
     "'p' as attstorage, '' as attcompression, "
     "required as attnotnull, default_sql is not null as atthasdef, false as atthasmissing, "
     "identity as attidentity, '' as "
     "attgenerated, false as attisdropped, "
     "true as attislocal, 0 as attinhcount, 0::tarn_oid as attcollation, null::varchar[] as "
     "attacl, "
     "null::varchar[] as attoptions, "
     "null::varchar[] as attfdwoptions, null::varchar[] as attmissingval from tarn_columns()"},
    {"pg_catalog", "pg_type", kTypes},
    {"pg_catalog", "pg_index",
     "select oid as indexrelid, relation_oid as indrelid, len(columns)::smallint as indnatts, "
     "len(columns)::smallint as indnkeyatts, true as "
     "indisunique, false as indnullsnotdistinct, kind = 'p' as indisprimary, false as "
     "indisexclusion, true as indimmediate, false as "
     "indisclustered, true as indisvalid, false as indcheckxmin, true as indisready, true as "
     "indislive, false as indisreplident, columns as "
     "indkey, list_transform(columns, lambda c: 0::tarn_oid) as indcollation, "
     "list_transform(columns, lambda c: 10000::tarn_oid) as indclass, "
     "list_transform(columns, lambda c: 0::smallint) as indoption, null::varchar as "
     "indexprs, null::varchar as indpred from tarn_keys()"},
    {"pg_catalog", "pg_attrdef",
     "select (relation_oid * 1024 + number)::tarn_oid as oid, relation_oid as adrelid, "
     "number::smallint as adnum, default_sql as adbin "
     "from tarn_columns() where default_sql is not null"},
    {"pg_catalog", "pg_description",
     "select oid as objoid, 1259::tarn_oid as classoid, 0 as objsubid, comment as description from "
     "tarn_relations() where comment <> '' union all "
     "select relation_oid, 1259::tarn_oid, number, comment from tarn_columns() where comment <> "
     "''"},
    {"pg_catalog", "pg_database",
     "select 5::tarn_oid as oid, 'lake' as datname, 10::tarn_oid as datdba, 6 as encoding, 'c' as "
     "datlocprovider, false as datistemplate, true as datallowconn, "
     "-1 as datconnlimit, 0::tarn_oid as datfrozenxid, 0::tarn_oid as datminmxid, 1663::tarn_oid "
     "as "
     "dattablespace, 'C' as datcollate, 'C' as datctype, "
     "null::varchar as daticulocale, null::varchar as datcollversion, null::varchar[] as datacl"},
    {"pg_catalog", "pg_roles",
     "select 10::tarn_oid as oid, user_name as rolname, false as rolsuper, true as rolinherit, "
     "false "
     "as rolcreaterole, false as rolcreatedb, true as rolcanlogin, "
     "false as rolreplication, -1 as rolconnlimit, '********' as rolpassword, null::timestamptz as "
     "rolvaliduntil, false as rolbypassrls, "
     "null::varchar[] as rolconfig from tarn_session()"},
    {"pg_catalog", "pg_user",
     "select user_name as usename, 10::tarn_oid as usesysid, false as usecreatedb, false as "
     "usesuper, false as userepl, false as usebypassrls, "
     "'********' as passwd, null::timestamptz as valuntil, null::varchar[] as useconfig from "
     "tarn_session()"},
    {"pg_catalog", "pg_tablespace",
     "select 1663::tarn_oid as oid, 'pg_default' as spcname, 10::tarn_oid as spcowner, "
     "null::varchar[] "
     "as spcacl, null::varchar[] as spcoptions"},
    {"pg_catalog", "pg_collation",
     "select 100::tarn_oid as oid, 'default' as collname, 11::tarn_oid as collnamespace, "
     "10::tarn_oid as "
     "collowner, 'd' as collprovider, "
     "true as collisdeterministic, -1 as collencoding, 'C' as collcollate, 'C' as collctype, "
     "null::varchar as colliculocale, null::varchar as collversion"},
    {"pg_catalog", "pg_language",
     "select 12::tarn_oid as oid, 'internal' as lanname, 10::tarn_oid as lanowner, false as "
     "lanispl, "
     "false as lanpltrusted, null::varchar[] as lanacl"},
    {"pg_catalog", "pg_settings",
     "select name, current_setting(name) as setting, null::varchar as unit, 'Settings' as "
     "category, "
     "'' as short_desc, null::varchar as extra_desc, 'user' as context, 'string' as vartype, "
     "'session' as source, null::varchar as min_val, null::varchar as max_val, null::varchar[] as "
     "enumvals, null::varchar as boot_val, null::varchar as reset_val, false as pending_restart "
     "from "
     "(select unnest(string_split('application_name client_encoding client_min_messages datestyle "
     "default_transaction_isolation extra_float_digits integer_datetimes intervalstyle lc_collate "
     "lc_ctype max_identifier_length max_index_keys search_path server_encoding server_version "
     "server_version_num standard_conforming_strings statement_timeout timezone "
     "transaction_isolation', ' ')) as name) t"},
    {"pg_catalog", "pg_stat_activity",
     "select 5::tarn_oid as datid, 'lake' as datname, 0 as pid, 10::tarn_oid as usesysid, "
     "user_name as "
     "usename, '' as application_name, 'active' as state, "
     "'' as query from tarn_session()"},
    {"pg_catalog", "pg_tables",
     "select database as schemaname, name as tablename, 'lake' as tableowner, null::varchar as "
     "tablespace, false as hasindexes, false as hasrules, "
     "false as hastriggers, false as rowsecurity from tarn_relations() where kind = 'r'"},
    {"pg_catalog", "pg_views",
     "select database as schemaname, name as viewname, 'lake' as viewowner, sql as definition from "
     "tarn_relations() where kind = 'v'"},
    {"pg_catalog", "pg_indexes",
     "select database as schemaname, relation as tablename, name as indexname, null::varchar as "
     "tablespace, "
     "pg_catalog.tarn_indexdef(oid) as indexdef from tarn_keys()"},
    {"information_schema", "schemata",
     "select 'lake' as catalog_name, nspname as schema_name, 'lake' as schema_owner from "
     "pg_catalog.pg_namespace"},
    {"information_schema", "tables",
     "select 'lake' as table_catalog, database as table_schema, name as table_name, case when "
     "database = 'pg_temp' then 'LOCAL TEMPORARY' when kind = 'v' then 'VIEW' else 'BASE TABLE' "
     "end as table_type, "
     "case kind when 'v' then 'NO' else 'YES' end as is_insertable_into, 'NO' as is_typed from "
     "tarn_relations()"},
    {"information_schema", "columns",
     "select 'lake' as table_catalog, database as table_schema, relation as table_name, name as "
     "column_name, number as ordinal_position, "
     "default_sql as column_default, case when required then 'NO' else 'YES' end as is_nullable, "
     "regexp_replace(type_name, '[(][0-9,]*[)]', '') as data_type, "
     "case when type_oid in (1042, 1043) and modifier > 4 then modifier - 4 end as "
     "character_maximum_length, "
     "case when type_oid in (1042, 1043) and modifier > 4 then 4 * (modifier - 4) when type_oid in "
     "(25, 1042, 1043) then 1073741824 end as character_octet_length, "
     "case type_oid when 1700 then (modifier - 4) >> 16 when 21 then 16 when 23 then 32 when 20 "
     "then 64 when 700 then 24 when 701 then 53 end as numeric_precision, case when type_oid = "
     "1700 then 10 when type_oid in (20, 21, 23, 700, 701) then 2 end as numeric_precision_radix, "
     "case when type_oid = 1700 then (modifier - 4) & 65535 when type_oid in (20, 21, 23) then 0 "
     "end as numeric_scale, "
     "case when type_oid in (1083, 1114, 1184) then case when modifier >= 0 then modifier else 6 "
     "end when type_oid = 1082 then 0 end as datetime_precision, 'pg_catalog' as "
     "udt_schema, "
     "coalesce((select typname from pg_catalog.pg_type t where t.oid = type_oid), 'text') as "
     "udt_name, case identity when '' then 'NO' else 'YES' end as is_identity, case identity when "
     "'a' then 'ALWAYS' when 'd' then 'BY DEFAULT' end as identity_generation, 'NEVER' as "
     "is_generated, "
     "'YES' as is_updatable from tarn_columns()"},
    {"information_schema", "views",
     "select 'lake' as table_catalog, database as table_schema, name as table_name, sql as "
     "view_definition, 'NONE' as check_option, 'NO' as is_updatable "
     "from tarn_relations() where kind = 'v'"},
    {"pg_catalog", "pg_namespace",
     "select oid, name as nspname, 10::tarn_oid as nspowner from tarn_databases() union all "
     "select oid, name, 10::tarn_oid from (values "
     "(11::tarn_oid,'pg_catalog'),(13000::tarn_oid,'information_schema')) t(oid, name)"},
    {"pg_catalog", "pg_class",
     "select oid, name as relname, database_oid as relnamespace, 0::tarn_oid as reltype, "
     "0::tarn_oid as reloftype, 10::tarn_oid as relowner, "
     "case kind when 'r' then 2 when 'i' then 403 else 0 end::tarn_oid as relam, oid as "
     "relfilenode, 0::tarn_oid as reltablespace, 0 as relpages, "
     "(-1)::float as reltuples, 0 as relallvisible, 0::tarn_oid as reltoastrelid, exists (select 1 "
     "from tarn_keys() k where k.relation_oid = r.oid) as "
     "relhasindex, false as relisshared, "
     "case when database_oid = 536870911 then 't' else 'p' end as "
     "relpersistence, kind as relkind, (select count(*) "
     "from tarn_columns() c where c.relation_oid = "
     "r.oid)::smallint as relnatts, (select count(*) from tarn_constraints() c where "
     "c.relation_oid = r.oid and c.kind = 'c')::smallint as relchecks, "
     "false as relhasoids, false as relhaspkey, kind = 'v' as relhasrules, exists (select 1 from "
     "tarn_constraints() c "
     "where c.kind = 'f' and (c.relation_oid = r.oid or c.target_oid = r.oid)) as relhastriggers, "
     "false as relhassubclass, false as relrowsecurity, "
     "false as relforcerowsecurity, true as relispopulated, 'd' as relreplident, false as "
     "relispartition, 0::tarn_oid as relrewrite, 0::bigint as "
     "relfrozenxid, 0::bigint as relminmxid from (select oid, name, database_oid, kind from "
     "tarn_relations() union all select oid, name, database_oid, "
     "'i' from tarn_keys() union all select oid, name, database_oid, 'S' from tarn_sequences()) r"},
    {"pg_catalog", "pg_constraint",
     "select c.oid, c.name as conname, c.database_oid as connamespace, c.kind as contype, false as "
     "condeferrable, false as condeferred, kind <> 'f' as "
     "convalidated, c.relation_oid as conrelid, 0::tarn_oid as contypid, case when c.kind in ('p', "
     "'u') then c.oid when c.kind = 'f' then coalesce((select "
     "min(k.oid) from tarn_keys() k where k.relation_oid = c.target_oid and k.columns = "
     "c.target_columns), 0) else 0 end::tarn_oid as conindid, "
     "0::tarn_oid as conparentid, c.target_oid as confrelid, case c.kind when 'f' then c.on_update "
     "else ' ' end as confupdtype, case c.kind when 'f' then "
     "c.on_delete else ' ' end as confdeltype, case c.kind when 'f' then 's' else ' ' end as "
     "confmatchtype, true as conislocal, 0 as coninhcount, true as "
     "connoinherit, c.columns as conkey, case c.kind when 'f' then c.target_columns end as confkey "
     "from tarn_constraints() c"},
    {"pg_catalog", "pg_am",
     "select oid, amname, amhandler, amtype from (values (2::tarn_oid, 'heap', '-', 't'), "
     "(403::tarn_oid, 'btree', '-', 'i')) t(oid, amname, "
     "amhandler, amtype)"},
    // What Npgsql knows arrays by, and what reflection asks of the columns of keys.
    {"pg_catalog", "pg_proc",
     "select oid, proname, 11::tarn_oid as pronamespace, 10::tarn_oid as proowner, "
     "'f'::tarn_char as prokind from (values (2400::tarn_oid, 'array_recv'), (2401::tarn_oid, "
     "'array_send')) t(oid, proname)"},
    {"pg_catalog", "pg_opclass",
     "select 10000::tarn_oid as oid, 403::tarn_oid as opcmethod, 'default_ops' as opcname, "
     "11::tarn_oid as opcnamespace, 10::tarn_oid as opcowner, 10001::tarn_oid as opcfamily, true "
     "as opcdefault"},
    {"pg_catalog", "pg_opfamily",
     "select 10001::tarn_oid as oid, 403::tarn_oid as opfmethod, 'default_ops' as opfname, "
     "11::tarn_oid as opfnamespace, 10::tarn_oid as opfowner"},
    {"pg_catalog", "pg_rewrite",
     "select oid, '_RETURN' as rulename, oid as ev_class, '1' as ev_type, 'O' as ev_enabled, true "
     "as is_instead from tarn_relations() where kind = 'v'"},
    {"pg_catalog", "pg_depend",
     "select 1259::tarn_oid as classid, oid as objid, 0 as objsubid, 1259::tarn_oid as refclassid, "
     "relation_oid as refobjid, column_number as "
     "refobjsubid, 'i' as deptype from tarn_sequences() union all select 2618, oid, 0, 1259, oid, "
     "0, 'i' from tarn_relations() where kind = 'v' "
     "union all select 2618, view_oid, 0, 1259, table_oid, 0, 'n' from tarn_view_tables()"},
    {"pg_catalog", "pg_sequence",
     "select oid as seqrelid, type_oid as seqtypid, start as seqstart, increment as seqincrement, "
     "case type_oid when 23 then 2147483647 else "
     "9223372036854775807 end as seqmax, least(1, start) as seqmin, 1::bigint as seqcache, false "
     "as seqcycle from tarn_sequences()"},
    {"pg_catalog", "pg_sequences",
     "select database as schemaname, name as sequencename, 'lake' as sequenceowner, start as "
     "start_value, least(1, start) as min_value, "
     "increment as increment_by, false as cycle, 1::bigint as cache_size from tarn_sequences()"},
    {"pg_catalog", "pg_stat_all_tables",
     "select oid as relid, database as schemaname, name as relname from tarn_relations() where "
     "kind = 'r'"},
    {"pg_catalog", "pg_stat_user_tables",
     "select oid as relid, database as schemaname, name as relname from tarn_relations() where "
     "kind = 'r'"},
    {"information_schema", "information_schema_catalog_name", "select 'lake' as catalog_name"},
    {"information_schema", "enabled_roles", "select user_name as role_name from tarn_session()"},
    {"information_schema", "sequences",
     "select 'lake' as sequence_catalog, database as sequence_schema, name as sequence_name, "
     "'bigint' as data_type, start::varchar as start_value, "
     "increment::varchar as increment, 'NO' as cycle_option from tarn_sequences()"},
    {"information_schema", "key_column_usage",
     "select 'lake' as constraint_catalog, k.database as constraint_schema, k.name as "
     "constraint_name, 'lake' as table_catalog, k.database as "
     "table_schema, k.relation as table_name, c.name as column_name, list_position(k.columns, "
     "c.number::smallint) as ordinal_position, case k.kind when "
     "'f' then list_position(k.columns, c.number::smallint) end as position_in_unique_constraint "
     "from tarn_constraints() k join tarn_columns() c on "
     "c.relation_oid = k.relation_oid and k.kind <> 'c' and list_contains(k.columns, "
     "c.number::smallint)"},
    {"information_schema", "table_constraints",
     "select 'lake' as constraint_catalog, database as constraint_schema, name as constraint_name, "
     "'lake' as table_catalog, database as "
     "table_schema, relation as table_name, case kind when 'p' then 'PRIMARY KEY' when 'u' then "
     "'UNIQUE' when 'c' then 'CHECK' else 'FOREIGN KEY' end as "
     "constraint_type, 'NO' as is_deferrable, 'NO' as initially_deferred, case kind when 'f' then "
     "'NO' else 'YES' end as enforced from tarn_constraints()"},
    {"information_schema", "check_constraints",
     "select 'lake' as constraint_catalog, database as constraint_schema, name as constraint_name, "
     "definition[7:] as check_clause from "
     "tarn_constraints() where kind = 'c'"},
    {"information_schema", "referential_constraints",
     "select 'lake' as constraint_catalog, f.database as constraint_schema, f.name as "
     "constraint_name, 'lake' as unique_constraint_catalog, "
     "k.database as unique_constraint_schema, k.name as unique_constraint_name, 'NONE' as "
     "match_option, case f.on_update when 'a' then 'NO ACTION' when 'r' "
     "then 'RESTRICT' when 'c' then 'CASCADE' when 'n' then 'SET NULL' else 'SET DEFAULT' end as "
     "update_rule, case f.on_delete when 'a' then 'NO ACTION' when "
     "'r' then 'RESTRICT' when 'c' then 'CASCADE' when 'n' then 'SET NULL' else 'SET DEFAULT' end "
     "as delete_rule from tarn_constraints() f left join "
     "tarn_keys() k on k.relation_oid = f.target_oid and k.columns = f.target_columns where f.kind "
     "= 'f'"},
    {"information_schema", "constraint_column_usage",
     "select 'lake' as table_catalog, c.database as table_schema, c.relation as table_name, c.name "
     "as column_name, 'lake' as constraint_catalog, "
     "k.database as constraint_schema, k.name as constraint_name from tarn_constraints() k join "
     "tarn_columns() c on c.relation_oid = case k.kind when 'f' then "
     "k.target_oid else k.relation_oid end and list_contains(case k.kind when 'f' then "
     "k.target_columns else k.columns end, c.number::smallint)"},
    {"information_schema", "constraint_table_usage",
     "select 'lake' as table_catalog, r.database as table_schema, r.name as table_name, 'lake' as "
     "constraint_catalog, k.database as "
     "constraint_schema, k.name as constraint_name from tarn_constraints() k join tarn_relations() "
     "r on r.oid = case k.kind when 'f' then k.target_oid else "
     "k.relation_oid end where k.kind <> 'c'"},
};

/// The names that a view's query gives its columns, each of which has one of its own.
std::set<std::string> columns_given(const std::string& sql) {
    const auto statement = parse_one(sql);
    const duck::QueryNode* node = statement->Cast<duck::SelectStatement>().node.get();
    while (node->type == duck::QueryNodeType::SET_OPERATION_NODE)
        node = node->Cast<duck::SetOperationNode>().children.front().get();
    std::set<std::string> names;
    for (const auto& column : node->Cast<duck::SelectNode>().select_list)
        names.insert(column->HasAlias()
                         ? column->GetAlias()
                         : column->Cast<duck::ColumnRefExpression>().GetColumnName());
    return names;
}

const char* null_of(std::string_view type) {
    static const std::map<std::string_view, const char*> kNulls = {
        {"", "varchar"},   {"oid", "tarn_oid"},     {"char", "tarn_char"},
        {"bytea", "blob"}, {"text[]", "varchar[]"}, {"oid[]", "tarn_oid[]"}};
    const auto found = kNulls.find(type);
    return found == kNulls.end() ? nullptr : found->second;
}

void add_view(duck::ClientContext& context, duck::Catalog& system, const std::string& schema,
              const std::string& name, const std::string& sql) {
    duck::CreateViewInfo info;
    info.catalog = SYSTEM_CATALOG;
    info.schema = schema;
    info.view_name = name;
    info.internal = true;
    info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
    info.query = duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(parse_one(sql));
    info.sql = sql;
    system.CreateView(context, info);
}

/// One line of catalogs.h as a view, over what `views` has for it.
void add_catalog(duck::ClientContext& context, duck::Catalog& system,
                 const CatalogColumns& catalog) {
    const auto dot = catalog.name.find('.');
    const std::string schema =
        dot == std::string::npos ? "pg_catalog" : catalog.name.substr(0, dot);
    const std::string name = dot == std::string::npos ? catalog.name : catalog.name.substr(dot + 1);
    const auto* view = std::find_if(std::begin(kViews), std::end(kViews), [&](const View& each) {
        return each.schema == schema && each.name == name;
    });
    const bool known = view != std::end(kViews);
    auto given = known ? columns_given(view->sql) : std::set<std::string>();
    std::string list;
    for (const auto& [column, type] : catalog.columns) {
        if (!list.empty()) list += ", ";
        const std::string quoted = quoted_name(column);
        if (given.erase(column) > 0)
            list += quoted;
        else
            list +=
                "null::" + (null_of(type) ? std::string(null_of(type)) : type) + " as " + quoted;
    }
    for (const auto& more : given) list += ", " + quoted_name(more);
    if (catalog.number != 0) list += fmt::format(", {}::tarn_oid as tableoid", catalog.number);
    add_view(
        context, system, schema, name,
        "select " + list + (known ? " from (" + std::string(view->sql) + ") t" : " where false"));
}

void add_views(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& catalog : catalog_columns()) add_catalog(context, system, catalog);
}

void drop_function(duck::ClientContext& context, duck::Catalog& system, const char* name) {
    duck::DropInfo info;
    info.type = duck::CatalogType::SCALAR_FUNCTION_ENTRY;
    info.schema = DEFAULT_SCHEMA;
    info.name = name;
    info.allow_drop_internal = true;
    info.if_not_found = duck::OnEntryNotFound::RETURN_NULL;
    system.DropEntry(context, info);
}

}  // namespace

void install_pg_catalog(duck::Connection& connection) {
    auto& context = *connection.context;
    connection.BeginTransaction();
    auto& system = duck::Catalog::GetSystemCatalog(context);
    drop_function(context, system, "version");
    drop_function(context, system, "current_setting");  // of DuckDB's own settings
    add_catalog_sources(context, system);
    connection.Commit();
    connection.BeginTransaction();
    add_setting_functions(context, system);
    add_on_conflict_function(context, system);
    add_identity_functions(context, system);
    add_catalog_types(context, system);
    add_catalog_functions(context, system);
    add_catalog_aggregates(context, system);
    add_catalog_macros(context, system);
    add_views(context, system);
    connection.Commit();
}

}  // namespace tarn::query
