// https://www.postgresql.org/docs/15/functions-string.html#FUNCTIONS-STRING-FORMAT
#include "query/internal/pg_catalog/quoting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/functions.h"
#include "query/internal/pg_catalog/keywords.h"
#include "query/internal/scalar_rows.h"
#include "query/internal/services.h"

namespace tarn::query {

namespace {

using duck::LogicalType;
using duck::LogicalTypeId;

Error misformed(std::string message) {
    return {Code::invalid_argument, std::move(message), "22023"};
}

bool is_key_word(const std::string& name) {
    static const auto kWords = [] {
        std::set<std::string> all;
        for (const char* words : {kColumnNameWords, kReservedWords, kTypeOrFunctionWords})
            for (const auto& word : duck::StringUtil::Split(words, ' ')) all.insert(word);
        return all;
    }();
    return kWords.contains(name);
}

std::string quoted_identifier(const std::string& name) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    const bool safe = !name.empty() && plain(name[0]) &&
                      std::all_of(name.begin(), name.end(),
                                  [&](char c) { return plain(c) || (c >= '0' && c <= '9'); });
    if (safe && !is_key_word(name)) return name;
    std::string out = "\"";
    for (const char c : name) out.append(c == '"' ? 2 : 1, c);
    return out += '"';
}

std::string quoted_value(const std::string& text) {
    std::string out = text.find('\\') == std::string::npos ? "'" : "E'";
    for (const char c : text) out.append(c == '\'' || c == '\\' ? 2 : 1, c);
    return out += '\'';
}

/// As PostgreSQL writes a value.
std::string text_at(const ScalarRows& rows, size_t column, duck::idx_t row) {
    if (rows.type(column).InternalType() == duck::PhysicalType::VARCHAR &&
        rows.type(column).id() == LogicalTypeId::VARCHAR)
        return std::string(rows.text(column, row));
    std::string out;
    append_pg_text(type_from_duck(rows.type(column)), value_from_duck(rows.value(column, row)),
                   out);
    return out;
}

/// One row's format(pattern, arguments).
class Formatting {
 public:
    /// `bytes`: what this call has written; one call's texts are bounded (large_values.cc).
    Formatting(const ScalarRows& rows, duck::idx_t row, size_t& bytes)
        : rows_(rows), row_(row), pattern_(rows.text(0, row)), bytes_(bytes) {}

    std::string format() {
        while (at_ < pattern_.size()) {
            const char c = pattern_[at_++];
            if (c != '%') {
                out_ += c;
                continue;
            }
            if (peek() == '%') {
                out_ += pattern_[at_++];
                continue;
            }
            specifier();
        }
        // DuckDB's own format(), which this one is not.
        if (next_ == 1 && rows_.columns() > 1 && pattern_.find("{}") != std::string_view::npos)
            throw_error(misformed("format() takes PostgreSQL's specifiers: %s in the place of {}"));
        return std::move(out_);
    }

 private:
    char peek() const {
        if (at_ < pattern_.size()) return pattern_[at_];
        throw_error(misformed("unterminated format() type specifier"));
    }
    std::optional<size_t> number() {
        size_t value = 0;
        const char* begin = pattern_.data() + at_;
        const auto [end, problem] =
            std::from_chars(begin, pattern_.data() + pattern_.size(), value);
        if (problem == std::errc::result_out_of_range || value > INT32_MAX)
            throw_error({Code::out_of_range, "number is out of range", "22003"});
        if (problem != std::errc()) return std::nullopt;
        at_ += static_cast<size_t>(end - begin);
        return value;
    }
    size_t argument(std::optional<size_t> position) {
        if (position && *position == 0)
            throw_error(
                misformed("format specifies argument 0, but arguments are numbered from 1"));
        const size_t column = position ? *position : next_;
        if (column >= rows_.columns()) throw_error(misformed("too few arguments for format()"));
        next_ = column + 1;
        return column;
    }
    /// n$, if that is what stands here.
    std::optional<size_t> position() {
        const size_t begun = at_;
        const auto found = number();
        if (found && peek() == '$') {
            ++at_;
            return found;
        }
        at_ = begun;
        return std::nullopt;
    }

