#include "query/internal/identity.h"

#include <fmt/format.h>

#include "meta/keys.h"
#include "query/internal/clauses.h"
#include "query/internal/lake.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

constexpr int64_t kReservedAtOnce = 32;  // what a stop may lose

struct NumbersOf final : duck::FunctionData {
    NumbersOf(std::string uuid, int field, Identity identity)
        : table_uuid(std::move(uuid)), field_id(field), how(identity) {}
    const std::string table_uuid;
    const int field_id;
    const Identity how;

    duck::unique_ptr<duck::FunctionData> Copy() const override {
        return duck::make_uniq<NumbersOf>(table_uuid, field_id, how);
    }
    bool Equals(const duck::FunctionData& other) const override {
        const auto& its = other.Cast<NumbersOf>();
        return table_uuid == its.table_uuid && field_id == its.field_id;
    }
};

/// Who may not add rows to the table is told what is told of a table that is not there.
duck::unique_ptr<duck::FunctionData> bind_next(duck::ClientContext& context, duck::ScalarFunction&,
                                               duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    for (const auto& argument : arguments)
        if (!argument->IsFoldable()) throw_error({Code::invalid_argument, "the column must be named by constants", "42601"});
    const auto argument = [&](size_t i) { return duck::ExpressionExecutor::EvaluateScalar(context, *arguments[i]); };
    const std::string database = argument(0).ToString();
    const std::string name = argument(1).ToString();
    const int field_id = argument(2).GetValue<int32_t>();
    auto& transaction = LakeTransaction::of(context, duck::Catalog::GetCatalog(context, kLake));
    auto* schema = transaction.find_schema(database);
    auto* entry = schema ? transaction.find_relation(*schema, {duck::CatalogType::TABLE_ENTRY, duck::string(name)}) : nullptr;
    if (entry && entry->type == duck::CatalogType::TABLE_ENTRY) {
        const auto& view = entry->Cast<LakeTable>().view();
        const auto identity = identity_of(view.state->metadata->properties, field_id);
        if (identity && view.access.insert)
            return duck::make_uniq<NumbersOf>(view.state->info.uuid, field_id, *identity);
    }
    throw_error({Code::not_found, fmt::format("relation \"{}\" does not exist", name), "42P01"});
}

void next_numbers(duck::DataChunk& arguments, duck::ExpressionState& state, duck::Vector& result) {
    const auto& of = state.expr.Cast<duck::BoundFunctionExpression>().bind_info->Cast<NumbersOf>();
    auto& transaction =
        LakeTransaction::of(state.GetContext(), duck::Catalog::GetCatalog(state.GetContext(), kLake));
    const auto count = static_cast<int64_t>(arguments.size());
    const int64_t first = value_or_throw(transaction.services().identities->take(of.table_uuid, of.field_id, count));
    result.SetVectorType(duck::VectorType::FLAT_VECTOR);
    auto* numbers = duck::FlatVector::GetData<int64_t>(result);
    for (int64_t i = 0; i < count; ++i)
        if (__builtin_mul_overflow(first + i, of.how.increment, &numbers[i]) ||
            __builtin_add_overflow(numbers[i], of.how.start, &numbers[i]))
            throw_error({Code::out_of_range, "the numbers of the column are used up", "2200H"});
}

void only_in_definitions(duck::DataChunk&, duck::ExpressionState&, duck::Vector&) {
    throw_error({Code::invalid_argument, "an identity stands in a column's definition only", "42601"});
}

}  // namespace

std::string identity_key(const std::string& table_uuid, int field_id) {
    return meta::Key("ti").text(table_uuid).number(static_cast<uint64_t>(field_id));
}

Result<int64_t> IdentityNumbers::take(const std::string& table_uuid, int field_id, int64_t count) {
    const std::string key = identity_key(table_uuid, field_id);
    const MutexLock lock(mutex_);
    Range& range = ranges_[key];
    if (range.end - range.next < count) {
        TARN_TRY(record, store_.get(key));
        const int64_t taken = record ? meta::decode_counter(record->value) : 0;
        const int64_t wanted = std::max(count, kReservedAtOnce);
        meta::Batch batch;
        batch.add(key, wanted);
        TARN_TRY(committed, store_.commit(std::move(batch)));
        static_cast<void>(committed);
        // What was left of the range before is a gap when somebody else has reserved meanwhile.
        if (range.end != taken) range.next = taken;
        range.end = taken + wanted;
    }
    const int64_t first = range.next;
    range.next += count;
    return first;
}

void add_identity_functions(duck::ClientContext& context, duck::Catalog& system) {
    using duck::LogicalType;
    duck::ScalarFunction next(kNextNumber, {LogicalType::VARCHAR, LogicalType::VARCHAR, LogicalType::INTEGER},
                              LogicalType::BIGINT, next_numbers, bind_next);
    duck::ScalarFunction identity(kIdentityDefault, {LogicalType::VARCHAR, LogicalType::BIGINT, LogicalType::BIGINT},
                                  LogicalType::BIGINT, only_in_definitions);
    for (auto* function : {&next, &identity}) {
        function->SetStability(duck::FunctionStability::VOLATILE);  // never while planning
        function->SetFallible();
        duck::CreateScalarFunctionInfo info(*function);
        info.internal = true;
        system.CreateFunction(context, info);
    }
}

}  // namespace tarn::query
