// COPY's text, CSV and binary forms (PostgreSQL: COPY, "File Formats").
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "query/internal/copy.h"
#include "query/jsonb.h"

namespace tarn::query {

namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr size_t kLineBytesMax = 64u << 20;

Error bad_format(const std::string& what) {
    return {Code::invalid_argument, what, "22P04"};
}

std::string unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        switch (c) {
            case 'b':
                out += '\b';
                break;
            case 'f':
                out += '\f';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 't':
                out += '\t';
                break;
            case 'v':
                out += '\v';
                break;
            case 'x': {
                int value = 0;
                size_t digits = 0;
                while (digits < 2 && i + 1 < text.size() &&
                       isxdigit(static_cast<unsigned char>(text[i + 1]))) {
                    const char d = static_cast<char>(text[++i] | 32);
                    value = value * 16 + (d >= 'a' ? d - 'a' + 10 : d - '0');
                    ++digits;
                }
                out += digits == 0 ? 'x' : static_cast<char>(value);
                break;
            }
            default:
                if (c >= '0' && c <= '7') {
                    int value = c - '0';
                    for (int digits = 1; digits < 3 && i + 1 < text.size() && text[i + 1] >= '0' &&
                                         text[i + 1] <= '7';
                         ++digits)
                        value = value * 8 + (text[++i] - '0');
                    out += static_cast<char>(value);
                } else {
                    out += c;
                }
        }
    }
    return out;
}

void append_escaped(std::string_view text, char delimiter, std::string& out) {
    for (char c : text) {
        switch (c) {
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\v':
                out += "\\v";
                break;
            case '\\':
                out += "\\\\";
                break;
            default:
                if (c == delimiter) out += '\\';
                out += c;
        }
    }
}

void append_csv(const CopySpec& spec, std::string_view text, bool forced, std::string& out) {
    const char specials[] = {spec.delimiter, spec.quote, '\n', '\r'};
    const bool quote = forced || text == spec.null_text || text == "\\." ||
                       text.find_first_of(std::string_view(specials, 4)) != std::string_view::npos;
    if (!quote) {
        out += text;
        return;
    }
    out += spec.quote;
    for (char c : text) {
        if (c == spec.quote || c == spec.escape) out += spec.escape;
        out += c;
    }
    out += spec.quote;
}

}  // namespace

Error CopyReader::at_line(Error error) const {
    error.message += fmt::format(" (COPY, line {})", line_);
    return error;
}

Status CopyReader::append_field(size_t column, std::optional<std::string_view> text, Chunk& out) {
    if (!text) {
        out.columns[column].append_null();
        return {};
    }
    return append_value(column, parse_pg_text(types_[column], *text), out);
}

Status CopyReader::append_value(size_t column, Result<Value> value, Chunk& out) {
    if (!value.ok()) return at_line(std::move(value).error());
    if (types_[column].kind == Kind::json &&
        !nlohmann::json::accept(std::get<std::string>(value->of)))
        return at_line({Code::invalid_argument, "invalid input syntax for type json", "22P02"});
    if (types_[column].kind == Kind::jsonb) {
        auto& text = std::get<std::string>(value->of);
        const auto json = parse_jsonb(text);
        if (!json.ok()) return at_line(json.error());
        text = format_jsonb(*json);
    }
    out.columns[column].append(std::move(value).value());
    return {};
}

Status CopyReader::take_line(std::string_view line, Chunk& out) {
    if (line == "\\.") {
        ended_ = true;
        return {};
    }
    size_t column = 0;
    size_t begin = 0;
    while (true) {
        size_t end = begin;
        while (end < line.size() && line[end] != spec_.delimiter) end += line[end] == '\\' ? 2 : 1;
        end = std::min(end, line.size());
        if (column == types_.size())
            return at_line(bad_format("extra data after last expected column"));
        const std::string_view field = line.substr(begin, end - begin);
        if (field == spec_.null_text)
            TARN_CHECK_OK(append_field(column, std::nullopt, out));
        else
            TARN_CHECK_OK(append_field(column, unescape(field), out));
        ++column;
        if (end == line.size()) break;
        begin = end + 1;
    }
    if (column < types_.size()) return at_line(bad_format("missing data for a column"));
    return {};
}

Status CopyReader::take_csv(std::string_view line, Chunk& out) {
    if (line == "\\.") {
        ended_ = true;
        return {};
    }
    size_t column = 0;
    size_t at = 0;
    while (true) {
        std::string field;
        bool was_quoted = false;
        while (at < line.size() && line[at] != spec_.delimiter) {
            if (line[at] != spec_.quote) {
                field += line[at++];
                continue;
            }
            was_quoted = true;
            ++at;
            while (true) {
                if (at >= line.size()) return at_line(bad_format("unterminated CSV quoted field"));
                if (line[at] == spec_.escape && at + 1 < line.size() &&
                    (line[at + 1] == spec_.quote || line[at + 1] == spec_.escape)) {
                    field += line[at + 1];
                    at += 2;
                } else if (line[at] == spec_.quote) {
                    ++at;
                    break;
                } else {
                    field += line[at++];
                }
            }
        }
        if (column == types_.size())
            return at_line(bad_format("extra data after last expected column"));
        if (!was_quoted && field == spec_.null_text)
            TARN_CHECK_OK(append_field(column, std::nullopt, out));
        else
            TARN_CHECK_OK(append_field(column, field, out));
        ++column;
        if (at >= line.size()) break;
        ++at;
    }
    if (column < types_.size()) return at_line(bad_format("missing data for a column"));
    return {};
}