    void specifier() {
        const auto which = position();
        bool left = false;
        for (; peek() == '-'; ++at_) left = true;
        const int64_t width = width_of();
        const char kind = peek();
        ++at_;
        if (kind != 's' && kind != 'I' && kind != 'L')
            throw_error(
                misformed(fmt::format("unrecognized format() type specifier \"{}\"", kind)));
        put(value(kind, argument(which)), static_cast<size_t>(std::abs(width)), left || width < 0);
    }

    int64_t width_of() {
        if (peek() != '*') return static_cast<int64_t>(number().value_or(0));
        ++at_;
        const size_t column = argument(position());
        if (rows_.is_null(column, row_)) return 0;
        const auto given = rows_.value(column, row_).DefaultCastAs(LogicalType::INTEGER);
        return given.GetValueUnsafe<int32_t>();
    }

    std::string value(char kind, size_t column) {
        const bool null = rows_.is_null(column, row_);
        if (kind == 'L') return null ? "NULL" : quoted_value(text_at(rows_, column, row_));
        if (null && kind == 'I')
            throw_error({Code::invalid_argument,
                         "null values cannot be formatted as an SQL identifier", "22004"});
        if (null) return "";
        const std::string text = text_at(rows_, column, row_);
        return kind == 'I' ? quoted_identifier(text) : text;
    }

    void put(const std::string& text, size_t width, bool left) {
        constexpr size_t kBytesMax = 256 << 20;
        bytes_ += text.size() + width;
        if (bytes_ > kBytesMax)
            throw_error(
                {Code::out_of_range, "format(): these texts are too much at once", "54000"});
        const auto characters = static_cast<size_t>(
            std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
        const size_t blanks = width > characters ? width - characters : 0;
        if (!left) out_.append(blanks, ' ');
        out_ += text;
        if (left) out_.append(blanks, ' ');
    }

    const ScalarRows& rows_;
    const duck::idx_t row_;
    const std::string_view pattern_;
    size_t at_ = 0;
    size_t next_ = 1;  // the argument that comes next
    size_t& bytes_;
    std::string out_;
};

void format(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    size_t bytes = 0;
    rows.fill<duck::string_t>(
        result,
        [&](duck::idx_t row) -> std::optional<duck::string_t> {
            if (rows.is_null(0, row)) return std::nullopt;
            return duck::StringVector::AddString(result, Formatting(rows, row, bytes).format());
        },
        true);
}

void quote_identifier(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    rows.fill<duck::string_t>(result, [&](duck::idx_t row) {
        return duck::StringVector::AddString(result,
                                             quoted_identifier(std::string(rows.text(0, row))));
    });
}

template <bool Nullable>
void quote_value(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    rows.fill<duck::string_t>(
        result,
        [&](duck::idx_t row) -> std::optional<duck::string_t> {
            if (rows.is_null(0, row))
                return Nullable ? std::optional(duck::StringVector::AddString(result, "NULL"))
                                : std::nullopt;
            const bool boolean = rows.type(0).id() == LogicalTypeId::BOOLEAN;  // as text, not shown
            return duck::StringVector::AddString(
                result, quoted_value(boolean ? (rows.at<bool>(0, row) ? "true" : "false")
                                             : text_at(rows, 0, row)));
        },
        true);
}

void add_text_function(duck::ClientContext& context, duck::Catalog& system, const char* name,
                       LogicalType argument, duck::scalar_function_t run, bool more = false) {
    duck::ScalarFunction function(name, {std::move(argument)}, LogicalType::VARCHAR,
                                  std::move(run));
    if (more) function.varargs = LogicalType::ANY;
    function.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
    function.SetFallible();
    put_functions(context, system, duck::ScalarFunctionSet(std::move(function)));
}

}  // namespace

void add_quoting_functions(duck::ClientContext& context, duck::Catalog& system) {
    add_text_function(context, system, "format", LogicalType::VARCHAR, format, true);
    add_text_function(context, system, "quote_ident", LogicalType::VARCHAR, quote_identifier);
    add_text_function(context, system, "quote_literal", LogicalType::ANY, quote_value<false>);
    add_text_function(context, system, "quote_nullable", LogicalType::ANY, quote_value<true>);
}

}  // namespace tarn::query
