#include "query/scalar_functions.h"

#include <cmath>

#include "duckdb/parser/parsed_data/create_scalar_function_info.hpp"
#include "query/internal/session.h"

namespace tarn::query {

namespace {

struct Info final : duck::ScalarFunctionInfo {
    explicit Info(std::shared_ptr<const NumberFunction> f) : function(std::move(f)) {}
    std::shared_ptr<const NumberFunction> function;
};

duck::Connection& connection_of(Session& session) {
    return static_cast<LakeSession&>(session).connection();
}

/// Whoever may not read the table is told what is told of a function that does not exist.
duck::unique_ptr<duck::FunctionData> bind(
    duck::ClientContext& context, duck::ScalarFunction& bound,
    duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    const NumberFunction& function = *bound.GetExtraFunctionInfo().Cast<Info>().function;
    auto& transaction = LakeTransaction::of(context, duck::Catalog::GetCatalog(context, kLake));
    auto* schema = transaction.find_schema(function.database);
    auto* entry = schema ? transaction.find_relation(*schema, {duck::CatalogType::TABLE_ENTRY,
                                                               duck::string(function.table)})
                         : nullptr;
    const bool readable = entry && entry->type == duck::CatalogType::TABLE_ENTRY &&
                          (SessionState::of(context).sees_everything() ||
                           !entry->Cast<LakeTable>().view().access.read.empty());
    if (!readable)
        throw_error({Code::not_found, "function " + function.name + " does not exist", "42883"});
    if (arguments.size() != function.arguments.size()) {
        std::string names;
        for (const auto& name : function.arguments) names += (names.empty() ? "" : ", ") + name;
        throw_error({Code::invalid_argument,
                     function.name + " takes " + std::to_string(function.arguments.size()) +
                         " arguments, not " + std::to_string(arguments.size()) + ": " + names,
                     "42883"});
    }
    return nullptr;
}

void execute(const NumberFunction& function, duck::DataChunk& arguments, duck::Vector& result) {
    const auto rows = arguments.size();
    std::vector<std::vector<double>> columns(arguments.ColumnCount());
    for (duck::idx_t c = 0; c < arguments.ColumnCount(); ++c) {
        duck::UnifiedVectorFormat format;
        arguments.data[c].ToUnifiedFormat(rows, format);
        const auto* values = duck::UnifiedVectorFormat::GetData<double>(format);
        columns[c].resize(rows);
        for (duck::idx_t row = 0; row < rows; ++row) {
            const auto at = format.sel->get_index(row);
            columns[c][row] = format.validity.RowIsValid(at) ? values[at] : NAN;
        }
    }
    const auto made = value_or_throw(function.compute(columns));
    result.SetVectorType(duck::VectorType::FLAT_VECTOR);
    auto* out = duck::FlatVector::GetData<double>(result);
    for (duck::idx_t row = 0; row < rows; ++row) {
        out[row] = made[row];
        if (std::isnan(made[row])) duck::FlatVector::SetNull(result, row, true);
    }
}

}  // namespace

Status register_function(Session& session, NumberFunction given) {
    auto& context = *connection_of(session).context;
    const auto function = std::make_shared<const NumberFunction>(std::move(given));
    duck::ScalarFunction made(
        function->name, {}, duck::LogicalType::DOUBLE,
        [function](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
            execute(*function, arguments, result);
        },
        bind);
    made.SetVarArgs(duck::LogicalType::DOUBLE);
    made.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
    made.SetStability(duck::FunctionStability::CONSISTENT_WITHIN_QUERY);
    made.SetFallible();
    made.SetExtraFunctionInfo(duck::make_shared_ptr<Info>(function));
    try {
        context.RunFunctionInTransaction([&] {
            duck::CreateScalarFunctionInfo info(made);
            info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
            info.internal = true;
            duck::Catalog::GetSystemCatalog(context).CreateFunction(context, info);
        });
    } catch (const std::exception& problem) {
        return static_cast<LakeSession&>(session).failed(duck::ErrorData(problem), nullptr,
                                                         nullptr);
    }
    return {};
}

bool registered(Session& session, const std::string& name) {
    auto& context = *connection_of(session).context;
    bool found = false;
    try {
        context.RunFunctionInTransaction([&] {
            found = static_cast<bool>(
                duck::Catalog::GetSystemCatalog(context).GetEntry<duck::ScalarFunctionCatalogEntry>(
                    context, DEFAULT_SCHEMA, name, duck::OnEntryNotFound::RETURN_NULL));
        });
    } catch (const std::exception&) {
        return false;
    }
    return found;
}

}  // namespace tarn::query
