#include "ingest/internal/folder_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/internal/utf8.h"

namespace tarn::ingest {

using query::Kind;

namespace {

constexpr size_t kShownBytes = 60;
constexpr size_t kUsualRows = 4096;
constexpr int64_t kRowDayMicros = 86'400'000'000;

std::string shown(std::string_view text) {
    std::string out(text.substr(0, kShownBytes));
    while (!out.empty() && !is_utf8(out) && out.size() + 4 > kShownBytes) out.pop_back();
    if (text.size() > out.size()) out += "...";
    return out;
}

/// Mostly there is nothing to trim.
std::string_view bare(std::string_view text) {
    const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    return text.empty() || (!blank(text.front()) && !blank(text.back())) ? text : trim(text);
}

bool has_leading_zero(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool in_range(Kind kind, int64_t number) {
    if (kind == Kind::int16) return number >= INT16_MIN && number <= INT16_MAX;
    if (kind == Kind::int32) return number >= INT32_MIN && number <= INT32_MAX;
    return true;
}

}  // namespace

RowBuilder::RowBuilder(std::vector<RowColumn> columns, char decimal)
    : columns_(std::move(columns)),
      decimal_(decimal),
      chunk_(empty_chunk()),
      cells_(columns_.size()),
      values_(columns_.size()) {}

std::vector<std::string> RowBuilder::names() const {
    std::vector<std::string> names;
    for (const auto& column : columns_) names.push_back(column.name);
    return names;
}

query::Chunk RowBuilder::empty_chunk() const {
    query::Chunk chunk;
    for (const auto& column : columns_) {
        chunk.columns.emplace_back(column.type);
        chunk.columns.back().reserve(kUsualRows);
    }
    return chunk;
}

query::Chunk RowBuilder::take() {
    query::Chunk full = std::move(chunk_);
    chunk_ = empty_chunk();
    rows_ = 0;
    bytes_ = 0;
    return full;
}

bool RowBuilder::add(const std::vector<CsvField>& fields) {
    if (fields.size() != columns_.size()) {
        reason_ = fmt::format("{} field{}, the table's rows have {}", fields.size(),
                              fields.size() == 1 ? "" : "s", columns_.size());
        return false;
    }
    for (size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].text.empty())
            cells_[i].kind = Cell::Kind::null;
        else if (!convert(i, fields[i].text))
            return false;
    }
    end_row();
    return true;
}

void RowBuilder::begin_row() {
    for (auto& cell : cells_) cell.kind = Cell::Kind::null;
}

bool RowBuilder::set_text(size_t column, std::string_view text) {
    return convert(column, text);
}

bool RowBuilder::set_boolean(size_t column, bool truth) {
    if (columns_[column].type.kind != Kind::boolean)
        return convert(column, truth ? "true" : "false");
    set_number(column, truth ? 1 : 0);
    return true;
}

void RowBuilder::end_row() {
    for (size_t i = 0; i < cells_.size(); ++i) {
        Cell& cell = cells_[i];
        query::Column& column = chunk_.columns[i];
        bytes_ += cell.kind == Cell::Kind::text ? cell.text.size() : 8;
        switch (cell.kind) {
            case Cell::Kind::null:
                column.append_null();
                break;
            case Cell::Kind::number:
                column.append_number(cell.number);
                break;
            case Cell::Kind::real:
                column.append_real(cell.real);
                break;
            case Cell::Kind::wide:
                column.append_wide(cell.wide);
                break;
            case Cell::Kind::text:
                column.append_text(cell.text);
                break;
            case Cell::Kind::value:
                column.append(std::move(values_[i]));
                break;
        }
    }
    ++rows_;
}

bool RowBuilder::refuse(size_t column, std::string_view text, std::string_view why) {
    reason_ = fmt::format("column {}: \"{}\" is no {}", columns_[column].name, shown(text),
                          query::pg_name(columns_[column].type));
    if (!why.empty()) reason_ += fmt::format(" ({})", why);
    return false;
}

