#include "query/internal/identity.h"

#include <fmt/format.h>

#include "meta/keys.h"
#include "query/internal/clauses.h"
#include "query/internal/lake.h"
#include "query/internal/pg_catalog/functions.h"
#include "query/internal/sql_text.h"
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
duck::unique_ptr<duck::FunctionData> bind_next(
    duck::ClientContext& context, duck::ScalarFunction&,
    duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    for (const auto& argument : arguments)
        if (!argument->IsFoldable())
            throw_error({Code::invalid_argument, "the column must be named by constants", "42601"});
    const auto argument = [&](size_t i) {
        return duck::ExpressionExecutor::EvaluateScalar(context, *arguments[i]);
    };
    const std::string database = argument(0).ToString();
    const std::string name = argument(1).ToString();
    const int field_id = argument(2).GetValue<int32_t>();
    auto& transaction = LakeTransaction::of(context, duck::Catalog::GetCatalog(context, kLake));
    auto* schema = transaction.find_schema(database);
    auto* entry = schema ? transaction.find_relation(
                               *schema, {duck::CatalogType::TABLE_ENTRY, duck::string(name)})
                         : nullptr;
    if (entry && entry->type == duck::CatalogType::TABLE_ENTRY) {
        const auto& view = entry->Cast<LakeTable>().view();
        const auto identity = identity_of(view.state->metadata->properties, field_id);
        if (identity && view.access.insert)
            return duck::make_uniq<NumbersOf>(view.state->info.uuid, field_id, *identity);
    }
    throw_error({Code::not_found, fmt::format("relation \"{}\" does not exist", name), "42P01"});
}

int64_t number_at(const Identity& how, int64_t at) {
    int64_t number = 0;
    if (__builtin_mul_overflow(at, how.increment, &number) ||
        __builtin_add_overflow(number, how.start, &number))
        throw_error({Code::out_of_range, "the numbers of the column are used up", "2200H"});
    return number;
}

void next_numbers(duck::DataChunk& arguments, duck::ExpressionState& state, duck::Vector& result) {
    const auto& of = state.expr.Cast<duck::BoundFunctionExpression>().bind_info->Cast<NumbersOf>();
    auto& transaction = LakeTransaction::of(state.GetContext(),
                                            duck::Catalog::GetCatalog(state.GetContext(), kLake));
    const auto count = static_cast<int64_t>(arguments.size());
    const int64_t first =
        value_or_throw(transaction.services().identities->take(of.table_uuid, of.field_id, count));
    if (count == 0) return;
    result.SetVectorType(duck::VectorType::FLAT_VECTOR);
    auto* numbers = duck::FlatVector::GetData<int64_t>(result);
    for (int64_t i = 0; i < count; ++i) numbers[i] = number_at(of.how, first + i);
    SessionState::of(state.GetContext())
        .numbers.took({of.table_uuid, of.field_id}, numbers[count - 1]);
}

// nextval(), currval(), lastval(), setval()

LakeTransaction& transaction_of(duck::ExpressionState& state) {
    return LakeTransaction::of(state.GetContext(),
                               duck::Catalog::GetCatalog(state.GetContext(), kLake));
}

std::vector<std::string> name_parts(std::string_view text) {
    std::vector<std::string> names;
    for (const auto& token : tokenize(text))
        if (!token.is_symbol('.')) names.push_back(token.name());
    return names;
}

/// The sequence that a text names, by the search path when it names no schema. Throws 42P01.
Sequence sequence_named(duck::ExpressionState& state, const duck::string_t& given) {
    auto& context = state.GetContext();
    const std::string text = given.GetString();
    auto names = name_parts(text);
    const std::string column_name = SessionState::of(context).numbers.named(sequence_key(text));
    if (!column_name.empty()) names = name_parts(column_name);
    auto& transaction = transaction_of(state);
    std::vector<std::string> databases;
    if (names.size() > 1)
        databases = {names[names.size() - 2]};
    else
        for (const auto& entry : duck::ClientData::Get(context).catalog_search_path->Get())
            if (entry.catalog == kLake) databases.push_back(entry.schema);
    for (const auto& database : databases)
        if (!names.empty())
            if (auto found = find_sequence(transaction, database, names.back())) return *found;
    throw_error({Code::not_found, fmt::format("relation \"{}\" does not exist", text), "42P01"});
}

[[noreturn]] void deny_sequence(const Sequence& sequence) {
    throw_error({Code::permission_denied,
                 "permission denied for the sequence of table " + sequence.table->name, "42501"});
}

void refuse_reader(duck::ExpressionState& state, const char* function) {
    if (SessionState::of(state.GetContext()).reads_only)
        throw_error({Code::permission_denied,
                     fmt::format("cannot execute {}() in a read-only transaction", function),
                     "25006"});
}

