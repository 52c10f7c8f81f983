#include "flows/inspect.h"

#include <map>
#include <set>

#include "flows/internal/inputs.h"
#include "query/work.h"

namespace tarn::flows {

namespace {

/// A view of views of views ... ends somewhere: names cannot be in a circle for ever.
constexpr int kViewsDeepMax = 16;

Status add_tables(const tables::CatalogSnapshot& state, const std::string& sql,
                  const std::string& database, int deep, std::set<TableRef>& found) {
    if (deep > kViewsDeepMax) return Error{Code::invalid_argument, "views are nested too deeply"};
    TARN_TRY(names, query::named_tables(sql, database));
    for (const auto& [schema, name] : names) {
        TARN_TRY(info, state.find_relation(schema, name));
        if (info && info->kind == tables::RelationKind::view)
            TARN_CHECK_OK(add_tables(state, info->sql, info->database, deep + 1, found));
        else
            found.insert({schema, name});
    }
    return {};
}

}  // namespace

Result<std::vector<TableRef>> tables_of(const tables::CatalogSnapshot& state,
                                        const std::string& sql, const std::string& database) {
    std::set<TableRef> found;
    TARN_CHECK_OK(add_tables(state, sql, database, 0, found));
    return std::vector<TableRef>(found.begin(), found.end());
}

Result<Inspected> inspect_sql(query::Engine& engine, const std::string& sql,
                              const std::string& database) {
    TARN_TRY(names, query::named_tables(sql, database));
    Inspected inspected;
    security::Caller caller;
    caller.principal.kind = security::Principal::Kind::system;
    caller.principal.name = "system";
    caller.door = "internal";
    TARN_TRY(session, engine.connect(std::move(caller), database));
    const auto facts = query::describe_select(*session, sql);
    if (!facts.ok()) {
        inspected.problem = facts.error();
        for (const auto& [schema, name] : names)
            inspected.inputs.push_back({{schema, name}, false});
        return inspected;
    }
    inspected.bindable = true;
    inspected.columns = facts->columns;
    std::map<TableRef, bool> inputs;
    for (const auto& use : facts->tables) inputs[{use.database, use.table}] = use.row_wise;
    for (const auto& [name, row_wise] : inputs) inspected.inputs.push_back({name, row_wise});
    return inspected;
}

}  // namespace tarn::flows
