#include "query/internal/kept_rows.h"

#include "base/bytes.h"

namespace tarn::query {
namespace {

using Store = Column::Store;

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
        case Store::intervals: {
            const auto interval = std::get<Interval>(column.value(row).of);
            append_le(out, interval.months);
            append_le(out, interval.days);
            append_le(out, interval.micros);
            return;
        }
        case Store::texts: {
            const auto text = column.text(row);
            append_le(out, static_cast<uint32_t>(text.size()));
            out.append(text);
            return;
        }
        case Store::values: {
            std::string text;
            column.append_pg_text(row, text);
            append_le(out, static_cast<uint32_t>(text.size()));
            out.append(text);
            return;
        }
    }
}

Error broken() {
    return Error(Code::corrupted, "the kept rows of a statement cannot be read");
}

Status take_text(ByteReader& in, Column& column, bool as_value) {
    const auto size = in.take_le<uint32_t>();
    if (!size) return broken();
    const auto text = in.take(*size);
    if (!text) return broken();
    if (!as_value) {
        column.append_text(*text);
        return {};
    }
    TARN_TRY(value, parse_pg_text(column.type(), *text));
    column.append(std::move(value));
    return {};
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
            const auto months = in.take_le<int32_t>();
            const auto days = in.take_le<int32_t>();
            const auto micros = in.take_le<int64_t>();
            if (!micros) return broken();
            column.append_interval({*months, *days, *micros});
            return {};
        }
        case Store::texts:
        case Store::values:
            return take_text(in, column, store == Store::values);
    }
    return broken();
}

}  // namespace

std::string encode_rows(const Chunk& rows) {
    std::string out;
    append_le(out, static_cast<uint32_t>(rows.rows()));
    for (const auto& column : rows.columns) {
        const Store store = Column::store_of(column.type());
        for (size_t row = 0; row < rows.rows(); ++row)
            out.push_back(column.is_null(row) ? '\0' : '\1');
        for (size_t row = 0; row < rows.rows(); ++row)
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
