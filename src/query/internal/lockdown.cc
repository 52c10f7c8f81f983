// What of DuckDB remains reachable by SQL.
#include <array>
#include <set>

#include "duckdb/parser/tableref/showref.hpp"
#include "query/internal/database.h"
#include "query/internal/error.h"
#include "query/internal/functions.h"
#include "query/internal/interval_cast.h"
#include "query/internal/unknown_operands.h"

namespace tarn::query {

namespace {

// Table functions: only these. All others read files, settings, other databases or the engine's
// inside.
constexpr std::array kTableFunctions = {"range", "generate_series", "unnest", "repeat",
                                        "repeat_row", "json_each", "json_tree", "summary",
                                        // Empty or fixed: pg_catalog/macros.cc
                                        "aclexplode", "pg_options_to_table", "pg_get_keywords",
                                        "pg_partition_ancestors", "pg_partition_tree"};

/// The names of functions.h, and two families that DuckDB's own plans use.
bool scalar_function_allowed(const std::string& name) {
    static const std::set<std::string, std::less<>> names = [] {
        std::set<std::string, std::less<>> all;
        for (const auto& each : duck::StringUtil::Split(std::string(kScalarFunctions), '\n'))
            for (const auto& word : duck::StringUtil::Split(each, ' ')) all.insert(word);
        return all;
    }();
    return names.contains(name) || name.rfind("icu_", 0) == 0 ||
           name.rfind("__internal_", 0) == 0 || name.rfind("tarn_", 0) == 0;
}

bool contains(const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void drop(duck::ClientContext& context, duck::Catalog& system, duck::CatalogType type,
          const std::string& schema, const std::string& name) {
    duck::DropInfo info;
    info.type = type;
    info.schema = schema;
    info.name = name;
    info.allow_drop_internal = true;
    info.if_not_found = duck::OnEntryNotFound::RETURN_NULL;
    system.DropEntry(context, info);
}

/// Makes a binary function throw when its right side is zero.
void refuse_zero_divisor(duck::ScalarFunction& function) {
    const auto divide = function.GetFunctionCallback();
    const auto checked = [divide](duck::DataChunk& arguments, duck::ExpressionState& state,
                                  duck::Vector& result) {
        auto& divisor = arguments.data[1];
        duck::UnifiedVectorFormat left;
        duck::UnifiedVectorFormat right;
        arguments.data[0].ToUnifiedFormat(arguments.size(), left);
        divisor.ToUnifiedFormat(arguments.size(), right);
        const auto is_zero = [&](duck::idx_t at) {
            switch (divisor.GetType().InternalType()) {
                case duck::PhysicalType::INT8:
                    return duck::UnifiedVectorFormat::GetData<int8_t>(right)[at] == 0;
                case duck::PhysicalType::INT16:
                    return duck::UnifiedVectorFormat::GetData<int16_t>(right)[at] == 0;
                case duck::PhysicalType::INT32:
                    return duck::UnifiedVectorFormat::GetData<int32_t>(right)[at] == 0;
                case duck::PhysicalType::INT64:
                    return duck::UnifiedVectorFormat::GetData<int64_t>(right)[at] == 0;
                case duck::PhysicalType::UINT8:
                    return duck::UnifiedVectorFormat::GetData<uint8_t>(right)[at] == 0;
                case duck::PhysicalType::UINT16:
                    return duck::UnifiedVectorFormat::GetData<uint16_t>(right)[at] == 0;
                case duck::PhysicalType::UINT32:
                    return duck::UnifiedVectorFormat::GetData<uint32_t>(right)[at] == 0;
                case duck::PhysicalType::UINT64:
                    return duck::UnifiedVectorFormat::GetData<uint64_t>(right)[at] == 0;
                case duck::PhysicalType::INT128:
                    return duck::UnifiedVectorFormat::GetData<duck::hugeint_t>(right)[at] ==
                           duck::hugeint_t(0);
                case duck::PhysicalType::FLOAT:
                    return duck::UnifiedVectorFormat::GetData<float>(right)[at] == 0;
                case duck::PhysicalType::DOUBLE:
                    return duck::UnifiedVectorFormat::GetData<double>(right)[at] == 0;
                default:
                    return false;
            }
        };
        for (duck::idx_t row = 0; row < arguments.size(); ++row) {
            const auto at = right.sel->get_index(row);
            if (!right.validity.RowIsValid(at) ||
                !left.validity.RowIsValid(left.sel->get_index(row)))
                continue;
            if (is_zero(at)) throw_error({Code::invalid_argument, "division by zero", "22012"});
        }
        divide(arguments, state, result);
    };
    function.SetFunctionCallback(checked);
    function.SetFallible();
}

void drop_functions(duck::ClientContext& context, duck::Catalog& system) {
    std::vector<std::tuple<duck::CatalogType, std::string, std::string>> gone;
    for (const char* schema_name : {"main", "pg_catalog"}) {
        auto& schema = system.GetSchema(context, schema_name);
        schema.Scan(context, duck::CatalogType::TABLE_FUNCTION_ENTRY,
                    [&](duck::CatalogEntry& entry) {
                        if (!table_function_allowed(entry.name))
                            gone.emplace_back(entry.type, schema_name, entry.name);
                    });
        schema.Scan(context, duck::CatalogType::PRAGMA_FUNCTION_ENTRY,
                    [&](duck::CatalogEntry& entry) {
                        gone.emplace_back(entry.type, schema_name, entry.name);
                    });
        schema.Scan(context, duck::CatalogType::COPY_FUNCTION_ENTRY,
                    [&](duck::CatalogEntry& entry) {
                        gone.emplace_back(entry.type, schema_name, entry.name);
                    });
        schema.Scan(context, duck::CatalogType::SCALAR_FUNCTION_ENTRY,
                    [&](duck::CatalogEntry& entry) {
                        // Aggregates and macros stand in the same set: they are made of what is
                        // left.
                        if (entry.type != duck::CatalogType::SCALAR_FUNCTION_ENTRY) return;
                        if (!scalar_function_allowed(entry.name))
                            gone.emplace_back(entry.type, schema_name, entry.name);
                    });
    }
    for (const auto& [type, schema, name] : gone) drop(context, system, type, schema, name);
}

void adjust_functions(duck::ClientContext& context, duck::Catalog& system) {
    for (const char* name : {"/", "//", "%", "divide", "mod"}) {
        auto entry = system.GetEntry<duck::ScalarFunctionCatalogEntry>(
            context, DEFAULT_SCHEMA, name, duck::OnEntryNotFound::RETURN_NULL);
        if (!entry) continue;
        for (auto& function : entry->functions.functions)
            if (function.arguments.size() == 2 && function.GetFunctionCallback())
                refuse_zero_divisor(function);
    }
    // The parser makes regexp_full_match of ~, which in PostgreSQL matches any part.
    auto& full = system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA,
                                                                   "regexp_full_match");
    auto& part = system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA,
                                                                   "regexp_matches");
    full.functions = part.functions;
}

bool in_lake(const std::string& catalog) {
    return catalog.empty() || catalog == kLake;
}

Status check_create(const duck::CreateInfo& info) {
    if (info.temporary)
        return info.type == duck::CatalogType::TABLE_ENTRY ||
                       info.type == duck::CatalogType::VIEW_ENTRY
                   ? Status()
                   : not_built("a temporary object that is no table and no view");
    if (!in_lake(info.catalog)) return Error{Code::permission_denied, "permission denied", "42501"};
    switch (info.type) {
        case duck::CatalogType::SCHEMA_ENTRY:
        case duck::CatalogType::TABLE_ENTRY:
        case duck::CatalogType::VIEW_ENTRY:
            return {};
        default:
            return not_built("this kind of CREATE");
    }
}

}  // namespace

