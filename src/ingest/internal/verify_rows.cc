#include "ingest/internal/verify_rows.h"

#include "base/bytes.h"
#include "codec/hash.h"

namespace tarn::ingest {

namespace {

constexpr size_t kKeyTextMax = 200;

void append_part(const query::Column& column, size_t row, std::string& out) {
    std::string part;
    const bool null = column.is_null(row);
    if (!null) column.append_pg_binary(row, part);
    append_le(out, static_cast<uint32_t>(null ? UINT32_MAX : part.size()));
    out += part;
}

}  // namespace

std::string verify_key(const VerifiedColumns& of, const query::Chunk& rows, size_t row) {
    std::string key;
    for (const size_t place : of.key) append_part(rows.columns[place], row, key);
    return key;
}

std::string verify_digest(const query::Chunk& rows, size_t row) {
    std::string bytes;
    for (const auto& column : rows.columns) append_part(column, row, bytes);
    return codec::md5(bytes);
}

std::vector<std::string> key_texts(const VerifiedColumns& of, std::string_view key) {
    std::vector<std::string> texts;
    for (const size_t place : of.key) {
        const auto size = load_le<uint32_t>(key.data());
        key.remove_prefix(4);
        std::string text;
        if (size != UINT32_MAX) {
            const auto value = query::parse_pg_binary(of.columns[place].type, key.substr(0, size));
            if (value.ok()) text = query::pg_text(of.columns[place].type, *value);
            key.remove_prefix(size);
        }
        texts.push_back(std::move(text));
    }
    return texts;
}

std::string shown_key(const VerifiedColumns& of, std::string_view key) {
    std::string out;
    const auto texts = key_texts(of, key);
    for (size_t i = 0; i < texts.size(); ++i)
        out += (i == 0 ? "" : ", ") + of.columns[of.key[i]].name + "=" + texts[i];
    if (out.size() <= kKeyTextMax) return out;
    size_t end = kKeyTextMax;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
    return out.substr(0, end) + "...";
}

}  // namespace tarn::ingest