size_t CopyReader::line_end(size_t from) const {
    if (spec_.format == CopyFormat::text) return buffer_.find('\n', from);
    bool in_quotes = false;
    for (size_t i = from; i < buffer_.size(); ++i) {
        const char c = buffer_[i];
        if (in_quotes && c == spec_.escape && spec_.escape != spec_.quote)
            ++i;
        else if (c == spec_.quote)
            in_quotes = !in_quotes;
        else if (c == '\n' && !in_quotes)
            return i;
    }
    return std::string::npos;
}

Status CopyReader::take_lines(bool last, Chunk& out) {
    size_t begin = 0;
    while (begin < buffer_.size() && !ended_) {
        size_t end = line_end(begin);
        if (end == std::string::npos) {
            if (!last) break;
            end = buffer_.size();
        }
        std::string_view line = std::string_view(buffer_).substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        begin = std::min(end + 1, buffer_.size());
        ++line_;
        if (spec_.header && !header_seen_) {
            header_seen_ = true;
            continue;
        }
        TARN_CHECK_OK(spec_.format == CopyFormat::csv ? take_csv(line, out) : take_line(line, out));
    }
    buffer_.erase(0, begin);
    if (ended_) buffer_.clear();
    if (buffer_.size() > kLineBytesMax) return at_line(bad_format("a line is too long"));
    return {};
}

Status CopyReader::take_tuples(Chunk& out) {
    ByteReader in(buffer_);
    if (!signature_seen_) {
        if (in.left() < kSignature.size() + 8) return {};
        const bool right = *in.take(kSignature.size()) == kSignature;
        const auto flags = in.take_be<uint32_t>();
        const auto extension = in.take_be<uint32_t>();
        if (!right) return bad_format("COPY file signature not recognized");
        if (*flags != 0 || *extension != 0)
            return bad_format("unrecognized critical flags in COPY file header");
        signature_seen_ = true;
        buffer_.erase(0, buffer_.size() - in.left());
        in = ByteReader(buffer_);
    }
    while (!ended_) {
        ByteReader row = in;
        const auto count = row.take_be<int16_t>();
        if (!count) break;
        if (*count == -1) {
            ended_ = true;
            break;
        }
        if (static_cast<size_t>(*count) != types_.size())
            return at_line(bad_format(
                fmt::format("row field count is {}, expected {}", *count, types_.size())));
        std::vector<std::optional<std::string_view>> fields;
        bool complete = true;
        for (int16_t i = 0; i < *count && complete; ++i) {
            const auto length = row.take_be<int32_t>();
            if (!length) {
                complete = false;
            } else if (*length < 0) {
                fields.emplace_back();
            } else {
                if (static_cast<size_t>(*length) > kLineBytesMax)
                    return at_line(bad_format("a field is too long"));
                const auto bytes = row.take(static_cast<size_t>(*length));
                complete = bytes.has_value();
                fields.push_back(bytes);
            }
        }
        if (!complete) break;
        ++line_;
        for (size_t i = 0; i < fields.size(); ++i) {
            if (!fields[i]) {
                out.columns[i].append_null();
                continue;
            }
            TARN_CHECK_OK(append_value(i, parse_pg_binary(types_[i], *fields[i]), out));
        }
        in = row;
    }
    buffer_.erase(0, buffer_.size() - in.left());
    return {};
}

Status CopyReader::push(std::string_view bytes, Chunk& out) {
    if (ended_) return {};
    buffer_.append(bytes);
    return spec_.format == CopyFormat::binary ? take_tuples(out) : take_lines(false, out);
}

Status CopyReader::finish(Chunk& out) {
    if (spec_.format != CopyFormat::binary) return take_lines(true, out);
    if (!buffer_.empty() && !ended_) return bad_format("unexpected EOF in COPY data");
    return {};
}

void append_copy_header(const CopySpec& spec, const std::vector<ResultColumn>& columns,
                        std::string& out) {
    for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += spec.delimiter;
        if (spec.format == CopyFormat::csv)
            append_csv(spec, columns[i].name, false, out);
        else
            append_escaped(columns[i].name, spec.delimiter, out);
    }
    out += '\n';
}

void append_copy_rows(const CopySpec& spec, const std::vector<ResultColumn>& columns,
                      const Chunk& rows, std::string& out) {
    std::string field;
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (spec.format == CopyFormat::binary) append_be(out, static_cast<int16_t>(columns.size()));
        for (size_t i = 0; i < columns.size(); ++i) {
            const Column& column = rows.columns[i];
            if (spec.format == CopyFormat::binary) {
                if (column.is_null(row)) {
                    append_be(out, int32_t{-1});
                    continue;
                }
                field.clear();
                column.append_pg_binary(row, field);
                append_be(out, static_cast<int32_t>(field.size()));
                out += field;
                continue;
            }
            if (i > 0) out += spec.delimiter;
            if (column.is_null(row)) {
                out += spec.null_text;
                continue;
            }
            field.clear();
            column.append_pg_text(row, field);
            if (spec.format == CopyFormat::text) {
                append_escaped(field, spec.delimiter, out);
            } else {
                const bool forced = spec.force_quote_all ||
                                    std::find(spec.force_quote.begin(), spec.force_quote.end(),
                                              columns[i].name) != spec.force_quote.end();
                append_csv(spec, field, forced, out);
            }
        }
        if (spec.format != CopyFormat::binary) out += '\n';
    }
}

}  // namespace tarn::query