bool table_function_allowed(const std::string& name) {
    return contains(kTableFunctions, name) || name.rfind("tarn_", 0) == 0 ||
           name.rfind("lake_", 0) == 0;
}

Status check_statement(const duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
        case duck::StatementType::INSERT_STATEMENT:
        case duck::StatementType::UPDATE_STATEMENT:
        case duck::StatementType::DELETE_STATEMENT:
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return {};
        case duck::StatementType::CREATE_STATEMENT:
            return check_create(*statement.Cast<duck::CreateStatement>().info);
        case duck::StatementType::DROP_STATEMENT: {
            const auto& info = *statement.Cast<duck::DropStatement>().info;
            if (!in_lake(info.catalog))
                return Error{Code::permission_denied, "permission denied", "42501"};
            const bool known = info.type == duck::CatalogType::SCHEMA_ENTRY ||
                               info.type == duck::CatalogType::TABLE_ENTRY ||
                               info.type == duck::CatalogType::VIEW_ENTRY;
            return known ? Status() : not_built("this kind of DROP");
        }
        case duck::StatementType::ALTER_STATEMENT:
            if (!in_lake(statement.Cast<duck::AlterStatement>().info->catalog))
                return Error{Code::permission_denied, "permission denied", "42501"};
            return {};
        case duck::StatementType::EXPLAIN_STATEMENT: {
            const auto& explain = statement.Cast<duck::ExplainStatement>();
            if (explain.explain_type == duck::ExplainType::EXPLAIN_ANALYZE &&
                explain.stmt->type != duck::StatementType::SELECT_STATEMENT)
                return not_built("EXPLAIN ANALYZE of a statement that changes something");
            return check_statement(*explain.stmt);
        }
        default:
            return not_built(duck::StatementTypeToString(statement.type));
    }
}

void lock_down(duck::Connection& connection) {
    auto& context = *connection.context;
    connection.BeginTransaction();
    auto& system = duck::Catalog::GetSystemCatalog(context);
    drop_functions(context, system);
    adjust_functions(context, system);
    bound_large_values(context, system);
    bound_long_calls(context, system);
    settle_unknown_operands(context, system);
    add_interval_casts(context);
    connection.Commit();
}

}  // namespace tarn::query