bool RowBuilder::convert(size_t column, std::string_view text) {
    Cell& cell = cells_[column];
    const Kind kind = columns_[column].type.kind;
    switch (kind) {
        case Kind::null:
        case Kind::text:
        case Kind::json:
        case Kind::jsonb:
            cell.kind = Cell::Kind::text;
            cell.text = text;
            return true;
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
            if (!parse_integer(text, cell.number) && !parse_integer(bare(text), cell.number)) break;
            if (!in_range(kind, cell.number)) return refuse(column, text, "too large");
            if (strict_ && has_leading_zero(bare(text))) return refuse(column, text);
            cell.kind = Cell::Kind::number;
            return true;
        case Kind::float32:
        case Kind::float64:
            if (!parse_real(bare(text), decimal_, cell.real)) break;
            if (strict_ && has_leading_zero(bare(text))) return refuse(column, text);
            cell.kind = Cell::Kind::real;
            return true;
        case Kind::boolean: {
            bool truth = false;
            const auto word = bare(text);
            if (!parse_boolean(word, truth)) {
                if (strict_ || (word != "0" && word != "1")) break;
                truth = word == "1";
            }
            set_number(column, truth ? 1 : 0);
            return true;
        }
        case Kind::decimal:
            return convert_decimal(column, bare(text));
        case Kind::date:
        case Kind::timestamp:
        case Kind::timestamptz:
            return convert_time(column, bare(text));
        default:
            return convert_other(column, bare(text));
    }
    if (!bare(text).empty()) return refuse(column, text);
    set_null(column);
    return true;
}

bool RowBuilder::convert_decimal(size_t column, std::string_view text) {
    const auto& type = columns_[column].type;
    Cell& cell = cells_[column];
    if (text.empty()) {
        set_null(column);
        return true;
    }
    switch (parse_decimal(text, decimal_, type.precision, type.scale, cell.wide)) {
        case DecimalFit::ok:
            if (strict_ && has_leading_zero(text)) return refuse(column, text);
            break;
        case DecimalFit::not_a_number:
            return refuse(column, text);
        case DecimalFit::too_many_decimals:
            return refuse(
                column, text,
                "more decimals than the column keeps: give it a type in the source's columns");
        case DecimalFit::too_large:
            return refuse(column, text, "too large");
    }
    if (type.precision <= 18)
        set_number(column, static_cast<int64_t>(cell.wide));
    else
        cell.kind = Cell::Kind::wide;
    return true;
}

bool RowBuilder::convert_time(size_t column, std::string_view text) {
    if (text.empty()) {
        set_null(column);
        return true;
    }
    const RowColumn& spec = columns_[column];
    int64_t number = 0;
    bool zone = false;
    if (spec.type.kind == Kind::date) {
        if (parse_iso_date(text, number)) return set_number(column, number), true;
        if (spec.format && spec.format->parse(text, number)) {
            const int64_t days = number >= 0 ? number / kRowDayMicros
                                             : -((kRowDayMicros - 1 - number) / kRowDayMicros);
            return set_number(column, days), true;
        }
        return refuse(column, text);
    }
    if (parse_iso_timestamp(text, number, zone)) {
        if (zone && spec.type.kind == Kind::timestamp)
            return refuse(column, text, "it has a zone, the column has none");
        if (strict_ && !zone && spec.type.kind == Kind::timestamptz) return refuse(column, text);
        return set_number(column, number), true;
    }
    if (!strict_ && parse_iso_date(text, number))
        return set_number(column, number * kRowDayMicros), true;
    if (spec.format && spec.format->parse(text, number)) return set_number(column, number), true;
    return refuse(column, text);
}

/// What is rare goes by PostgreSQL's text form.
bool RowBuilder::convert_other(size_t column, std::string_view text) {
    auto value = query::parse_pg_text(columns_[column].type, text);
    if (!value.ok()) return refuse(column, text);
    values_[column] = std::move(value).value();
    cells_[column].kind = Cell::Kind::value;
    return true;
}

}  // namespace tarn::ingest
