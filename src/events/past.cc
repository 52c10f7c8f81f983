#include "events/internal/past.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace tarn::events {
namespace {

bool begins_word(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) {
    return begins_word(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '$';
}

/// One name, or names with dots between them.
struct Chain {
    std::vector<std::string> names;  // lower case where not quoted
    std::vector<size_t> ends;        // of each name in the text
    size_t begin = 0;
};

/// Walks over SQL text; quotes and comments hide names.
class Walker {
 public:
    explicit Walker(std::string_view sql) : sql_(sql) {}

    /// The next chain of names; nullopt at the end.
    std::optional<Chain> next() {
        while (at_ < sql_.size()) {
            if (begins_name()) return chain();
            skip_other();
        }
        return std::nullopt;
    }
    /// The character after blanks at `from`; 0 at the end.
    char char_after(size_t from) const {
        while (from < sql_.size() && std::isspace(static_cast<unsigned char>(sql_[from]))) ++from;
        return from < sql_.size() ? sql_[from] : '\0';
    }

 private:
    bool begins_name() const { return begins_word(sql_[at_]) || sql_[at_] == '"'; }

    Chain chain() {
        Chain out;
        out.begin = at_;
        while (true) {
            out.names.push_back(name());
            out.ends.push_back(at_);
            if (at_ + 1 >= sql_.size() || sql_[at_] != '.') return out;
            ++at_;
            if (!begins_name()) return out;
        }
    }
    std::string name() {
        std::string out;
        if (sql_[at_] == '"') {
            for (++at_; at_ < sql_.size(); ++at_) {
                if (sql_[at_] == '"') {
                    if (at_ + 1 >= sql_.size() || sql_[at_ + 1] != '"') break;
                    ++at_;
                }
                out.push_back(sql_[at_]);
            }
            at_ = std::min(at_ + 1, sql_.size());
            return out;
        }
        for (; at_ < sql_.size() && in_word(sql_[at_]); ++at_)
            out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(sql_[at_]))));
        return out;
    }
    void skip_to(std::string_view end) {
        const size_t found = sql_.find(end, at_);
        at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
    }
    void skip_other() {
        const auto rest = sql_.substr(at_);
        if (rest.starts_with("--")) return skip_to("\n");
        if (rest.starts_with("/*")) return skip_to("*/");
        if (rest.front() == '\'') {
            ++at_;
            return skip_to("'");  // a doubled quote begins the next text at once
        }
        if (rest.front() == '$') {
            const size_t end = rest.find('$', 1);
            const bool tag =
                end != std::string_view::npos &&
                std::all_of(rest.begin() + 1, rest.begin() + static_cast<long>(end), in_word);
            if (tag && !std::isdigit(static_cast<unsigned char>(rest[1]))) {
                at_ += end + 1;
                return skip_to(rest.substr(0, end + 1));
            }
        }
        if (std::isdigit(static_cast<unsigned char>(rest.front()))) {
            while (at_ < sql_.size() && (in_word(sql_[at_]) || sql_[at_] == '.')) ++at_;
            return;
        }
        ++at_;
        // ".name" after something that is no name is a field: not a table.
        if (rest.front() == '.' && at_ < sql_.size() && begins_name()) name();
    }

    const std::string_view sql_;
    size_t at_ = 0;
};

/// How many leading names of the chain name the table: 1 to 3; nullopt: it names none of them.
std::optional<size_t> names_table(const Chain& chain, const PastState& tables,
                                  flows::TableRef& found) {
    const auto& names = chain.names;
    const auto is = [&](const std::string& database, const std::string& table) {
        found = {database, table};
        return tables.contains(found);
    };
    if (names.size() >= 3 && names[0] == "lake" && is(names[1], names[2])) return 3;
    if (names.size() >= 2 && is(names[0], names[1])) return 2;
    if (is("main", names[0])) return 1;
    return std::nullopt;
}

std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

/// The word's value at `at`, for a word that reads the clock.
std::optional<std::string> clock_word(const std::string& word, bool called, Timestamp at) {
    const std::string text = format_iso8601(at);
    const std::string zoned =
        "(TIMESTAMPTZ '" + text.substr(0, 10) + " " + text.substr(11, 12) + "+00')";
    if (called &&
        (word == "now" || word == "get_current_timestamp" || word == "transaction_timestamp"))
        return zoned;
    if (called && (word == "today" || word == "current_date")) return "(" + zoned + "::DATE)";
    if (called) return std::nullopt;
    if (word == "current_timestamp") return zoned;
    if (word == "current_date") return "(" + zoned + "::DATE)";
    if (word == "localtimestamp") return "(" + zoned + "::TIMESTAMP)";
    return std::nullopt;
}

}  // namespace

std::set<flows::TableRef> tables_named(std::string_view sql, const PastState& inputs) {
    std::set<flows::TableRef> out;
    Walker walker(sql);
    while (const auto chain = walker.next()) {
        flows::TableRef found;
        if (names_table(*chain, inputs, found)) out.insert(found);
    }
    return out;
}

Result<std::string> sql_of_the_past(std::string_view sql, const PastState& tables, Timestamp at) {
    std::set<std::string> names;
    std::string with;
    for (const auto& [table, snapshot] : tables) {
        if (!names.insert(table.table).second)
            return Error(Code::invalid_argument,
                         "two tables named " + table.table +
                             " are read: their past can't be told apart yet");
        with += with.empty() ? "WITH " : ", ";
        with += quoted(table.table) + " AS (SELECT * FROM " + quoted(table.database) + "." +
                quoted(table.table);
        with += snapshot ? " AT (VERSION => " + std::to_string(*snapshot) + "))" : " WHERE false)";
    }
    std::string text;
    size_t copied = 0;
    Walker walker(sql);
    while (const auto chain = walker.next()) {
        flows::TableRef table;
        const char after = walker.char_after(chain->ends.back());
        size_t end = 0;
        std::string replacement;
        if (const auto count = names_table(*chain, tables, table); count && *count > 1) {
            end = chain->ends[*count - 1];
            replacement = quoted(table.table);
        } else if (chain->names.size() == 1) {
            const bool called = after == '(';
            const auto clock = clock_word(chain->names[0], called, at);
            if (!clock) continue;
            end = chain->ends[0];
            if (called) {
                end = sql.find(')', end);
                if (end == std::string_view::npos) continue;
                ++end;
            }
            replacement = *clock;
        } else {
            continue;
        }
        text += std::string(sql.substr(copied, chain->begin - copied)) + replacement;
        copied = end;
    }
    text += sql.substr(copied);
    while (!text.empty() &&
           (std::isspace(static_cast<unsigned char>(text.back())) || text.back() == ';'))
        text.pop_back();
    // A line of its own: the text may end in a comment.
    return with + " SELECT * FROM (" + text + "\n) AS past";
}

}  // namespace tarn::events
