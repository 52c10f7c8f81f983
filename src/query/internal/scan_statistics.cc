#include "query/internal/scan_statistics.h"

#include <algorithm>

#include "query/internal/duck_types.h"

namespace tarn::query {
namespace {

template <typename Pairs>
const typename Pairs::value_type::second_type* find(const Pairs& pairs, int field_id) {
    const auto at = std::lower_bound(pairs.begin(), pairs.end(), field_id,
                                     [](const auto& pair, int id) { return pair.first < id; });
    return at == pairs.end() || at->first != field_id ? nullptr : &at->second;
}

std::optional<int64_t> bound(const tables::FieldBounds& bounds, const tables::Field& field) {
    const auto* bytes = find(bounds, field.id);
    if (!bytes) return std::nullopt;
    const auto literal = tables::decode_bound(field.type, *bytes);
    if (!literal.ok() || !std::holds_alternative<int64_t>(literal->value)) return std::nullopt;
    return std::get<int64_t>(literal->value);
}

std::optional<duck::Value> value_of(const tables::Type& type, int64_t number) {
    using tables::TypeId;
    switch (type.id) {
        case TypeId::int32:
            return duck::Value::INTEGER(static_cast<int32_t>(number));
        case TypeId::int64:
            return duck::Value::BIGINT(number);
        case TypeId::date:
            return duck::Value::DATE(duck::date_t(static_cast<int32_t>(number)));
        case TypeId::timestamp:
            return duck::Value::TIMESTAMP(duck::timestamp_t(number));
        case TypeId::timestamptz:
            return duck::Value::TIMESTAMPTZ(duck::timestamp_tz_t(number));
        default:
            return std::nullopt;
    }
}

}  // namespace

duck::unique_ptr<duck::BaseStatistics> column_statistics(const tables::Field& field,
                                                         const std::vector<const tables::DataFile*>& files) {
    if (files.empty() || !value_of(field.type, 0)) return nullptr;
    std::optional<int64_t> least, greatest;
    bool may_be_null = false;
    for (const auto* file : files) {
        if (file->record_count == 0) continue;
        const auto* nulls = find(file->null_value_counts, field.id);
        may_be_null = may_be_null || !nulls || *nulls != 0;
        if (nulls && *nulls == file->record_count) continue;
        const auto lower = bound(file->lower_bounds, field), upper = bound(file->upper_bounds, field);
        if (!lower || !upper) return nullptr;
        least = std::min(least.value_or(*lower), *lower);
        greatest = std::max(greatest.value_or(*upper), *upper);
    }
    if (!least) return nullptr;
    auto statistics = duck::NumericStats::CreateUnknown(iceberg_to_duck(field.type));
    duck::NumericStats::SetMin(statistics, *value_of(field.type, *least));
    duck::NumericStats::SetMax(statistics, *value_of(field.type, *greatest));
    if (!may_be_null) statistics.Set(duck::StatsInfo::CANNOT_HAVE_NULL_VALUES);
    return statistics.ToUnique();
}

}  // namespace tarn::query
