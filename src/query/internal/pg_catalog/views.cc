// PostgreSQL's catalogs as SQL over the sources. Columns that tools select are there; those without
// meaning here hold PostgreSQL's neutral value.
#include <string>

#include "duckdb/parser/parsed_data/create_macro_info.hpp"
#include "query/internal/on_conflict.h"
#include "query/internal/pg_catalog/pg_catalog.h"
#include "query/internal/pg_catalog/sources.h"
#include "query/internal/pg_catalog/types.h"
#include "query/internal/setting_functions.h"
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
  ','::tarn_char as typdelim, 0::tarn_oid as typrelid, typelem::tarn_oid as typelem, typarray::tarn_oid as typarray, typname || '_in' as typinput,
  typname || '_out' as typoutput, '-'::varchar as typreceive, '-'::varchar as typsend, '-'::varchar as typmodin, '-'::varchar as typmodout,
  'i'::varchar as typalign, 'p'::varchar as typstorage, false as typnotnull, 0::tarn_oid as typbasetype, -1::integer as typtypmod, 0::integer as typndims,
  0::tarn_oid as typcollation, null::varchar as typdefault, null::varchar as typdefaultbin, null::varchar[] as typacl
from (values (16,'bool',1,'B',0,1000),(17,'bytea',-1,'U',0,1001),(18,'char',1,'S',0,1002),(19,'name',64,'S',18,1003),(20,'int8',8,'N',0,1016),
  (21,'int2',2,'N',0,1005),(23,'int4',4,'N',0,1007),(25,'text',-1,'S',0,1009),(26,'oid',4,'N',0,1028),(114,'json',-1,'U',0,199),
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
    {"pg_catalog", "pg_namespace",
     "select oid, name as nspname, 10::tarn_oid as nspowner, null::varchar[] as nspacl from "
     "tarn_databases() union all "
     "select * from (values (11::tarn_oid,'pg_catalog',10::tarn_oid,null::varchar[]),"
     "(13000::tarn_oid,'information_schema',10::tarn_oid,null::varchar[])) t"},
    {"pg_catalog", "pg_class",
     "select oid, name as relname, database_oid as relnamespace, 0::tarn_oid as reltype, 0::tarn_oid "
     "as reloftype, 10::tarn_oid as relowner, "
     "case kind when 'r' then 2 else 0 end::tarn_oid as relam, oid as relfilenode, 0::tarn_oid as "
     "reltablespace, 0 as relpages, (-1)::float as reltuples, "
     "0 as relallvisible, 0::tarn_oid as reltoastrelid, false as relhasindex, false as relisshared, "
     "'p' as relpersistence, kind as relkind, "
     "(select count(*) from tarn_columns() c where c.relation_oid = r.oid)::smallint as relnatts, "
     "0::smallint as relchecks, false as relhasoids, "
     "false as relhaspkey, kind = 'v' as relhasrules, false as relhastriggers, false as "
     "relhassubclass, false as relrowsecurity, "
     "false as relforcerowsecurity, true as relispopulated, 'n' as relreplident, false as "
     "relispartition, 0::tarn_oid as relrewrite, "
     "0::tarn_oid as relfrozenxid, 0::tarn_oid as relminmxid, null::varchar[] as relacl, "
     "null::varchar[] as reloptions, null::varchar as relpartbound "
     "from tarn_relations() r"},
    {"pg_catalog", "pg_attribute",
     "select relation_oid as attrelid, name as attname, type_oid as atttypid, -1 as attstattarget, "
     "length::smallint as attlen, number::smallint as attnum, "
     "0 as attndims, -1 as attcacheoff, modifier as atttypmod, false as attbyval, 'i' as attalign, "
     "'p' as attstorage, '' as attcompression, "
     "required as attnotnull, false as atthasdef, false as atthasmissing, '' as attidentity, '' as "
     "attgenerated, false as attisdropped, "
     "true as attislocal, 0 as attinhcount, 0::tarn_oid as attcollation, null::varchar[] as attacl, "
     "null::varchar[] as attoptions, "
     "null::varchar[] as attfdwoptions, null::varchar[] as attmissingval from tarn_columns()"},
    {"pg_catalog", "pg_type", kTypes},
    {"pg_catalog", "pg_index",
     "select 0::tarn_oid as indexrelid, 0::tarn_oid as indrelid, 0::smallint as indnatts, 0::smallint "
     "as indnkeyatts, false as indisunique, "
     "false as indnullsnotdistinct, false as indisprimary, false as indisexclusion, false as "
     "indimmediate, false as indisclustered, false as indisvalid, "
     "false as indcheckxmin, false as indisready, false as indislive, false as indisreplident, "
     "null::smallint[] as indkey, null::tarn_oid[] as indcollation, "
     "null::tarn_oid[] as indclass, null::smallint[] as indoption, null::varchar as indexprs, "
     "null::varchar as indpred where false"},
    {"pg_catalog", "pg_constraint",
     "select 0::tarn_oid as oid, '' as conname, 0::tarn_oid as connamespace, '' as contype, false as "
     "condeferrable, false as condeferred, false as convalidated, "
     "0::tarn_oid as conrelid, 0::tarn_oid as contypid, 0::tarn_oid as conindid, 0::tarn_oid as "
     "conparentid, 0::tarn_oid as confrelid, '' as confupdtype, "
     "'' as confdeltype, '' as confmatchtype, false as conislocal, 0 as coninhcount, false as "
     "connoinherit, null::smallint[] as conkey, "
     "null::smallint[] as confkey, null::tarn_oid[] as conpfeqop, null::tarn_oid[] as conppeqop, "
     "null::tarn_oid[] as conffeqop, null::tarn_oid[] as conexclop, "
     "null::varchar as conbin where false"},
    {"pg_catalog", "pg_attrdef",
     "select 0::tarn_oid as oid, 0::tarn_oid as adrelid, 0::smallint as adnum, null::varchar as adbin "
     "where false"},
    {"pg_catalog", "pg_description",
     "select oid as objoid, 1259::tarn_oid as classoid, 0 as objsubid, comment as description from "
     "tarn_relations() where comment <> '' union all "
     "select relation_oid, 1259::tarn_oid, number, comment from tarn_columns() where comment <> ''"},
    {"pg_catalog", "pg_shdescription",
     "select 0::tarn_oid as objoid, 0::tarn_oid as classoid, '' as description where false"},
    {"pg_catalog", "pg_proc",
     "select 0::tarn_oid as oid, '' as proname, 0::tarn_oid as pronamespace, 0::tarn_oid as proowner, "
     "0::tarn_oid as prolang, 0::float as procost, 0::float as prorows, "
     "0::tarn_oid as provariadic, '' as prosupport, '' as prokind, false as prosecdef, false as "
     "proleakproof, false as proisstrict, false as proretset, "
     "'' as provolatile, '' as proparallel, 0::smallint as pronargs, 0::smallint as "
     "pronargdefaults, 0::tarn_oid as prorettype, null::tarn_oid[] as proargtypes, "
     "null::tarn_oid[] as proallargtypes, null::varchar[] as proargmodes, null::varchar[] as "
     "proargnames, null::varchar as proargdefaults, '' as prosrc, "
     "null::varchar as probin, null::varchar[] as proconfig, null::varchar[] as proacl where "
     "false"},
    {"pg_catalog", "pg_database",
     "select 5::tarn_oid as oid, 'lake' as datname, 10::tarn_oid as datdba, 6 as encoding, 'c' as "
     "datlocprovider, false as datistemplate, true as datallowconn, "
     "-1 as datconnlimit, 0::tarn_oid as datfrozenxid, 0::tarn_oid as datminmxid, 1663::tarn_oid as "
     "dattablespace, 'C' as datcollate, 'C' as datctype, "
     "null::varchar as daticulocale, null::varchar as datcollversion, null::varchar[] as datacl"},
    {"pg_catalog", "pg_roles",
     "select 10::tarn_oid as oid, user_name as rolname, false as rolsuper, true as rolinherit, false "
     "as rolcreaterole, false as rolcreatedb, true as rolcanlogin, "
     "false as rolreplication, -1 as rolconnlimit, '********' as rolpassword, null::timestamptz as "
     "rolvaliduntil, false as rolbypassrls, "
     "null::varchar[] as rolconfig from tarn_session()"},
    {"pg_catalog", "pg_user",
     "select user_name as usename, 10::tarn_oid as usesysid, false as usecreatedb, false as "
     "usesuper, false as userepl, false as usebypassrls, "
     "'********' as passwd, null::timestamptz as valuntil, null::varchar[] as useconfig from "
     "tarn_session()"},
    {"pg_catalog", "pg_auth_members",
     "select 0::tarn_oid as oid, 0::tarn_oid as roleid, 0::tarn_oid as member, 0::tarn_oid as grantor, "
     "false as admin_option where false"},
    {"pg_catalog", "pg_am",
     "select 2::tarn_oid as oid, 'heap' as amname, '-' as amhandler, 't' as amtype"},
    {"pg_catalog", "pg_tablespace",
     "select 1663::tarn_oid as oid, 'pg_default' as spcname, 10::tarn_oid as spcowner, null::varchar[] "
     "as spcacl, null::varchar[] as spcoptions"},
    {"pg_catalog", "pg_inherits",
     "select 0::tarn_oid as inhrelid, 0::tarn_oid as inhparent, 0 as inhseqno, false as "
     "inhdetachpending where false"},
    {"pg_catalog", "pg_policy",
     "select 0::tarn_oid as oid, '' as polname, 0::tarn_oid as polrelid, '' as polcmd, false as "
     "polpermissive, null::tarn_oid[] as polroles, "
     "null::varchar as polqual, null::varchar as polwithcheck where false"},
    {"pg_catalog", "pg_trigger",
     "select 0::tarn_oid as oid, 0::tarn_oid as tgrelid, 0::tarn_oid as tgparentid, '' as tgname, "
     "0::tarn_oid as tgfoid, 0::smallint as tgtype, '' as tgenabled, "
     "false as tgisinternal, 0::tarn_oid as tgconstrrelid, 0::tarn_oid as tgconstrindid, 0::tarn_oid as "
     "tgconstraint, false as tgdeferrable, "
     "false as tginitdeferred where false"},
    {"pg_catalog", "pg_rewrite",
     "select 0::tarn_oid as oid, '' as rulename, 0::tarn_oid as ev_class, '' as ev_type, '' as "
     "ev_enabled, false as is_instead where false"},
    {"pg_catalog", "pg_publication",
     "select 0::tarn_oid as oid, '' as pubname, 0::tarn_oid as pubowner, false as puballtables, false "
     "as pubinsert, false as pubupdate, false as pubdelete, "
     "false as pubtruncate, false as pubviaroot where false"},
    {"pg_catalog", "pg_publication_rel",
     "select 0::tarn_oid as oid, 0::tarn_oid as prpubid, 0::tarn_oid as prrelid, null::varchar as "
     "prqual, null::smallint[] as prattrs where false"},
    {"pg_catalog", "pg_publication_namespace",
     "select 0::tarn_oid as oid, 0::tarn_oid as pnpubid, 0::tarn_oid as pnnspid where false"},
    {"pg_catalog", "pg_statistic_ext",
     "select 0::tarn_oid as oid, 0::tarn_oid as stxrelid, '' as stxname, 0::tarn_oid as stxnamespace, "
     "0::tarn_oid as stxowner, -1 as stxstattarget, "
     "null::smallint[] as stxkeys, null::varchar[] as stxkind where false"},
    {"pg_catalog", "pg_extension",
     "select 0::tarn_oid as oid, '' as extname, 0::tarn_oid as extowner, 0::tarn_oid as extnamespace, "
     "false as extrelocatable, '' as extversion where false"},
    {"pg_catalog", "pg_collation",
     "select 100::tarn_oid as oid, 'default' as collname, 11::tarn_oid as collnamespace, 10::tarn_oid as "
     "collowner, 'd' as collprovider, "
     "true as collisdeterministic, -1 as collencoding, 'C' as collcollate, 'C' as collctype, "
     "null::varchar as colliculocale, null::varchar as collversion"},
    {"pg_catalog", "pg_enum",
     "select 0::tarn_oid as oid, 0::tarn_oid as enumtypid, 0::float as enumsortorder, '' as enumlabel "
     "where false"},
    {"pg_catalog", "pg_range",
     "select 0::tarn_oid as rngtypid, 0::tarn_oid as rngsubtype, 0::tarn_oid as rngmultitypid, 0::tarn_oid "
     "as rngcollation where false"},
    {"pg_catalog", "pg_cast",
     "select 0::tarn_oid as oid, 0::tarn_oid as castsource, 0::tarn_oid as casttarget, 0::tarn_oid as "
     "castfunc, '' as castcontext, '' as castmethod where false"},
    {"pg_catalog", "pg_operator",
     "select 0::tarn_oid as oid, '' as oprname, 0::tarn_oid as oprnamespace, 0::tarn_oid as oprowner, '' "
     "as oprkind, 0::tarn_oid as oprleft, 0::tarn_oid as oprright, "
     "0::tarn_oid as oprresult where false"},
    {"pg_catalog", "pg_language",
     "select 12::tarn_oid as oid, 'internal' as lanname, 10::tarn_oid as lanowner, false as lanispl, "
     "false as lanpltrusted, null::varchar[] as lanacl"},
    {"pg_catalog", "pg_foreign_server",
     "select 0::tarn_oid as oid, '' as srvname, 0::tarn_oid as srvowner, 0::tarn_oid as srvfdw, "
     "null::varchar as srvtype, null::varchar as srvversion where false"},
    {"pg_catalog", "pg_foreign_table",
     "select 0::tarn_oid as ftrelid, 0::tarn_oid as ftserver, null::varchar[] as ftoptions where "
     "false"},
    {"pg_catalog", "pg_foreign_data_wrapper",
     "select 0::tarn_oid as oid, '' as fdwname, 0::tarn_oid as fdwowner where false"},
    {"pg_catalog", "pg_event_trigger",
     "select 0::tarn_oid as oid, '' as evtname, '' as evtevent, 0::tarn_oid as evtowner where false"},
    {"pg_catalog", "pg_default_acl",
     "select 0::tarn_oid as oid, 0::tarn_oid as defaclrole, 0::tarn_oid as defaclnamespace, '' as "
     "defaclobjtype where false"},
    {"pg_catalog", "pg_depend",
     "select 0::tarn_oid as classid, 0::tarn_oid as objid, 0 as objsubid, 0::tarn_oid as refclassid, "
     "0::tarn_oid as refobjid, 0 as refobjsubid, "
     "'' as deptype where false"},
    {"pg_catalog", "pg_sequence",
     "select 0::tarn_oid as seqrelid, 0::tarn_oid as seqtypid where false"},
    {"pg_catalog", "pg_sequences", "select '' as schemaname, '' as sequencename where false"},
    {"pg_catalog", "pg_partitioned_table",
     "select 0::tarn_oid as partrelid, '' as partstrat where false"},
    {"pg_catalog", "pg_locks",
     "select '' as locktype, 0::tarn_oid as database, 0::tarn_oid as relation, 0 as pid, '' as mode, "
     "false as granted where false"},
    {"pg_catalog", "pg_stat_activity",
     "select 5::tarn_oid as datid, 'lake' as datname, 0 as pid, 10::tarn_oid as usesysid, user_name as "
     "usename, '' as application_name, 'active' as state, "
     "'' as query from tarn_session()"},
    {"pg_catalog", "pg_tables",
     "select database as schemaname, name as tablename, 'lake' as tableowner, null::varchar as "
     "tablespace, false as hasindexes, false as hasrules, "
     "false as hastriggers, false as rowsecurity from tarn_relations() where kind = 'r'"},
    {"pg_catalog", "pg_views",
     "select database as schemaname, name as viewname, 'lake' as viewowner, sql as definition from "
     "tarn_relations() where kind = 'v'"},
    {"pg_catalog", "pg_matviews",
     "select '' as schemaname, '' as matviewname, '' as definition where false"},
    {"pg_catalog", "pg_indexes",
     "select '' as schemaname, '' as tablename, '' as indexname, null::varchar as tablespace, '' "
     "as indexdef where false"},
    {"information_schema", "schemata",
     "select 'lake' as catalog_name, nspname as schema_name, 'lake' as schema_owner from "
     "pg_catalog.pg_namespace"},
    {"information_schema", "tables",
     "select 'lake' as table_catalog, database as table_schema, name as table_name, case kind when "
     "'v' then 'VIEW' else 'BASE TABLE' end as table_type, "
     "case kind when 'v' then 'NO' else 'YES' end as is_insertable_into, 'NO' as is_typed from "
     "tarn_relations()"},
    {"information_schema", "columns",
     "select 'lake' as table_catalog, database as table_schema, relation as table_name, name as "
     "column_name, number as ordinal_position, "
     "null::varchar as column_default, case when required then 'NO' else 'YES' end as is_nullable, "
     "split_part(type_name, '(', 1) as data_type, "
     "null::integer as character_maximum_length, null::integer as character_octet_length, "
     "case when type_oid = 1700 then (modifier - 4) >> 16 end as numeric_precision, case when "
     "type_oid = 1700 then (modifier - 4) & 65535 end as numeric_scale, "
     "case when type_oid in (1083, 1114, 1184) then 6 end as datetime_precision, 'pg_catalog' as "
     "udt_schema, "
     "coalesce((select typname from pg_catalog.pg_type t where t.oid = type_oid), 'text') as "
     "udt_name, 'NO' as is_identity, 'NEVER' as is_generated, "
     "'YES' as is_updatable from tarn_columns()"},
    {"information_schema", "views",
     "select 'lake' as table_catalog, database as table_schema, name as table_name, sql as "
     "view_definition, 'NONE' as check_option, 'NO' as is_updatable "
     "from tarn_relations() where kind = 'v'"},
    {"information_schema", "key_column_usage",
     "select '' as constraint_catalog, '' as constraint_schema, '' as constraint_name, '' as "
     "table_catalog, '' as table_schema, '' as table_name, "
     "'' as column_name, 0 as ordinal_position where false"},
    {"information_schema", "table_constraints",
     "select '' as constraint_catalog, '' as constraint_schema, '' as constraint_name, '' as "
     "table_catalog, '' as table_schema, '' as table_name, "
     "'' as constraint_type where false"},
    {"information_schema", "referential_constraints",
     "select '' as constraint_name, '' as unique_constraint_name where false"},
    {"information_schema", "constraint_column_usage",
     "select '' as table_schema, '' as table_name, '' as column_name, '' as constraint_name where "
     "false"},
    {"information_schema", "routines",
     "select '' as routine_schema, '' as routine_name, '' as routine_type where false"},
};

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
    {"main", "array_remove(a, e) AS list_filter(a, lambda x: x IS DISTINCT FROM e)"},
    {"main", "current_role() AS (select user_name from tarn_session())"},
    {"main",
     "tarn_regclass(n) AS (select oid from tarn_relations() r where r.name = "
     "lower(replace(split_part(n, '.', -1), '\"', '')) "
     "and (not contains(n, '.') or r.database = lower(replace(split_part(n, '.', -2), '\"', ''))) "
     "limit 1)"},
    {"pg_catalog", "version() AS 'PostgreSQL 15.0 (Tarn)'"},
    {"pg_catalog",
     "format_type(t, m) AS case when t is null then null else coalesce((select case t "
     "when 16 then 'boolean' when 20 then 'bigint' when 21 then 'smallint' when 23 then 'integer' "
     "when 700 then 'real' "
     "when 701 then 'double precision' when 1083 then 'time without time zone' when 1114 then "
     "'timestamp without time zone' "
     "when 1184 then 'timestamp with time zone' when 1043 then 'character varying' when 1042 then "
     "'character' "
     "when 1700 then case when m is null or m < 4 then 'numeric' else 'numeric(' || ((m - 4) >> "
     "16) || ',' || ((m - 4) & 65535) || ')' end "
     "else (select case when y.typelem <> 0 then (case y.typelem when 16 then 'boolean' when 20 "
     "then 'bigint' when 21 then 'smallint' "
     "when 23 then 'integer' when 700 then 'real' when 701 then 'double precision' when 1114 then "
     "'timestamp without time zone' "
     "when 1184 then 'timestamp with time zone' else y.typname[2:] end) || '[]' else y.typname end "
     "from pg_catalog.pg_type y where y.oid = t) end), 'unknown') end"},
    {"pg_catalog", "pg_get_userbyid(r) AS (select user_name from tarn_session())"},
    {"pg_catalog",
     "pg_table_is_visible(r) AS (select count(*) > 0 from tarn_relations() x where x.oid = r and "
     "list_contains(current_schemas(false), x.database))"},
    {"pg_catalog", "pg_type_is_visible(t) AS true"},
    {"pg_catalog", "pg_function_is_visible(t) AS true"},
    {"pg_catalog", "pg_get_expr(e, r) AS null::varchar, (e, r, p) AS null::varchar"},
    {"pg_catalog", "pg_get_indexdef(i) AS null::varchar, (i, c, p) AS null::varchar"},
    {"pg_catalog", "pg_get_constraintdef(i) AS null::varchar, (i, p) AS null::varchar"},
    {"pg_catalog",
     "pg_get_viewdef(v) AS (select sql from tarn_relations() x where x.oid = v), (v, p) AS (select "
     "sql from tarn_relations() x where x.oid = v)"},
    {"pg_catalog", "pg_get_ruledef(r) AS null::varchar, (r, p) AS null::varchar"},
    {"pg_catalog", "pg_get_triggerdef(r) AS null::varchar, (r, p) AS null::varchar"},
    {"pg_catalog", "pg_get_statisticsobjdef_columns(r) AS null::varchar"},
    {"pg_catalog", "pg_get_partkeydef(r) AS null::varchar"},
    {"pg_catalog", "pg_get_function_result(f) AS null::varchar"},
    {"pg_catalog", "pg_get_function_arguments(f) AS null::varchar"},
    {"pg_catalog", "pg_get_function_identity_arguments(f) AS null::varchar"},
    {"pg_catalog", "pg_get_functiondef(f) AS null::varchar"},
    {"pg_catalog", "pg_get_serial_sequence(t, c) AS null::varchar"},
    {"pg_catalog", "pg_relation_is_publishable(r) AS false"},
    {"pg_catalog", "pg_encoding_to_char(e) AS 'UTF8'"},
    {"pg_catalog", "pg_table_size(r) AS 0::bigint"},
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
     "quote_ident(n) AS case when regexp_full_match(n, '^[a-z_][a-z0-9_]*$') then n else '\"' || "
     "replace(n, '\"', '\"\"') || '\"' end"},
    {"pg_catalog", "quote_literal(n) AS '''' || replace(n, '''', '''''') || ''''"},
    {"pg_catalog",
     "to_regclass(n) AS (select oid from tarn_relations() r where r.name = lower(split_part(n, "
     "'.', -1)) limit 1)"},
    {"pg_catalog", "has_table_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_schema_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "has_database_privilege(t, p) AS true, (u, t, p) AS true"},
    {"pg_catalog", "array_upper(a, d) AS nullif(len(a), 0)"},
    {"pg_catalog", "array_lower(a, d) AS case when len(a) > 0 then 1 end"},
    {"pg_catalog", "txid_current() AS 0::bigint"},
};

duck::unique_ptr<duck::SQLStatement> parse_one(const std::string& sql) {
    duck::Parser parser(parser_options());
    parser.ParseQuery(sql);
    return std::move(parser.statements[0]);
}

void add_views(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& view : kViews) {
        duck::CreateViewInfo info;
        info.catalog = SYSTEM_CATALOG;
        info.schema = view.schema;
        info.view_name = view.name;
        info.internal = true;
        info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
        info.query =
            duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(parse_one(view.sql));
        info.sql = view.sql;
        system.CreateView(context, info);
    }
}

void add_macros(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& macro : kMacros) {
        const auto statement =
            parse_one(std::string("CREATE OR REPLACE MACRO ") + macro.definition);
        auto& info = statement->Cast<duck::CreateStatement>().info->Cast<duck::CreateMacroInfo>();
        info.catalog = SYSTEM_CATALOG;
        info.schema = macro.schema;
        info.internal = true;
        info.temporary = false;
        system.CreateFunction(context, info);
    }
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
    add_catalog_types(context, system);
    add_macros(context, system);
    add_views(context, system);
    connection.Commit();
}

}  // namespace tarn::query
