#include "app/table_guard.h"

namespace tarn::app {
namespace {

constexpr std::string_view kLandingBucket = "landing";

Error refused(std::string_view key) {
    return Error(Code::permission_denied,
                 "the lake bucket holds the files of tables" +
                     (key.empty() ? std::string() : " (" + std::string(key.substr(0, 200)) + ")") +
                     ": they change by SQL and commits, and are read whole only by who may see the "
                     "whole table");
}

/// The table whose location holds the key; nullopt when there is none.
Result<std::optional<tables::RelationInfo>> table_of(const tables::Catalog& catalog,
                                                     std::string_view key) {
    const size_t slash = key.find('/');
    if (slash == std::string_view::npos) return std::optional<tables::RelationInfo>();
    const auto state = catalog.snapshot();
    const std::string path = "s3://" + std::string(objects::kLakeBucket) + "/" + std::string(key);
    TARN_TRY(databases, state.databases());
    for (const auto& database : databases) {
        TARN_TRY(relations, state.relations(database.name));
        for (const auto& relation : relations) {
            if (relation.kind != tables::RelationKind::table) continue;
            TARN_TRY(table, state.load_table(relation));
            std::string location = table->metadata->location;
            if (!location.ends_with('/')) location.push_back('/');
            if (path.starts_with(location)) return std::optional<tables::RelationInfo>(relation);
        }
    }
    return std::optional<tables::RelationInfo>();
}

/// Originals of files and changes of followed tables, `landing/<source>/...`: they hold every row and column of the source's
/// tables. Whoever is shown a part of one of these does not read the rest here. Whoever has no grant on them at all is judged by
/// policies alone.
Status check_landing(const tables::Catalog& catalog, const query::AccessProvider& access,
                     const security::Caller& caller, std::string_view key) {
    const std::string source(key.substr(0, key.find('/')));
    const auto state = catalog.snapshot();
    std::vector<tables::RelationInfo> filled;
    TARN_TRY(database, state.find_database(source));
    if (database) {
        TARN_TRY(relations, state.relations(source));
        filled = std::move(relations);
    }
    for (const std::string& name : {source, source + "_rejected"}) {
        TARN_TRY(table, state.find_relation("main", name));
        if (table) filled.push_back(std::move(*table));
    }
    for (const auto& table : filled) {
        TARN_TRY(seen, access.table_access(caller.principal, table.database, table.name));
        if (!seen.read.empty() && !seen.unrestricted())
            return Error(Code::permission_denied,
                         "files of the source " + source + " hold rows or columns of " + table.database + "." + table.name +
                             " that are not shown to you");
    }
    return ok_status();
}

}  // namespace

s3::ResourceGuard guard_tables(const tables::Catalog& catalog,
                               const query::AccessProvider& access) {
    return [&catalog, &access](const security::Caller& caller, s3::Access kind,
                               std::string_view bucket, std::string_view key) -> Status {
        if (bucket == kLandingBucket && kind == s3::Access::read && !key.empty() && !caller.principal.is_root())
            return check_landing(catalog, access, caller, key);
        if (bucket != objects::kLakeBucket) return ok_status();
        if (kind == s3::Access::write) return refused(key);
        if (caller.principal.is_root()) return ok_status();
        TARN_TRY(table, table_of(catalog, key));
        if (!table) return refused(key);
        TARN_TRY(seen, access.table_access(caller.principal, table->database, table->name));
        return seen.unrestricted() ? ok_status() : Status(refused(key));
    };
}

}  // namespace tarn::app
