#include "query/chunk.h"

#include "base/assert.h"

namespace tarn::query {

Column::Store Column::store_of(const Type& type) {
    switch (type.kind) {
        case Kind::boolean:
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::oid:
        case Kind::date:
        case Kind::time:
        case Kind::timestamp:
        case Kind::timestamptz:
            return Store::numbers;
        case Kind::decimal:
            return type.precision <= 18 ? Store::numbers : Store::wides;
        case Kind::uuid:
            return Store::wides;
        case Kind::float32:
        case Kind::float64:
            return Store::reals;
        case Kind::null:
        case Kind::text:
        case Kind::binary:
        case Kind::json:
        case Kind::jsonb:
        case Kind::character:
            return Store::texts;
        case Kind::interval:
            return Store::intervals;
        case Kind::list:
        case Kind::structure:
        case Kind::map:
            return Store::values;
    }
    return Store::values;
}

void Column::append_null() {
    switch (store_of(type_)) {
        case Store::numbers:
            numbers_.push_back(0);
            break;
        case Store::reals:
            reals_.push_back(0);
            break;
        case Store::wides:
            wides_.push_back(0);
            break;
        case Store::texts:
            ends_.push_back(bytes_.size());
            break;
        case Store::intervals:
            intervals_.emplace_back();
            break;
        case Store::values:
            values_.emplace_back();
            break;
    }
    present_.push_back(0);
}

void Column::append_number(int64_t number) {
    TARN_ASSERT(store_of(type_) == Store::numbers);
    numbers_.push_back(number);
    present_.push_back(1);
}

void Column::append_real(double real) {
    TARN_ASSERT(store_of(type_) == Store::reals);
    reals_.push_back(real);
    present_.push_back(1);
}

void Column::append_wide(Int128 number) {
    TARN_ASSERT(store_of(type_) == Store::wides);
    wides_.push_back(number);
    present_.push_back(1);
}

void Column::append_text(std::string_view text) {
    TARN_ASSERT(store_of(type_) == Store::texts);
    bytes_.append(text);
    ends_.push_back(bytes_.size());
    present_.push_back(1);
}

void Column::append_interval(Interval interval) {
    TARN_ASSERT(store_of(type_) == Store::intervals);
    intervals_.push_back(interval);
    present_.push_back(1);
}

void Column::append(Value value) {
    if (value.is_null()) return append_null();
    switch (store_of(type_)) {
        case Store::numbers:
            if (const bool* flag = std::get_if<bool>(&value.of)) return append_number(*flag);
            return append_number(std::get<int64_t>(value.of));
        case Store::reals:
            return append_real(std::get<double>(value.of));
        case Store::wides:
            if (const int64_t* narrow = std::get_if<int64_t>(&value.of))
                return append_wide(*narrow);
            return append_wide(std::get<Int128>(value.of));
        case Store::texts:
            return append_text(std::get<std::string>(value.of));
        case Store::intervals:
            return append_interval(std::get<Interval>(value.of));
        case Store::values:
            values_.push_back(std::move(value));
            present_.push_back(1);
            return;
    }
}

void Column::reserve(size_t rows) {
    present_.reserve(rows);
    switch (store_of(type_)) {
        case Store::numbers:
            numbers_.reserve(rows);
            break;
        case Store::reals:
            reals_.reserve(rows);
            break;
        case Store::wides:
            wides_.reserve(rows);
            break;
        case Store::texts:
            ends_.reserve(rows);
            break;
        case Store::intervals:
            intervals_.reserve(rows);
            break;
        case Store::values:
            values_.reserve(rows);
            break;
    }
}

std::string_view Column::text(size_t row) const {
    const uint64_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(bytes_).substr(begin, ends_[row] - begin);
}

Value Column::value(size_t row) const {
    if (is_null(row)) return {};
    switch (store_of(type_)) {
        case Store::numbers:
            if (type_.kind == Kind::boolean) return Value(numbers_[row] != 0);
            return Value(numbers_[row]);
        case Store::reals:
            return Value(reals_[row]);
        case Store::wides:
            return Value(wides_[row]);
        case Store::texts:
            return Value(std::string(text(row)));
        case Store::intervals:
            return Value(intervals_[row]);
        case Store::values:
            return values_[row];
    }
    return {};
}

void Column::append_pg_text(size_t row, std::string& out) const {
    if (store_of(type_) == Store::texts && type_.kind != Kind::binary) {
        out.append(text(row));
        return;
    }
    query::append_pg_text(type_, value(row), out);
}

void Column::append_pg_binary(size_t row, std::string& out) const {
    if (store_of(type_) == Store::texts && type_.kind != Kind::jsonb) {
        out.append(text(row));
        return;
    }
    query::append_pg_binary(type_, value(row), out);
}

}  // namespace tarn::query