void next_value(duck::DataChunk& arguments, duck::ExpressionState& state, duck::Vector& result) {
    refuse_reader(state, "nextval");
    duck::UnaryExecutor::Execute<duck::string_t, int64_t>(
        arguments.data[0], result, arguments.size(), [&](duck::string_t name) {
            const auto sequence = sequence_named(state, name);
            if (!sequence.table->view().access.insert) deny_sequence(sequence);
            const int64_t at = value_or_throw(transaction_of(state).services().identities->take(
                sequence.uuid(), sequence.field_id, 1));
            const int64_t number = number_at(sequence.how, at);
            SessionState::of(state.GetContext())
                .numbers.took({sequence.uuid(), sequence.field_id}, number);
            return number;
        });
}

void current_value(duck::DataChunk& arguments, duck::ExpressionState& state, duck::Vector& result) {
    duck::UnaryExecutor::Execute<duck::string_t, int64_t>(
        arguments.data[0], result, arguments.size(), [&](duck::string_t name) {
            const auto sequence = sequence_named(state, name);
            const auto number = SessionState::of(state.GetContext())
                                    .numbers.current({sequence.uuid(), sequence.field_id});
            if (!number)
                throw_error(
                    {Code::precondition_failed,
                     fmt::format("currval of sequence \"{}\" is not yet defined in this session",
                                 name.GetString()),
                     "55000"});
            return *number;
        });
}

void last_value(duck::DataChunk&, duck::ExpressionState& state, duck::Vector& result) {
    const auto number = SessionState::of(state.GetContext()).numbers.last();
    if (!number)
        throw_error(
            {Code::precondition_failed, "lastval is not yet defined in this session", "55000"});
    result.Reference(duck::Value::BIGINT(*number));
}

/// setval(sequence, number [, whether it was given]): at once, and not taken back by a rollback.
void set_value(duck::DataChunk& arguments, duck::ExpressionState& state, duck::Vector& result) {
    refuse_reader(state, "setval");
    const auto rows = arguments.size();
    result.SetVectorType(duck::VectorType::FLAT_VECTOR);
    for (duck::idx_t row = 0; row < rows; ++row) {
        const auto argument = [&](size_t i) { return arguments.data[i].GetValue(row); };
        if (argument(0).IsNull() || argument(1).IsNull()) {
            duck::FlatVector::SetNull(result, row, true);
            continue;
        }
        const auto sequence = sequence_named(state, duck::string_t(argument(0).ToString()));
        const auto& view = sequence.table->view();
        if (!view.access.insert || !view.access.update || view.governed) deny_sequence(sequence);
        const int64_t number = argument(1).GetValue<int64_t>();
        const bool given = arguments.ColumnCount() < 3 || argument(2).GetValue<bool>();
        int64_t steps = 0;
        if (__builtin_sub_overflow(number, sequence.how.start, &steps) ||
            steps % sequence.how.increment != 0)
            throw_error(
                {Code::invalid_argument,
                 fmt::format("setval: {} is none of the numbers that begin with {} and go by {}",
                             number, sequence.how.start, sequence.how.increment),
                 "22003"});
        ok_or_throw(transaction_of(state).services().identities->set(
            sequence.uuid(), sequence.field_id, steps / sequence.how.increment + (given ? 1 : 0)));
        SessionState::of(state.GetContext())
            .numbers.took({sequence.uuid(), sequence.field_id}, number);
        duck::FlatVector::GetData<int64_t>(result)[row] = number;
    }
}

