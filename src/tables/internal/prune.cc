#include "tables/internal/prune.h"

#include <algorithm>
#include <cmath>

namespace tarn::tables {

namespace {

using Op = Predicate::Op;
using Kind = Transform::Kind;

bool is_nan(const Literal& literal) {
    const auto* real = std::get_if<double>(&literal.value);
    return real != nullptr && std::isnan(*real);
}

/// SQL knows one zero; bounds know two.
Literal positive_zero(const Literal& literal) {
    const auto* real = std::get_if<double>(&literal.value);
    return real != nullptr && *real == 0 ? Literal::real(0.0) : literal;
}

int order(const Type& type, const Literal& a, const Literal& b) {
    const auto result = compare(type, positive_zero(a), positive_zero(b));
    return result < 0 ? -1 : result > 0 ? 1 : 0;
}

bool may_equal(const Literal& value, const Type& type, const ValueRange& range) {
    if (is_nan(value)) return range.may_be_nan;
    if (range.lower && order(type, value, *range.lower) < 0) return false;
    return !range.upper || order(type, value, *range.upper) <= 0;
}

bool may_begin_with(const Literal& prefix_literal, const ValueRange& range) {
    const auto& prefix = std::get<std::string>(prefix_literal.value);
    if (range.upper && std::get<std::string>(range.upper->value) < prefix) return false;
    return !range.lower ||
           std::get<std::string>(range.lower->value).substr(0, prefix.size()) <= prefix;
}

/// The neighbour of a value of a type whose values are counted; the value itself otherwise.
Literal next_to(const Literal& literal, int step) {
    if (const auto* integer = std::get_if<int64_t>(&literal.value)) {
        if (*integer == (step < 0 ? INT64_MIN : INT64_MAX)) return literal;
        return Literal::integer(*integer + step);
    }
    if (const auto* unscaled = std::get_if<Int128>(&literal.value))
        return Literal::decimal(*unscaled + step);
    return literal;
}

size_t code_points(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool fits_all(const Predicate& predicate, const Type& type) {
    const bool without = predicate.op == Op::is_null || predicate.op == Op::not_null;
    if (without) return true;
    if (predicate.op == Op::starts_with && type.id != TypeId::string) return false;
    return !predicate.values.empty() &&
           std::all_of(predicate.values.begin(), predicate.values.end(),
                       [&](const Literal& value) { return fits(type, value); });
}

std::optional<Predicate> project_prefix(const Predicate& predicate, const Transform& transform,
                                        const Type& source) {
    if (transform.kind != Kind::truncate || source.id != TypeId::string) return std::nullopt;
    const auto& prefix = std::get<std::string>(predicate.values[0].value);
    if (code_points(prefix) < transform.width) return predicate;
    return Predicate{
        predicate.field_id, Op::eq, {apply_transform(transform, source, predicate.values[0])}};
}

/// Of a transform that keeps the order of values.
std::optional<Predicate> project_ordered(const Predicate& predicate, const Transform& transform,
                                         const Type& source) {
    const auto carried = [&](Op op, const Literal& value) -> std::optional<Predicate> {
        if (!fits(source, value)) return std::nullopt;
        return Predicate{predicate.field_id, op, {apply_transform(transform, source, value)}};
    };
    switch (predicate.op) {
        case Op::lt:
            return carried(Op::le, next_to(predicate.values[0], -1));
        case Op::le:
            return carried(Op::le, predicate.values[0]);
        case Op::gt:
            return carried(Op::ge, next_to(predicate.values[0], 1));
        case Op::ge:
            return carried(Op::ge, predicate.values[0]);
        case Op::starts_with:
            return project_prefix(predicate, transform, source);
        default:
            return std::nullopt;
    }
}

template <typename Pairs>
auto find_id(const Pairs& pairs, int id) -> decltype(&pairs[0].second) {
    const auto found =
        std::lower_bound(pairs.begin(), pairs.end(), id,
                         [](const auto& pair, int wanted) { return pair.first < wanted; });
    return found != pairs.end() && found->first == id ? &found->second : nullptr;
}

std::optional<Literal> decoded(const FieldBounds& bounds, int id, const Type& type) {
    const std::string* bytes = find_id(bounds, id);
    if (bytes == nullptr) return std::nullopt;
    auto literal = decode_bound(type, *bytes);
    if (!literal.ok() || is_nan(*literal)) return std::nullopt;
    return std::move(literal).value();
}

ValueRange range_of(const DataFile& file, int id, const Type& type) {
    ValueRange range;
    range.lower = decoded(file.lower_bounds, id, type);
    range.upper = decoded(file.upper_bounds, id, type);
    const int64_t* nulls = find_id(file.null_value_counts, id);
    const int64_t* values = find_id(file.value_counts, id);
    const int64_t* nans = find_id(file.nan_value_counts, id);
    if (nulls != nullptr) {
        range.may_be_null = *nulls > 0;
        range.only_null = values != nullptr && *nulls == *values;
    }
    const bool real = type.id == TypeId::float32 || type.id == TypeId::float64;
    range.may_be_nan = real && (nans == nullptr || *nans > 0);
    return range;
}

ValueRange range_of(const FieldSummary& summary, const Type& type) {
    const auto decode = [&](const std::optional<std::string>& bytes) -> std::optional<Literal> {
        if (!bytes) return std::nullopt;
        auto literal = decode_bound(type, *bytes);
        if (!literal.ok() || is_nan(*literal)) return std::nullopt;
        return std::move(literal).value();
    };
    const bool real = type.id == TypeId::float32 || type.id == TypeId::float64;
    ValueRange range;
    range.lower = decode(summary.lower_bound);
    range.upper = decode(summary.upper_bound);
    range.may_be_null = summary.contains_null;
    range.may_be_nan = real && summary.contains_nan.value_or(true);
    range.only_null =
        !summary.lower_bound && !summary.upper_bound && summary.contains_null && !range.may_be_nan;
    return range;
}

ValueRange range_of(const Literal& value) {
    ValueRange range;
    range.only_null = range.may_be_null = value.is_null();
    range.may_be_nan = is_nan(value);
    if (!value.is_null() && !range.may_be_nan) range.lower = range.upper = value;
    return range;
}

}  // namespace

bool may_match(Op op, const std::vector<Literal>& values, const Type& type,
               const ValueRange& range) {
    if (op == Op::is_null) return range.may_be_null;
    if (range.only_null) return false;
    switch (op) {
        case Op::eq:
            return may_equal(values[0], type, range);
        case Op::in:
            return std::any_of(values.begin(), values.end(),
                               [&](const Literal& value) { return may_equal(value, type, range); });
        case Op::ne:
            return range.may_be_nan || !range.lower || !range.upper ||
                   order(type, *range.lower, values[0]) != 0 ||
                   order(type, *range.upper, values[0]) != 0;
        case Op::lt:
            return is_nan(values[0]) || !range.lower || order(type, *range.lower, values[0]) < 0;
        case Op::le:
            return is_nan(values[0]) || !range.lower || order(type, *range.lower, values[0]) <= 0;
        // NaN is the greatest number in SQL, and no bound tells of it.
        case Op::gt:
            return range.may_be_nan || !range.upper || order(type, *range.upper, values[0]) > 0;
        case Op::ge:
            return range.may_be_nan || !range.upper || order(type, *range.upper, values[0]) >= 0;
        case Op::starts_with:
            return may_begin_with(values[0], range);
        case Op::not_null:
        case Op::is_null:
            return true;
    }
    return true;
}

std::optional<Predicate> project(const Predicate& predicate, const Transform& transform,
                                 const Type& source) {
    if (transform.kind == Kind::void_ || transform.kind == Kind::unknown ||
        !fits_all(predicate, source))
        return std::nullopt;
    if (transform.kind == Kind::identity || predicate.op == Op::is_null ||
        predicate.op == Op::not_null)
        return predicate;
    if (predicate.op == Op::eq || predicate.op == Op::in) {
        Predicate carried = predicate;
        for (auto& value : carried.values) value = apply_transform(transform, source, value);
        return carried;
    }
    return transform.kind == Kind::bucket ? std::nullopt
                                          : project_ordered(predicate, transform, source);
}

Pruner::Pruner(const std::vector<Predicate>& filter, const Schema& schema,
               const PartitionSpec& spec, const std::vector<Type>& partition_types,
               bool with_columns)
    : types_(partition_types) {
    for (const auto& predicate : filter) {
        const Field* column = schema.find(predicate.field_id);
        if (column == nullptr || !column->type.primitive() || !fits_all(predicate, column->type))
            continue;
        for (size_t i = 0; i < spec.fields.size(); ++i) {
            if (spec.fields[i].source_id != predicate.field_id) continue;
            auto carried = project(predicate, spec.fields[i].transform, column->type);
            if (carried && fits_all(*carried, types_[i]))
                on_partition_.push_back({i, std::move(*carried)});
        }
        // Writers disagree on how UUIDs are ordered: their bounds prove nothing.
        if (with_columns && column->type.id != TypeId::uuid)
            on_columns_.push_back({column->type, predicate});
    }
}

bool Pruner::may_match(const ManifestFile& manifest) const {
    if (manifest.partitions.size() != types_.size()) return true;
    return std::all_of(on_partition_.begin(), on_partition_.end(), [&](const OnPartition& on) {
        return tables::may_match(on.predicate.op, on.predicate.values, types_[on.index],
                                 range_of(manifest.partitions[on.index], types_[on.index]));
    });
}

bool Pruner::may_match(const DataFile& file) const {
    if (file.partition.size() == types_.size()) {
        for (const auto& on : on_partition_) {
            const Literal& value = file.partition[on.index];
            if (!value.is_null() && !fits(types_[on.index], value)) continue;
            if (!tables::may_match(on.predicate.op, on.predicate.values, types_[on.index],
                                   range_of(value)))
                return false;
        }
    }
    return std::all_of(on_columns_.begin(), on_columns_.end(), [&](const OnColumn& on) {
        return tables::may_match(on.predicate.op, on.predicate.values, on.type,
                                 range_of(file, on.predicate.field_id, on.type));
    });
}

}  // namespace tarn::tables
