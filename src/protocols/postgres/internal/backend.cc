#include "protocols/postgres/internal/backend.h"

#include <algorithm>

#include "base/bytes.h"
#include "query/pg_binary.h"

namespace tarn::postgres {
namespace {

constexpr int32_t kProtocolVersion = 3 << 16;
constexpr size_t kCopySignatureBytes = 11;

void append_text(std::string& out, std::string_view text) {
    out += text;
    out.push_back('\0');
}

void put_length(std::string& out, size_t at, size_t length) {
    for (size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
}

}  // namespace

MessageScope::MessageScope(std::string& out, char type) : out_(out), at_(out.size() + 1) {
    out_.push_back(type);
    append_be<int32_t>(out_, 0);
}

MessageScope::~MessageScope() {
    put_length(out_, at_, out_.size() - at_);
}

Format format_of(const std::vector<int16_t>& formats, size_t column) {
    if (formats.empty()) return Format::text;
    return static_cast<Format>(formats.size() == 1 ? formats[0] : formats[column]);
}

void append_empty(std::string& out, char type) {
    const MessageScope message(out, type);
}

void append_authentication(std::string& out, Authentication kind, std::string_view data) {
    const MessageScope message(out, 'R');
    append_be(out, static_cast<int32_t>(kind));
    out += data;
}

/// The whole version, not only its minor part: that is what PostgreSQL sends and libpq reads.
void append_negotiate_version(std::string& out, const std::vector<std::string>& unknown_options) {
    const MessageScope message(out, 'v');
    append_be(out, kProtocolVersion);
    append_be(out, static_cast<int32_t>(unknown_options.size()));
    for (const auto& option : unknown_options) append_text(out, option);
}

void append_parameter_status(std::string& out, std::string_view name, std::string_view value) {
    const MessageScope message(out, 'S');
    append_text(out, name);
    append_text(out, value);
}

void append_backend_key(std::string& out, int32_t process_id, std::string_view key) {
    const MessageScope message(out, 'K');
    append_be(out, process_id);
    out += key;
}

void append_ready(std::string& out, query::TransactionState state) {
    const MessageScope message(out, 'Z');
    switch (state) {
        case query::TransactionState::idle:
            out.push_back('I');
            break;
        case query::TransactionState::active:
            out.push_back('T');
            break;
        case query::TransactionState::failed:
            out.push_back('E');
            break;
    }
}

void append_row_description(std::string& out, const std::vector<query::ResultColumn>& columns,
                            const std::vector<int16_t>& formats) {
    const MessageScope message(out, 'T');
    append_be(out, static_cast<int16_t>(columns.size()));
    for (size_t i = 0; i < columns.size(); ++i) {
        append_text(out, columns[i].name);
        const auto& origin = columns[i].origin;
        const auto type = query::pg_type(columns[i].type, origin.declared);
        append_be(out, origin.relation);
        append_be(out, origin.number);
        append_be(out, type.oid);
        append_be(out, type.length);
        append_be(out, type.modifier);
        append_be(out, static_cast<int16_t>(format_of(formats, i)));
    }
}

void append_parameter_description(std::string& out, const std::vector<query::Type>& types,
                                  const std::vector<uint32_t>& declared) {
    const MessageScope message(out, 't');
    append_be(out, static_cast<int16_t>(types.size()));
    for (size_t i = 0; i < types.size(); ++i) {
        const bool known = i < declared.size() && query::type_of_pg_oid(declared[i]).has_value();
        append_be(out, known ? declared[i] : query::pg_oid(types[i]));
    }
}

Status check_formats(const query::Chunk& rows, const std::vector<int16_t>& formats) {
    for (size_t i = 0; i < rows.columns.size(); ++i)
        if (format_of(formats, i) != Format::text) TARN_CHECK_OK(query::check_pg_binary(rows.columns[i]));
    return {};
}

void append_data_row(std::string& out, const query::Chunk& rows, size_t row,
                     const std::vector<int16_t>& formats) {
    const MessageScope message(out, 'D');
    append_be(out, static_cast<int16_t>(rows.columns.size()));
    for (size_t i = 0; i < rows.columns.size(); ++i) {
        const auto& column = rows.columns[i];
        if (column.is_null(row)) {
            append_be<int32_t>(out, -1);
            continue;
        }
        const size_t at = out.size();
        append_be<int32_t>(out, 0);
        if (format_of(formats, i) == Format::text)
            column.append_pg_text(row, out);
        else
            column.append_pg_binary(row, out);
        put_length(out, at, out.size() - at - 4);
    }
}

void append_command_complete(std::string& out, std::string_view tag) {
    const MessageScope message(out, 'C');
    append_text(out, tag);
}

void append_copy_response(std::string& out, char type, query::CopyFormat format, size_t columns) {
    const MessageScope message(out, type);
    const int16_t binary = format == query::CopyFormat::binary ? 1 : 0;
    out.push_back(static_cast<char>(binary));
    append_be(out, static_cast<int16_t>(columns));
    for (size_t i = 0; i < columns; ++i) append_be(out, binary);
}

void append_copy_data(std::string& out, std::string_view bytes) {
    const MessageScope message(out, 'd');
    out += bytes;
}

void CopyRows::append(std::string& out, std::string_view piece) {
    while (!piece.empty()) {
        const size_t end = row_end(piece);
        append_copy_data(out, piece.substr(0, end));
        piece.remove_prefix(end);
        begun_ = true;
    }
}

/// Text escapes line ends in values; CSV quotes them.
size_t CopyRows::row_end(std::string_view piece) const {
    if (format_ == query::CopyFormat::binary) return tuple_end(piece);
    bool quoted = false;
    for (size_t i = 0; i < piece.size(); ++i) {
        if (piece[i] == '"' && format_ == query::CopyFormat::csv) quoted = !quoted;
        if (piece[i] == '\n' && !quoted) return i + 1;
    }
    return piece.size();
}

/// The file's head travels with the first tuple, its trailer (-1) alone.
size_t CopyRows::tuple_end(std::string_view piece) const {
    ByteReader reader(piece);
    if (!begun_ && piece.starts_with("PGCOPY\n")) {
        (void)reader.take(kCopySignatureBytes + 4);
        const auto extension = reader.take_be<int32_t>();
        if (extension) (void)reader.take(static_cast<size_t>(std::max(*extension, 0)));
    }
    const auto fields = reader.take_be<int16_t>();
    for (int i = 0; fields && i < *fields; ++i) {
        const auto size = reader.take_be<int32_t>();
        if (!size) return piece.size();
        if (*size > 0 && !reader.take(static_cast<size_t>(*size))) return piece.size();
    }
    return piece.size() - reader.left();
}

}  // namespace tarn::postgres