void only_in_definitions(duck::DataChunk&, duck::ExpressionState&, duck::Vector&) {
    throw_error(
        {Code::invalid_argument, "an identity stands in a column's definition only", "42601"});
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

Result<int64_t> IdentityNumbers::taken(const std::string& table_uuid, int field_id) {
    const std::string key = identity_key(table_uuid, field_id);
    const MutexLock lock(mutex_);
    if (const auto found = ranges_.find(key); found != ranges_.end() && found->second.end != 0)
        return found->second.next;
    TARN_TRY(record, store_.get(key));
    return record ? meta::decode_counter(record->value) : 0;
}

Status IdentityNumbers::set(const std::string& table_uuid, int field_id, int64_t count) {
    const std::string key = identity_key(table_uuid, field_id);
    const MutexLock lock(mutex_);
    meta::Batch batch;
    batch.erase(key);
    batch.add(key, count);
    TARN_TRY(committed, store_.commit(std::move(batch)));
    static_cast<void>(committed);
    ranges_.erase(key);
    return {};
}

void IdentityNumbers::forget(const std::string& table_uuid, int field_id) {
    const MutexLock lock(mutex_);
    ranges_.erase(identity_key(table_uuid, field_id));
}

std::string sequence_key(std::string_view text) {
    std::string key;
    for (const auto& name : name_parts(text)) key += (key.empty() ? "" : ".") + quoted_name(name);
    return key;
}

std::string sequence_name(const std::string& table, const std::string& column) {
    return table + "_" + column + "_seq";
}

const std::string& Sequence::uuid() const {
    return table->state()->info.uuid;
}

bool Sequence::readable() const {
    return !table->view().governed || table->view().access.insert;
}

std::optional<Sequence> find_sequence(LakeTransaction& transaction, const std::string& database,
                                      const std::string& name) {
    if (!name.ends_with("_seq")) return std::nullopt;
    auto* schema = transaction.find_schema(database);
    if (!schema) return std::nullopt;
    for (const auto& info : transaction.relations(database)) {
        if (info.kind == tables::RelationKind::view || !name.starts_with(info.name + "_")) continue;
        auto* entry = transaction.find_relation(
            *schema, {duck::CatalogType::TABLE_ENTRY, duck::string(info.name)});
        if (!entry || entry->type != duck::CatalogType::TABLE_ENTRY) continue;
        const auto& table = entry->Cast<LakeTable>();
        for (const size_t position : table.view().columns) {
            const auto& field = table.view().schema.fields[position];
            const auto identity = identity_of(transaction.properties_of(table.state()), field.id);
            if (identity && sequence_name(info.name, field.name) == name)
                return Sequence{&table, field.id, *identity};
        }
    }
    return std::nullopt;
}

namespace {

struct SequenceState : duck::TableFunctionData {
    int64_t last = 0;
    bool called = false;
};
struct SequenceShown : duck::GlobalTableFunctionState {
    bool done = false;
};

duck::unique_ptr<duck::FunctionData> bind_sequence_state(duck::ClientContext& context,
                                                         duck::TableFunctionBindInput& input,
                                                         duck::vector<duck::LogicalType>& types,
                                                         duck::vector<duck::string>& names) {
    auto& transaction = LakeTransaction::of(context, duck::Catalog::GetCatalog(context, kLake));
    const std::string name = input.inputs[1].ToString();
    const auto sequence = find_sequence(transaction, input.inputs[0].ToString(), name);
    if (!sequence)
        throw_error(
            {Code::not_found, fmt::format("relation \"{}\" does not exist", name), "42P01"});
    if (!sequence->readable()) deny_sequence(*sequence);
    auto data = duck::make_uniq<SequenceState>();
    const int64_t taken = value_or_throw(
        transaction.services().identities->taken(sequence->uuid(), sequence->field_id));
    data->called = taken != 0;
    data->last = number_at(sequence->how, data->called ? taken - 1 : 0);
    types = {duck::LogicalType::BIGINT, duck::LogicalType::BIGINT, duck::LogicalType::BOOLEAN};
    names = {"last_value", "log_cnt", "is_called"};
    return data;
}

void show_sequence_state(duck::ClientContext&, duck::TableFunctionInput& input,
                         duck::DataChunk& chunk) {
    auto& state = input.global_state->Cast<SequenceShown>();
    if (std::exchange(state.done, true)) return;
    const auto& data = input.bind_data->Cast<SequenceState>();
    chunk.SetValue(0, 0, duck::Value::BIGINT(data.last));
    chunk.SetValue(1, 0, duck::Value::BIGINT(0));
    chunk.SetValue(2, 0, duck::Value::BOOLEAN(data.called));
    chunk.SetCardinality(1);
}

}  // namespace

void add_identity_functions(duck::ClientContext& context, duck::Catalog& system) {
    using duck::LogicalType;
    duck::ScalarFunction next(kNextNumber,
                              {LogicalType::VARCHAR, LogicalType::VARCHAR, LogicalType::INTEGER},
                              LogicalType::BIGINT, next_numbers, bind_next);
    duck::ScalarFunction identity(kIdentityDefault,
                                  {LogicalType::VARCHAR, LogicalType::BIGINT, LogicalType::BIGINT},
                                  LogicalType::BIGINT, only_in_definitions);
    const auto text = LogicalType::VARCHAR;
    duck::TableFunction shown(
        "tarn_sequence_state", {text, text}, show_sequence_state, bind_sequence_state,
        [](duck::ClientContext&,
           duck::TableFunctionInitInput&) -> duck::unique_ptr<duck::GlobalTableFunctionState> {
            return duck::make_uniq<SequenceShown>();
        });
    duck::CreateTableFunctionInfo show(shown);
    system.CreateTableFunction(context, show);
    duck::ScalarFunction next_of("nextval", {text}, LogicalType::BIGINT, next_value);
    duck::ScalarFunction current_of("currval", {text}, LogicalType::BIGINT, current_value);
    duck::ScalarFunction last_of("lastval", {}, LogicalType::BIGINT, last_value);
    duck::ScalarFunctionSet set_of("setval");
    for (const bool told : {false, true}) {
        duck::ScalarFunction function({text, LogicalType::BIGINT}, LogicalType::BIGINT, set_value);
        if (told) function.arguments.push_back(LogicalType::BOOLEAN);
        function.SetStability(duck::FunctionStability::VOLATILE);
        function.SetFallible();
        function.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
        set_of.AddFunction(function);
    }
    put_functions(context, system, set_of);
    for (auto* function : {&next, &identity, &next_of, &current_of, &last_of}) {
        function->SetStability(duck::FunctionStability::VOLATILE);  // never while planning
        function->SetFallible();
        put_functions(context, system, duck::ScalarFunctionSet(*function));
    }
}

}  // namespace tarn::query
