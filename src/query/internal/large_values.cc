// Bounds of what one call of a function builds. DuckDB computes a chunk of rows in one call, takes
// the memory for it from the allocator and not from the engine's limit, and looks for a cancel only
// between calls: repeat('x', 2000000000) would be built to its end, whatever memory there is.
#include <fmt/format.h>

#include <cmath>

#include "query/internal/database.h"

namespace tarn::query {

namespace {

constexpr double kBytesMax = 256.0 * (1 << 20);

/// Bytes of the largest of the first `rows` values, at least 16.
double largest(duck::Vector& vector, duck::idx_t rows) {
    const auto type = vector.GetType().InternalType();
    if (type != duck::PhysicalType::VARCHAR && type != duck::PhysicalType::LIST) return 16;
    duck::UnifiedVectorFormat format;
    vector.ToUnifiedFormat(rows, format);
    const bool text = type == duck::PhysicalType::VARCHAR;
    const double entry =
        text ? 1
             : largest(duck::ListVector::GetEntry(vector), duck::ListVector::GetListSize(vector));
    double bytes = 16;
    for (duck::idx_t row = 0; row < rows; ++row) {
        const auto at = format.sel->get_index(row);
        if (!format.validity.RowIsValid(at)) continue;
        const double length =
            text ? static_cast<double>(
                       duck::UnifiedVectorFormat::GetData<duck::string_t>(format)[at].GetSize())
                 : static_cast<double>(
                       duck::UnifiedVectorFormat::GetData<duck::list_entry_t>(format)[at].length);
        bytes = std::max(bytes, length * entry);
    }
    return bytes;
}

/// One argument, flat, constant or by dictionary.
class Argument {
 public:
    Argument(duck::Vector& vector, duck::idx_t rows) : type_(vector.GetType()) {
        vector.ToUnifiedFormat(rows, format_);
        if (type_.InternalType() == duck::PhysicalType::LIST)
            entry_bytes_ =
                largest(duck::ListVector::GetEntry(vector), duck::ListVector::GetListSize(vector));
    }
    /// A whole number, a time in microseconds or the length of an interval in them; else, and of
    /// NULL, 0.
    double number(duck::idx_t row) const {
        if (is_null(row)) return 0;
        switch (type_.InternalType()) {
            case duck::PhysicalType::INT32:
                return static_cast<double>(at<int32_t>(row));
            case duck::PhysicalType::INT64:
                return static_cast<double>(at<int64_t>(row));
            case duck::PhysicalType::UINT64:
                return static_cast<double>(at<uint64_t>(row));
            case duck::PhysicalType::INTERVAL: {
                const auto& interval = at<duck::interval_t>(row);
                return static_cast<double>(interval.micros) +
                       86400e6 * (interval.days + 30.0 * interval.months);
            }
            default:
                return 0;
        }
    }
    /// Bytes of a text; of a list, at most.
    double size(duck::idx_t row) const {
        if (is_null(row)) return 0;
        switch (type_.InternalType()) {
            case duck::PhysicalType::VARCHAR:
                return static_cast<double>(at<duck::string_t>(row).GetSize());
            case duck::PhysicalType::LIST:
                return entry_bytes_ * static_cast<double>(at<duck::list_entry_t>(row).length);
            default:
                return 8;
        }
    }
    std::string text(duck::idx_t row) const {
        return !is_null(row) && type_.InternalType() == duck::PhysicalType::VARCHAR
                   ? at<duck::string_t>(row).GetString()
                   : std::string();
    }

 private:
    bool is_null(duck::idx_t row) const {
        return !format_.validity.RowIsValid(format_.sel->get_index(row));
    }
    template <typename T>
    const T& at(duck::idx_t row) const {
        return duck::UnifiedVectorFormat::GetData<T>(format_)[format_.sel->get_index(row)];
    }

