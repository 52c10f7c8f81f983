#include "ingest/internal/postgres_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <set>

#include "ingest/internal/postgres_fields.h"

namespace tarn::ingest {

namespace {

using query::Kind;
using query::Type;

constexpr const char* kMoved = "catalog_moved";
constexpr const char* kLockTimeout = "55P03";
constexpr int kLooksMax = 20;  // at a catalog that moves on

template <typename T = int64_t>
Type numeric_of(int32_t modifier) {
    if (modifier < 4) return Type::decimal(38, 9);
    const int packed = modifier - 4;
    int precision = (packed >> 16) & 0xffff;
    int scale = ((packed & 0x7ff) ^ 1024) - 1024;  // 11 bits with sign
    if (scale < 0) {                               // numeric(3,-2) holds 12300
        precision -= scale;
        scale = 0;
    }
    precision = std::max(precision, scale);
    if (precision > 38) return Kind::text;
    return Type::decimal(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

/// Domains and arrays, to find out what a column's type comes down to.
struct TypeCatalog {
    struct Domain {
        uint32_t base = 0;
        int32_t modifier = -1;
    };
    std::map<uint32_t, Domain> domains;
    std::map<uint32_t, uint32_t> arrays;  // element

    Type resolve(uint32_t oid, int32_t modifier, bool inside_array = false) const {
        for (auto found = domains.find(oid); found != domains.end(); found = domains.find(oid)) {
            oid = found->second.base;
            if (modifier < 0) modifier = found->second.modifier;
        }
        const auto array = arrays.find(oid);
        if (array == arrays.end()) return type_of_postgres(oid, modifier);
        if (inside_array) return Kind::text;  // an array of a domain over an array
        return Type::list(resolve(array->second, modifier, true));
    }
};

Result<TypeCatalog> load_types(PostgresConnection& connection) {
    TypeCatalog out;
    TARN_TRY(domains, connection.query(
                          "SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'"));
    for (const auto& row : domains)
        out.domains[number_of<uint32_t>(row[0])] = {number_of<uint32_t>(row[1]),
                                                    number_of<int32_t>(row[2])};
    // int2vector and oidvector are of the category too, and print as no array does.
    TARN_TRY(arrays, connection.query("SELECT t.oid, t.typelem FROM pg_type t JOIN pg_type e ON "
                                      "e.oid = t.typelem WHERE t.typcategory = 'A' AND t.typlen = "
                                      "-1 AND e.typdelim = ',' AND e.typarray = t.oid"));
    for (const auto& row : arrays)
        out.arrays[number_of<uint32_t>(row[0])] = number_of<uint32_t>(row[1]);
    return out;
}

/// A row of pg_class.
struct CatalogRelation {
    uint32_t oid = 0;
    std::string schema, name;
    char kind = 'r';
    bool partition = false, may_select = false, may_use_schema = false, filtered = false;
    uint64_t rows = 0;
    std::string comment;
    char identity = 'd';
    bool unlogged = false;
    std::string full_name() const { return schema + "." + name; }
};

Result<std::vector<CatalogRelation>> load_relations(PostgresConnection& connection) {
    TARN_TRY(rows,
             connection.query(
                 "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, "
                 "has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, "
                 "'SELECT'), has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid), "
                 "greatest(c.reltuples, 0)::bigint, obj_description(c.oid, 'pg_class'), "
                 "c.relreplident, c.relpersistence <> 'p' FROM pg_class c JOIN pg_namespace n ON "
                 "n.oid = c.relnamespace WHERE c.relkind IN "
                 "('r', 'p', 'm', 'v', 'f') AND n.nspname <> 'information_schema' AND n.nspname "
                 "!~ '^pg_' ORDER BY 2, 3"));
    std::vector<CatalogRelation> out;
    for (const auto& row : rows) {
        if (!row[5]) continue;  // dropped since the snapshot
        CatalogRelation relation;
        relation.oid = number_of<uint32_t>(row[0]);
        relation.schema = text_of(row[1]);
        relation.name = text_of(row[2]);
        relation.kind = text_of(row[3])[0];
        relation.partition = is_true(row[4]);
        relation.may_select = is_true(row[5]);
        relation.may_use_schema = is_true(row[6]);
        relation.filtered = is_true(row[7]);
        relation.rows = number_of<uint64_t>(row[8]);
        relation.comment = text_of(row[9]);
        relation.identity = text_of(row[10])[0];
        relation.unlogged = is_true(row[11]);
        out.push_back(std::move(relation));
    }
    return out;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return tolower(static_cast<unsigned char>(x)) == tolower(static_cast<unsigned char>(y));
    });
}

const CatalogRelation* find_relation(const std::vector<CatalogRelation>& all,
                                     const std::string& wanted) {
    const std::string full = wanted.find('.') == std::string::npos ? "public." + wanted : wanted;
    for (const auto& relation : all)
        if (relation.full_name() == full) return &relation;
    for (const auto& relation : all)
        if (same_ignoring_case(relation.full_name(), full)) return &relation;
    return nullptr;
}

Status check_readable(const PostgresConnection& connection, const CatalogRelation& relation) {
    const std::string user = quote_name(connection.user());
    const std::string table = quote_name(relation.schema) + "." + quote_name(relation.name);
    if (!relation.may_use_schema)
        return Error(Code::permission_denied,
                     fmt::format("user {} may not use schema {} of the {}: run GRANT USAGE ON "
                                 "SCHEMA {} TO {}; GRANT SELECT ON {} TO {}",
                                 connection.user(), relation.schema, connection.place(),
                                 quote_name(relation.schema), user, table, user));
    if (!relation.may_select)
        return Error(
            Code::permission_denied,
            fmt::format("user {} may not read table {} of the {}: run GRANT SELECT ON {} "
                        "TO {}",
                        connection.user(), relation.full_name(), connection.place(), table, user));
    if (relation.filtered)
        return Error(Code::permission_denied,
                     fmt::format("row-level security hides rows of table {} from user {}: run "
                                 "ALTER ROLE {} BYPASSRLS, or read a view of what it may see",
                                 relation.full_name(), connection.user(), user));
    return ok_status();
}

Result<const CatalogRelation*> choose_one(const PostgresConnection& connection,
                                          const std::vector<CatalogRelation>& all,
                                          const std::string& name) {
    const CatalogRelation* found = find_relation(all, name);
    if (!found)
        return Error(Code::not_found,
                     fmt::format("the {} has no table {}: write a table of another schema as "
                                 "schema.table",
                                 connection.place(), name));
    TARN_CHECK_OK(check_readable(connection, *found));
    return found;
}

Result<std::vector<CatalogRelation>> choose(PostgresConnection& connection,
                                            const std::vector<std::string>& names,
                                            std::vector<TableProblem>* problems) {
    TARN_TRY(all, load_relations(connection));
    std::vector<CatalogRelation> chosen;
    if (names.empty()) {
        for (auto& relation : all)
            if ((relation.kind == 'r' || relation.kind == 'p') && !relation.partition &&
                relation.may_select && relation.may_use_schema && !relation.filtered)
                chosen.push_back(std::move(relation));
        if (chosen.empty())
            return Error(
                Code::not_found,
                fmt::format("user {} can read no table of the {}: run GRANT SELECT ON ALL "
                            "TABLES IN SCHEMA public TO {}",
                            connection.user(), connection.place(), quote_name(connection.user())));
        return chosen;
    }
    for (const auto& name : names) {
        auto found = choose_one(connection, all, name);
        if (!found.ok()) {
            if (!problems) return std::move(found).error();
            problems->push_back(
                {lake_name(name.substr(name.find('.') + 1)), std::move(found).error()});
            continue;
        }
        const bool twice =
            std::any_of(chosen.begin(), chosen.end(),
                        [&](const CatalogRelation& one) { return one.oid == (*found)->oid; });
        if (!twice) chosen.push_back(**found);
    }
    return chosen;
}

/// FNV-1a: the same in every version of the program.
uint64_t fnv1a(std::string_view text) {
    uint64_t hash = 14695981039346656037u;
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
    return hash;
}

/// '{1,2,3}', a parameter of type oid[].
std::string oid_array(const std::vector<CatalogRelation>& relations) {
    std::string out = "{";
    for (const auto& relation : relations) {
        if (out.size() > 1) out += ',';
        out += std::to_string(relation.oid);
    }
    return out + "}";
}

using TablesByOid = std::map<uint32_t, PostgresTable>;

PostgresColumn column_of(const std::vector<std::optional<std::string>>& row,
                         const PostgresAttribute& attribute, const TypeCatalog& types) {
    PostgresColumn column;
    column.outside = attribute.name;
    column.number = attribute.number;
    column.type_oid = attribute.type_oid;
    column.generated = attribute.generated;
    column.type = types.resolve(attribute.type_oid, number_of<int32_t>(row[3]));
    if (column.type.kind == Kind::list && number_of(row[4]) > 1) column.type = Kind::text;
    column.required = is_true(row[5]);
    column.comment = text_of(row[6]);
    column.spelled = text_of(row[7]);
    column.has_default = is_true(row[9]);
    column.missing = row[14];
    return column;
}

Status load_columns(PostgresConnection& connection, const std::string& oids, TablesByOid& tables) {
    TARN_TRY(types, load_types(connection));
    const std::string_view generated =
        connection.server_version() >= 120000 ? "a.attgenerated <> ''" : "false";
    const std::string_view missing = connection.server_version() >= 110000
                                         ? "array_to_string(a.attmissingval, '')"
                                         : "NULL::text";
    TARN_TRY(rows,
             connection.query(
                 "SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attndims, "
                 "a.attnotnull, col_description(a.attrelid, a.attnum), "
                 "format_type(a.atttypid, a.atttypmod), a.attnum, a.atthasdef OR "
                 "a.attidentity <> '', " +
                     std::string(generated) +
                     ", a.attisdropped, NOT a.attisdropped AND has_column_privilege(a.attrelid, "
                     "a.attnum, 'SELECT'), a.xmin, " +
                     std::string(missing) +
                     ", txid_snapshot_xmax(txid_current_snapshot()) % 4294967296 FROM pg_attribute "
                     "a WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 "
                     "ORDER BY 1, a.attnum",
                 {oids}));
    std::map<uint32_t, std::set<std::string>> used;
    std::map<uint32_t, uint64_t> touched;
    for (const auto& row : rows) {
        const auto oid = number_of<uint32_t>(row[0]);
        PostgresAttribute attribute;
        attribute.dropped = is_true(row[11]);
        // Privileges are those of now, whatever the snapshot: of a column that was dropped since,
        // nothing, and it would be taken for one that the user may not read.
        if (!attribute.dropped && !row[12])
            return Error(Code::unavailable,
                         "a table was changed or dropped while its columns were looked up", kMoved);
        attribute.readable = is_true(row[12]);
        attribute.generated = is_true(row[10]);
        if (!attribute.dropped) attribute.name = text_of(row[1]);
        attribute.number = number_of<int32_t>(row[8]);
        attribute.type_oid = number_of<uint32_t>(row[2]);
        attribute.changed_by = number_of<uint32_t>(row[13]);
        if (attribute.readable) {
            auto column = column_of(row, attribute, types);
            column.name = lake_name(column.outside);
            for (int n = 2; !used[oid].insert(column.name).second; ++n)
                column.name = fmt::format("{}_{}", lake_name(column.outside).substr(0, 59), n);
            tables[oid].columns.push_back(std::move(column));
        }
        if (!attribute.dropped)
            touched[oid] += fnv1a(fmt::format("{} {}", attribute.number, attribute.changed_by));
        tables[oid].next_xid = number_of<uint32_t>(row[15]);
        tables[oid].attributes.push_back(std::move(attribute));
    }
    for (const auto& [oid, digest] : touched) tables[oid].touched = fmt::format("{:016x}", digest);
    return ok_status();
}

/// The tables that a table consists of, itself or its partitions: ($1: oids) root, oid, and whether
/// it was made as a partition: by one statement, and not by ATTACH, which comes later.
constexpr const char* kTree =
    "WITH RECURSIVE tree (root, oid, made) AS (SELECT oid, oid, true FROM pg_class WHERE oid = ANY "
    "($1::oid[]) UNION ALL SELECT t.root, i.inhrelid, t.made AND coalesce(i.xmin = y.xmin AND "
    "i.cmin::text::bigint - y.cmin::text::bigint <= 2, false) FROM tree t JOIN pg_inherits i ON "
    "i.inhparent = t.oid LEFT JOIN pg_type y ON y.typrelid = i.inhrelid AND y.typtype = 'c') ";

/// A partitioned table has no rows of its own, so what its rows of before have for a column that
/// was added stands with its partitions.
Status load_missing_of_partitions(PostgresConnection& connection, const std::string& oids,
                                  TablesByOid& tables) {
    const bool any = std::any_of(tables.begin(), tables.end(),
                                 [](const auto& one) { return one.second.kind == 'p'; });
    if (!any || connection.server_version() < 110000) return ok_status();
    TARN_TRY(rows, connection.query(
                       std::string(kTree) +
                           "SELECT t.root, a.attname, bool_and(a.atthasmissing), "
                           "min(array_to_string(a.attmissingval, '')), "
                           "max(array_to_string(a.attmissingval, '')) FROM tree t JOIN pg_class c "
                           "ON c.oid = t.oid AND c.relkind = 'r' JOIN pg_class r ON r.oid = t.root "
                           "AND r.relkind = 'p' JOIN pg_attribute a ON a.attrelid = t.oid AND "
                           "a.attnum > 0 AND NOT a.attisdropped GROUP BY 1, 2 HAVING "
                           "bool_or(a.atthasmissing)",
                       {oids}));
    for (const auto& row : rows)
        for (auto& column : tables[number_of<uint32_t>(row[0])].columns) {
            if (column.outside != text_of(row[1])) continue;
            if (is_true(row[2]) && row[3] == row[4])
                column.missing = row[3];
            else
                column.missing_differs = true;
        }
    return ok_status();
}

Status load_keys(PostgresConnection& connection, const std::string& oids, TablesByOid& tables) {
    const std::string parts =
        connection.server_version() >= 110000 ? "i.indnkeyatts" : "i.indnatts";
    TARN_TRY(rows, connection.query(
                       "SELECT i.indrelid, a.attname, i.indisprimary, i.indisreplident FROM "
                       "pg_index i CROSS JOIN LATERAL "
                       "unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) JOIN "
                       "pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE "
                       "(i.indisprimary OR i.indisreplident) AND k.place <= " +
                           parts + " AND i.indrelid = ANY ($1::oid[]) ORDER BY 1, k.place",
                       {oids}));
    std::set<uint32_t> hidden;  // a part of the key may not be read: the rest of it is no key
    for (const auto& row : rows) {
        const auto oid = number_of<uint32_t>(row[0]);
        auto& table = tables[oid];
        const auto found = std::find_if(
            table.columns.begin(), table.columns.end(),
            [&](const PostgresColumn& column) { return column.outside == text_of(row[1]); });
        if (is_true(row[2]) && found == table.columns.end())
            hidden.insert(oid);
        else if (is_true(row[2]))
            table.key.push_back(found->name);
        if (is_true(row[3]) && found != table.columns.end())
            table.identity_index.push_back(found->name);
    }
    for (const uint32_t oid : hidden) tables[oid].key.clear();
    return ok_status();
}

/// Tables that somebody has for himself, or waits for: their size can't be asked before he is done.
constexpr const char* kLocked =
    "SELECT l.relation FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = "
    "current_database() WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL";

Status load_parts(PostgresConnection& connection, const std::string& oids, TablesByOid& tables) {
    TARN_TRY(rows,
             connection.query(
                 std::string(kTree) +
                     "SELECT t.root, n.nspname, c.relname, "
                     "c.relkind, coalesce(m.amname = 'heap', false), CASE WHEN c.relkind NOT IN "
                     "('r', 'm') THEN 0 WHEN c.oid NOT IN (" +
                     kLocked +
                     ") THEN pg_relation_size(c.oid) / "
                     "current_setting('block_size')::int END, greatest(c.reltuples, "
                     "0)::bigint, has_table_privilege(c.oid, 'SELECT') AND "
                     "has_schema_privilege(n.oid, 'USAGE'), t.root = t.oid, c.oid || '/' || "
                     "c.relfilenode, c.oid, c.relfilenode, t.made FROM tree t JOIN "
                     "pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace "
                     "LEFT JOIN pg_am m ON m.oid = c.relam WHERE c.relkind <> 'p' ORDER BY 1, 2, 3",
                 {oids}));
    const bool splits = connection.server_version() >= 140000;
    std::set<uint32_t> whole;  // a partition that may not be read by itself: read from the top
    std::map<uint32_t, uint64_t> estimates, storage;
    for (const auto& row : rows) {
        const auto root = number_of<uint32_t>(row[0]);
        const bool view = text_of(row[3]) == "v";
        PostgresPart part;
        part.from = fmt::format("{}{}.{}", view ? "" : "ONLY ", quote_name(text_of(row[1])),
                                quote_name(text_of(row[2])));
        if (!row[5]) tables[root].locked = true;
        if (splits && is_true(row[4])) part.blocks = number_of<uint64_t>(row[5]);
        if (!is_true(row[7]) && !is_true(row[8])) whole.insert(root);
        estimates[root] += number_of<uint64_t>(row[6]);
        storage[root] += fnv1a(text_of(row[9]));  // in any order
        part.oid = number_of<uint32_t>(row[10]);
        if (tables[root].kind == 'p')
            tables[root].partitions[number_of<uint32_t>(row[10])] = {
                text_of(row[11]), is_true(row[12]) || text_of(row[5]) == "0"};
        tables[root].parts.push_back(std::move(part));
    }
    for (auto& [oid, table] : tables) {
        table.rows_estimated = std::max(table.rows_estimated, estimates[oid]);
        table.storage = fmt::format("{:016x}", storage[oid]);
        if (whole.count(oid)) table.parts = {{table.quoted(), 0, oid}};
    }
    return ok_status();
}

/// A table is called what the database calls it; of several with one name those outside of schema
/// public carry their schema's name in front.
void name_tables(std::vector<PostgresTable>& tables) {
    std::map<std::string, int> uses;
    for (const auto& table : tables) ++uses[lake_name(table.outside)];
    std::set<std::string> used;
    for (auto& table : tables) {
        std::string name = lake_name(table.outside);
        if (uses[name] > 1 && table.schema != "public")
            name = lake_name(table.schema + "_" + table.outside);
        table.name = name;
        for (int n = 2; !used.insert(table.name).second; ++n)
            table.name = fmt::format("{}_{}", name.substr(0, 59), n);
    }
}

}  // namespace

std::string PostgresTable::select_list() const {
    std::string out;
    for (const auto& column : columns) {
        if (!out.empty()) out += ", ";
        out += quote_name(column.outside);
        // char(n) is padded with blanks that mean nothing there and would matter here; its text has
        // none.
        if (column.spelled.starts_with("character(")) out += "::text";
    }
    return out;
}

const PostgresColumn* PostgresTable::find(std::string_view wanted) const {
    for (const auto& column : columns)
        if (column.name == wanted) return &column;
    return nullptr;
}

std::vector<ColumnSpec> PostgresTable::specs() const {
    std::vector<ColumnSpec> out;
    for (const auto& column : columns) out.push_back({column.name, column.type});
    return out;
}

Type type_of_postgres(uint32_t oid, int32_t modifier) {
    switch (oid) {
        case 16:
            return Kind::boolean;
        case 17:
            return Kind::binary;
        case 20:  // bigint
        case 26:  // oid
        case 28:  // xid
            return Kind::int64;
        case 21:  // smallint: tables have none smaller
        case 23:
            return Kind::int32;
        case 700:
            return Kind::float32;
        case 701:
            return Kind::float64;
        case 1082:
            return Kind::date;
        case 1083:
            return Kind::time;
        case 1114:
            return Kind::timestamp;
        case 1184:
            return Kind::timestamptz;
        case 1700:
            return numeric_of(modifier);
        case 2950:
            return Kind::uuid;
        default:  // text, varchar, json, interval, enums, ranges, networks, geometry ...
            return Kind::text;
    }
}

namespace {

Result<std::vector<PostgresTable>> find_at_once(PostgresConnection& connection,
                                                const std::vector<std::string>& names,
                                                std::vector<TableProblem>* problems) {
    TARN_TRY(chosen, choose(connection, names, problems));
    TablesByOid by_oid;
    for (const auto& relation : chosen) {
        auto& table = by_oid[relation.oid];
        table.oid = relation.oid;
        table.kind = relation.kind;
        table.identity = relation.identity;
        table.unlogged = relation.unlogged;
        table.schema = relation.schema;
        table.outside = relation.name;
        table.rows_estimated = relation.rows;
        table.comment = relation.comment;
    }
    const std::string oids = oid_array(chosen);
    TARN_CHECK_OK(load_columns(connection, oids, by_oid));
    TARN_CHECK_OK(load_missing_of_partitions(connection, oids, by_oid));
    TARN_CHECK_OK(load_keys(connection, oids, by_oid));
    TARN_CHECK_OK(load_parts(connection, oids, by_oid));
    std::vector<PostgresTable> out;
    for (const auto& relation : chosen) {
        auto& table = by_oid[relation.oid];
        if (!table.columns.empty())
            out.push_back(std::move(table));
        else if (problems && !names.empty())
            problems->push_back(
                {lake_name(relation.name),
                 Error(Code::invalid_argument,
                       fmt::format("table {} has no column that user {} may read: add one, GRANT "
                                   "SELECT on some, or take it out of `tables`",
                                   relation.full_name(), connection.user()))});
    }
    name_tables(out);
    return out;
}

}  // namespace

Result<std::vector<PostgresTable>> find_postgres_tables(PostgresConnection& connection,
                                                        const std::vector<std::string>& names,
                                                        std::vector<TableProblem>* problems) {
    // In the caller's snapshot nothing can be looked up again.
    if (connection.in_transaction()) return find_at_once(connection, names, problems);
    for (int attempt = 1;; ++attempt) {
        // All of one moment: columns of before a statement and the rows' place of after it would
        // hide that it wrote them anew.
        TARN_CHECK_OK(connection.run(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '1s'"));
        std::vector<TableProblem> found_problems;
        auto found = find_at_once(connection, names, problems ? &found_problems : nullptr);
        if (!found.ok() && !connection.in_transaction()) return found;  // it is cut off
        const Status ended = connection.run(found.ok() ? "COMMIT" : "ROLLBACK");
        const bool again =
            !found.ok() && (found.error().reason == kMoved || found.error().reason == kLockTimeout);
        if (again && attempt < kLooksMax) continue;
        if (!found.ok()) return found;
        TARN_CHECK_OK(ended);
        if (problems)
            problems->insert(problems->end(), std::make_move_iterator(found_problems.begin()),
                             std::make_move_iterator(found_problems.end()));
        return found;
    }
}

Result<std::vector<Type>> types_in_log(PostgresConnection& connection,
                                       const std::vector<RelationColumn>& columns) {
    const bool plain = std::all_of(columns.begin(), columns.end(), [](const RelationColumn& c) {
        return type_of_postgres(c.type, -1).kind != Kind::text || c.type == 25 || c.type == 1043;
    });
    TypeCatalog catalog;
    if (!plain) {
        TARN_TRY(loaded, load_types(connection));
        catalog = std::move(loaded);
    }
    std::vector<Type> out;
    for (const auto& column : columns) out.push_back(catalog.resolve(column.type, column.modifier));
    return out;
}

TargetTable target_of(const PostgresTable& table, const std::string& source,
                      const std::string& identity) {
    TargetTable out;
    out.database = source;
    out.name = table.name;
    out.key = table.key;
    out.comment = table.comment;
    out.source = identity;
    for (const auto& column : table.columns)
        out.columns.push_back({column.name, column.type, column.required, column.comment});
    return out;
}

}  // namespace tarn::ingest
