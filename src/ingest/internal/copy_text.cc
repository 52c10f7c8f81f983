#include "ingest/internal/copy_text.h"

#include <fmt/format.h>

#include <cstring>

#include "ingest/internal/utf8.h"

namespace tarn::ingest {

using query::Kind;

CopyTextDecoder::CopyTextDecoder(std::vector<ColumnSpec> columns) : columns_(std::move(columns)) {
    for (const auto& column : columns_) readers_.emplace_back(column);
}

query::Chunk CopyTextDecoder::make_chunk(size_t rows) const {
    query::Chunk chunk;
    for (const auto& column : columns_) {
        chunk.columns.emplace_back(column.type);
        chunk.columns.back().reserve(rows);
    }
    return chunk;
}

Status CopyTextDecoder::decode(std::string_view row, query::Chunk& into) {
    if (row.ends_with('\n')) row.remove_suffix(1);
    const bool escapes = std::memchr(row.data(), '\\', row.size()) != nullptr;
    for (size_t i = 0; i < columns_.size(); ++i) {
        const auto* tab = static_cast<const char*>(std::memchr(row.data(), '\t', row.size()));
        const bool last = i + 1 == columns_.size();
        if (last != (tab == nullptr))
            return Error(Code::corrupted,
                         fmt::format("a row has {} than {} fields: the table was changed while it "
                                     "was read; it will be read again",
                                     last ? "more" : "fewer", columns_.size()));
        std::string_view field =
            row.substr(0, last ? row.size() : static_cast<size_t>(tab - row.data()));
        if (!last) row.remove_prefix(field.size() + 1);
        auto& column = into.columns[i];
        if (escapes && field == "\\N") {
            column.append_null();
            continue;
        }
        if (escapes && field.find('\\') != std::string_view::npos) {
            TARN_TRY(plain, unescape(i, field));
            field = plain;
        }
        TARN_CHECK_OK(readers_[i].read(field, column));
        if (!utf8_trusted_ && columns_[i].type.kind == Kind::text && !is_utf8(field))
            return Error(Code::invalid_argument,
                         fmt::format("column {}: a text is not UTF-8, and the database does not "
                                     "know its own encoding (SQL_ASCII)",
                                     columns_[i].name));
    }
    return ok_status();
}

Result<std::string_view> CopyTextDecoder::unescape(size_t column, std::string_view field) {
    scratch_.clear();
    for (size_t i = 0; i < field.size(); ++i) {
        if (field[i] != '\\') {
            scratch_.push_back(field[i]);
            continue;
        }
        if (++i == field.size())
            return Error(Code::corrupted,
                         fmt::format("column {}: a row ends in the middle of an escape",
                                     columns_[column].name));
        static constexpr std::string_view kLetters = "bfnrtv", kBytes = "\b\f\n\r\t\v";
        const size_t letter = kLetters.find(field[i]);
        // The server only sends these and the backslash itself.
        scratch_.push_back(letter == std::string_view::npos ? field[i] : kBytes[letter]);
    }
    return std::string_view(scratch_);
}

}  // namespace tarn::ingest