    duck::LogicalType type_;
    duck::UnifiedVectorFormat format_;
    double entry_bytes_ = 0;  // of a list
};

using Arguments = std::vector<Argument>;
/// Bytes of the value of a row, about.
using Estimate = double (*)(const Arguments& arguments, duck::idx_t row);

double repeated(const Arguments& of, duck::idx_t row) {
    return of[0].size(row) * std::max(0.0, of[1].number(row));
}

double padded(const Arguments& of, duck::idx_t row) {
    return std::max(0.0, of[1].number(row));
}

double resized(const Arguments& of, duck::idx_t row) {
    return 8 * std::max(0.0, of[1].number(row));
}

double bits(const Arguments& of, duck::idx_t row) {
    return std::max(0.0, of[1].number(row)) / 8;
}

double series(const Arguments& of, duck::idx_t row) {
    if (of.size() == 1) return 8 * std::max(0.0, of[0].number(row));
    const double step = of.size() > 2 ? of[2].number(row) : 1;
    if (step == 0) return 0;
    return 8 * std::max(0.0, (of[1].number(row) - of[0].number(row)) / step);
}

double joined(const Arguments& of, duck::idx_t row) {
    double bytes = 0;
    for (const auto& argument : of) bytes += argument.size(row);
    return bytes;
}

double replaced(const Arguments& of, duck::idx_t row) {
    if (of.size() < 3) return of[0].size(row);
    return of[0].size(row) / std::max(1.0, of[1].size(row)) * of[2].size(row);
}

/// Each match may be one byte, and becomes the replacement; a group may come again and again.
double replaced_by_pattern(const Arguments& of, duck::idx_t row) {
    return of.size() < 3 ? of[0].size(row) : of[0].size(row) * (1 + of[2].size(row));
}

/// Widths and precisions stand in what `kOpens` begins: {:100000000}, %100000000d; {:{}} and %*d
/// take them from an argument.
template <char kOpens>
double formatted(const Arguments& of, duck::idx_t row) {
    const std::string format = of[0].text(row);
    double bytes = joined(of, row);
    for (size_t i = format.find(kOpens); i < format.size(); i = format.find(kOpens, i)) {
        double width = 0;
        for (++i; i < format.size() && format[i] != '}' &&
                  !std::isalpha(static_cast<unsigned char>(format[i]));
             ++i) {
            if ((format[i] == '{' && format[i - 1] != '{') || format[i] == '*') return INFINITY;
            const bool digit = format[i] >= '0' && format[i] <= '9';
            width = digit ? width * 10 + (format[i] - '0') : 0;
            bytes += width;
        }
    }
    return bytes;
}

struct Rule {
    const char* function;
    size_t arguments_min;
    Estimate estimate;
};
constexpr Rule kRules[] = {{"repeat", 2, repeated},
                           {"lpad", 2, padded},
                           {"rpad", 2, padded},
                           {"list_resize", 2, resized},
                           {"array_resize", 2, resized},
                           {"bitstring", 2, bits},
                           {"range", 1, series},
                           {"generate_series", 1, series},
                           {"||", 1, joined},
                           {"concat", 1, joined},
                           {"concat_ws", 1, joined},
                           {"list_concat", 1, joined},
                           {"list_cat", 1, joined},
                           {"array_concat", 1, joined},
                           {"array_cat", 1, joined},
                           {"replace", 3, replaced},
                           {"regexp_replace", 3, replaced_by_pattern},
                           {"printf", 1, formatted<'%'>}};

void bound(duck::ScalarFunction& function, const Rule& rule) {
    const auto call = function.GetFunctionCallback();
    if (!call) return;
    function.SetFunctionCallback(
        [call, rule](duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
            Arguments arguments;
            bool constant = chunk.size() > 0;
            for (auto& vector : chunk.data) {
                constant = constant && vector.GetVectorType() == duck::VectorType::CONSTANT_VECTOR;
                arguments.emplace_back(vector, chunk.size());
            }
            double bytes = 0;
            if (arguments.size() >= rule.arguments_min)
                for (duck::idx_t row = 0; row < (constant ? 1 : chunk.size()); ++row)
                    bytes += rule.estimate(arguments, row);
            if (bytes > kBytesMax)
                throw_error({Code::exhausted,
                             fmt::format("{}() would build more than {} MiB at once", rule.function,
                                         kBytesMax / (1 << 20)),
                             "54000"});
            call(chunk, state, result);
        });
    function.SetFallible();
}

}  // namespace

void bound_large_values(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& rule : kRules) {
        auto entry = system.GetEntry<duck::ScalarFunctionCatalogEntry>(
            context, DEFAULT_SCHEMA, rule.function, duck::OnEntryNotFound::RETURN_NULL);
        if (!entry) continue;
        for (auto& function : entry->functions.functions) bound(function, rule);
    }
}

}  // namespace tarn::query
