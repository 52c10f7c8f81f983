// PostgreSQL's catalogs as SQL over the sources. Columns that tools select are there; those without
// meaning here hold PostgreSQL's neutral value.
#include <string>

#include "query/internal/identity.h"
#include "query/internal/on_conflict.h"
#include "query/internal/pg_catalog/functions.h"
#include "query/internal/pg_catalog/macros.h"
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
     "case kind when 'r' then 2 when 'i' then 403 else 0 end::tarn_oid as relam, oid as relfilenode, 0::tarn_oid as "
     "reltablespace, 0 as relpages, (-1)::float as reltuples, "
     "0 as relallvisible, 0::tarn_oid as reltoastrelid, exists (select 1 from tarn_keys() k where k.relation_oid = r.oid) as relhasindex, false as relisshared, "
     "'p' as relpersistence, kind as relkind, "
     "(select count(*) from tarn_columns() c where c.relation_oid = r.oid)::smallint as relnatts, "
     "0::smallint as relchecks, false as relhasoids, "
     "false as relhaspkey, kind = 'v' as relhasrules, false as relhastriggers, false as "
     "relhassubclass, false as relrowsecurity, "
     "false as relforcerowsecurity, true as relispopulated, 'n' as relreplident, false as "
     "relispartition, 0::tarn_oid as relrewrite, "
     "0::tarn_oid as relfrozenxid, 0::tarn_oid as relminmxid, null::varchar[] as relacl, "
     "null::varchar[] as reloptions, null::varchar as relpartbound "
     "from (select oid, name, database_oid, kind from tarn_relations() union all select oid, name, database_oid, 'i' from tarn_keys()) r"},
    {"pg_catalog", "pg_attribute",
     "select relation_oid as attrelid, name as attname, type_oid as atttypid, -1 as attstattarget, "
     "length::smallint as attlen, number::smallint as attnum, "
     "0 as attndims, -1 as attcacheoff, modifier as atttypmod, false as attbyval, 'i' as attalign, "
     "'p' as attstorage, '' as attcompression, "
     "required as attnotnull, default_sql is not null as atthasdef, false as atthasmissing, identity as attidentity, '' as "
     "attgenerated, false as attisdropped, "
     "true as attislocal, 0 as attinhcount, 0::tarn_oid as attcollation, null::varchar[] as attacl, "
     "null::varchar[] as attoptions, "
     "null::varchar[] as attfdwoptions, null::varchar[] as attmissingval from tarn_columns()"},
    {"pg_catalog", "pg_type", kTypes},
    {"pg_catalog", "pg_index",
     "select oid as indexrelid, relation_oid as indrelid, len(columns)::smallint as indnatts, len(columns)::smallint as indnkeyatts, true as "
     "indisunique, false as indnullsnotdistinct, kind = 'p' as indisprimary, false as indisexclusion, true as indimmediate, false as "
     "indisclustered, true as indisvalid, false as indcheckxmin, true as indisready, true as indislive, false as indisreplident, columns as "
     "indkey, list_transform(columns, lambda c: 0::tarn_oid) as indcollation, list_transform(columns, lambda c: 0::tarn_oid) as indclass, "
     "array_to_string(list_transform(columns, lambda c: '0'), ' ') as indoption, null::varchar as indexprs, null::varchar as indpred from tarn_keys()"},
    {"pg_catalog", "pg_constraint",
     "select oid, name as conname, database_oid as connamespace, kind as contype, false as condeferrable, false as condeferred, true as "
     "convalidated, relation_oid as conrelid, 0::tarn_oid as contypid, oid as conindid, 0::tarn_oid as conparentid, 0::tarn_oid as "
     "confrelid, ' ' as confupdtype, ' ' as confdeltype, ' ' as confmatchtype, true as conislocal, 0 as coninhcount, true as connoinherit, "
     "columns as conkey, null::smallint[] as confkey, null::tarn_oid[] as conpfeqop, null::tarn_oid[] as conppeqop, null::tarn_oid[] as "
     "conffeqop, null::tarn_oid[] as conexclop, null::varchar as conbin from tarn_keys()"},
    {"pg_catalog", "pg_attrdef",
     "select relation_oid as oid, relation_oid as adrelid, number::smallint as adnum, default_sql as adbin "
     "from tarn_columns() where default_sql is not null"},
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
     "select * from (values (2::tarn_oid, 'heap', '-', 't'), (403::tarn_oid, 'btree', '-', 'i')) t(oid, amname, amhandler, amtype)"},
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
     "select 0::tarn_oid as seqrelid, 0::tarn_oid as seqtypid, 1::bigint as seqstart, 1::bigint as seqincrement, 1::bigint as seqmax, "
     "1::bigint as seqmin, 1::bigint as seqcache, false as seqcycle where false"},
    {"pg_catalog", "pg_opclass",
     "select 0::tarn_oid as oid, 0::tarn_oid as opcmethod, '' as opcname, 0::tarn_oid as "
     "opcnamespace, 0::tarn_oid as opcowner, 0::tarn_oid as opcfamily, 0::tarn_oid as opcintype, "
     "false as opcdefault, 0::tarn_oid as opckeytype where false"},
    {"pg_catalog", "pg_conversion",
     "select 0::tarn_oid as oid, '' as conname, 0::tarn_oid as connamespace, 0 as conforencoding, 0 "
     "as contoencoding, false as condefault where false"},
    {"pg_catalog", "pg_subscription",
     "select 0::tarn_oid as oid, 0::tarn_oid as subdbid, '' as subname, 0::tarn_oid as subowner, "
     "false as subenabled, null::varchar[] as subpublications where false"},
    {"pg_catalog", "pg_db_role_setting",
     "select 0::tarn_oid as setdatabase, 0::tarn_oid as setrole, null::varchar[] as setconfig where "
     "false"},
    {"pg_catalog", "pg_settings",
     "select name, current_setting(name) as setting, null::varchar as unit, 'Settings' as category, "
     "'' as short_desc, null::varchar as extra_desc, 'user' as context, 'string' as vartype, "
     "'session' as source, null::varchar as min_val, null::varchar as max_val, null::varchar[] as "
     "enumvals, null::varchar as boot_val, null::varchar as reset_val, false as pending_restart from "
     "(select unnest(string_split('application_name client_encoding client_min_messages datestyle "
     "default_transaction_isolation extra_float_digits integer_datetimes intervalstyle lc_collate "
     "lc_ctype max_identifier_length max_index_keys search_path server_encoding server_version "
     "server_version_num standard_conforming_strings statement_timeout timezone "
     "transaction_isolation', ' ')) as name) t"},
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
     "select database as schemaname, relation as tablename, name as indexname, null::varchar as tablespace, "
     "pg_catalog.tarn_indexdef(oid) as indexdef from tarn_keys()"},
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
     "default_sql as column_default, case when required then 'NO' else 'YES' end as is_nullable, "
     "split_part(type_name, '(', 1) as data_type, "
     "null::integer as character_maximum_length, null::integer as character_octet_length, "
     "case when type_oid = 1700 then (modifier - 4) >> 16 end as numeric_precision, case when "
     "type_oid = 1700 then (modifier - 4) & 65535 end as numeric_scale, "
     "case when type_oid in (1083, 1114, 1184) then 6 end as datetime_precision, 'pg_catalog' as "
     "udt_schema, "
     "coalesce((select typname from pg_catalog.pg_type t where t.oid = type_oid), 'text') as "
     "udt_name, case identity when '' then 'NO' else 'YES' end as is_identity, case identity when 'a' then 'ALWAYS' when 'd' then 'BY DEFAULT' end as identity_generation, 'NEVER' as is_generated, "
     "'YES' as is_updatable from tarn_columns()"},
    {"information_schema", "views",
     "select 'lake' as table_catalog, database as table_schema, name as table_name, sql as "
     "view_definition, 'NONE' as check_option, 'NO' as is_updatable "
     "from tarn_relations() where kind = 'v'"},
    {"information_schema", "key_column_usage",
     "select 'lake' as constraint_catalog, k.database as constraint_schema, k.name as constraint_name, 'lake' as table_catalog, k.database as "
     "table_schema, k.relation as table_name, c.name as column_name, list_position(k.columns, c.number::smallint) as ordinal_position, "
     "null::integer as position_in_unique_constraint from tarn_keys() k join tarn_columns() c on c.relation_oid = k.relation_oid and "
     "list_contains(k.columns, c.number::smallint)"},
    {"information_schema", "table_constraints",
     "select 'lake' as constraint_catalog, database as constraint_schema, name as constraint_name, 'lake' as table_catalog, database as "
     "table_schema, relation as table_name, case kind when 'p' then 'PRIMARY KEY' else 'UNIQUE' end as constraint_type, 'NO' as "
     "is_deferrable, 'NO' as initially_deferred, 'YES' as enforced from tarn_keys()"},
    {"information_schema", "referential_constraints",
     "select '' as constraint_name, '' as unique_constraint_name where false"},
    {"information_schema", "constraint_column_usage",
     "select '' as table_schema, '' as table_name, '' as column_name, '' as constraint_name where "
     "false"},
    {"information_schema", "routines",
     "select '' as routine_schema, '' as routine_name, '' as routine_type where false"},
};

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
    add_catalog_macros(context, system);
    add_views(context, system);
    connection.Commit();
}

}  // namespace tarn::query
