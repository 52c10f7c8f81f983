#include "query/internal/kept_rows.h"

#include "base/bytes.h"

namespace tarn::query {
namespace {

using Store = Column::Store;

constexpr int kDepthMax = 64;

void append_bytes(std::string& out, std::string_view bytes) {
    append_le(out, static_cast<uint32_t>(bytes.size()));
    out.append(bytes);
}

void append_interval(std::string& out, const Interval& interval) {
    append_le(out, interval.months);
    append_le(out, interval.days);
    append_le(out, interval.micros);
}

/// Which alternative it is, and that: nested values have no type of their own.
void append_value(std::string& out, const Value& value) {
    out.push_back(static_cast<char>(value.of.index()));
    if (const auto* truth = std::get_if<bool>(&value.of)) out.push_back(*truth ? '\1' : '\0');
    if (const auto* number = std::get_if<int64_t>(&value.of)) append_le(out, *number);
    if (const auto* wide = std::get_if<Int128>(&value.of)) append_le(out, *wide);
    if (const auto* real = std::get_if<double>(&value.of)) append_le(out, *real);
    if (const auto* text = std::get_if<std::string>(&value.of)) append_bytes(out, *text);
    if (const auto* interval = std::get_if<Interval>(&value.of)) append_interval(out, *interval);
    if (const auto* values = std::get_if<Values>(&value.of)) {
        append_le(out, static_cast<uint32_t>(values->size()));
        for (const auto& one : *values) append_value(out, one);
    }
}

void append_cell(const Column& column, Store store, size_t row, std::string& out) {
    switch (store) {
        case Store::numbers:
            append_le(out, column.number(row));
            return;
        case Store::reals:
            append_le(out, column.real(row));
            return;
        case Store::wides:
            append_le(out, column.wide(row));
            return;
        case Store::intervals:
            append_interval(out, std::get<Interval>(column.value(row).of));
            return;
        case Store::texts:
            append_bytes(out, column.text(row));
            return;
        case Store::values:
            append_value(out, column.value(row));
            return;
    }
}

Error broken() {
    return Error(Code::corrupted, "the kept rows of a statement cannot be read");
}

Result<std::string_view> take_bytes(ByteReader& in) {
    const auto size = in.take_le<uint32_t>();
    const auto bytes = size ? in.take(*size) : std::nullopt;
    if (!bytes) return broken();
    return *bytes;
}

Result<Interval> take_interval(ByteReader& in) {
    const auto months = in.take_le<int32_t>();
    const auto days = in.take_le<int32_t>();
    const auto micros = in.take_le<int64_t>();
    if (!months || !days || !micros) return broken();
    return Interval{*months, *days, *micros};
}

template <typename Number>
Result<Value> take_number(ByteReader& in) {
    const auto number = in.take_le<Number>();
    if (!number) return broken();
    return Value(*number);
}

Result<Value> take_value(ByteReader& in, int depth) {
    const auto which = in.take_le<uint8_t>();
    if (!which || depth > kDepthMax) return broken();
    switch (*which) {
        case 0:
            return Value();
        case 1: {
            const auto truth = in.take_le<uint8_t>();
            if (!truth) return broken();
            return Value(*truth != 0);
        }
        case 2:
            return take_number<int64_t>(in);
        case 3:
            return take_number<Int128>(in);
        case 4:
            return take_number<double>(in);
        case 5: {
            TARN_TRY(text, take_bytes(in));
            return Value(std::string(text));
        }
        case 6: {
            TARN_TRY(interval, take_interval(in));
            return Value(interval);
        }
        case 7: {
            const auto count = in.take_le<uint32_t>();
            if (!count || *count > in.left()) return broken();
            Values values;
            for (uint32_t i = 0; i < *count; ++i) {
                TARN_TRY(one, take_value(in, depth + 1));
                values.push_back(std::move(one));
            }
            return Value(std::move(values));
        }
        default:
            return broken();
    }
}

Status take_cell(ByteReader& in, Store store, Column& column) {
    switch (store) {
        case Store::numbers: {
            const auto number = in.take_le<int64_t>();
            if (!number) return broken();
            column.append_number(*number);
            return {};
        }
        case Store::reals: {
            const auto real = in.take_le<double>();
            if (!real) return broken();
            column.append_real(*real);
            return {};
        }
        case Store::wides: {
            const auto wide = in.take_le<Int128>();
            if (!wide) return broken();
            column.append_wide(*wide);
            return {};
        }
        case Store::intervals: {
            TARN_TRY(interval, take_interval(in));
            column.append_interval(interval);
            return {};
        }
        case Store::texts: {
            TARN_TRY(text, take_bytes(in));
            column.append_text(text);
            return {};
        }
        case Store::values: {
            TARN_TRY(value, take_value(in, 0));
            column.append(std::move(value));
            return {};
        }
    }
    return broken();
}

}  // namespace

std::string encode_rows(const Chunk& rows) {
    return encode_rows(rows, 0, rows.rows());
}

std::string encode_rows(const Chunk& rows, size_t begin, size_t end) {
    std::string out;
    append_le(out, static_cast<uint32_t>(end - begin));
    for (const auto& column : rows.columns) {
        const Store store = Column::store_of(column.type());
        for (size_t row = begin; row < end; ++row)
            out.push_back(column.is_null(row) ? '\0' : '\1');
        for (size_t row = begin; row < end; ++row)
            if (!column.is_null(row)) append_cell(column, store, row, out);
    }
    return out;
}

Result<Chunk> decode_rows(std::string_view bytes, const std::vector<Type>& like) {
    ByteReader in(bytes);
    const auto rows = in.take_le<uint32_t>();
    if (!rows) return broken();
    Chunk out;
    for (const auto& type : like) {
        auto& column = out.columns.emplace_back(type);
        const Store store = Column::store_of(type);
        const auto present = in.take(*rows);
        if (!present) return broken();
        column.reserve(*rows);
        for (const char there : *present) {
            if (there == '\0')
                column.append_null();
            else
                TARN_CHECK_OK(take_cell(in, store, column));
        }
    }
    if (!in.empty()) return broken();
    return out;
}

}  // namespace tarn::query
