#include "dashboards/internal/rollup.h"

#include <algorithm>

#include "base/ascii.h"
#include "dashboards/internal/names.h"

namespace tarn::dashboards {
namespace {

/// More than this and reading the groups costs what reading the rows does.
constexpr double kGroupsMax = 40'000;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
}
/// Reads an aggregate's SQL from left to right.
struct Reader {
    const std::string& sql;
    size_t at = 0;

    bool end() const { return at >= sql.size(); }
    bool comment() const { return sql.compare(at, 2, "--") == 0 || sql.compare(at, 2, "/*") == 0; }
    std::string word() {
        const size_t begin = at;
        while (!end() && is_word(sql[at])) ++at;
        return sql.substr(begin, at - begin);
    }
    char after_blanks() const {
        const size_t next = sql.find_first_not_of(" \t\r\n", at);
        return next == std::string::npos ? '\0' : sql[next];
    }
    std::string word_after_blanks() const {
        const size_t next = sql.find_first_not_of(" \t\r\n", at);
        return next == std::string::npos ? "" : Reader{sql, next}.word();
    }
    /// A text or a name from its opening quote over the closing one; a doubled quote is two of them.
    std::string quoted_text() {
        const size_t close = sql.find(sql[at], at + 1);
        const size_t begin = at;
        at = close == std::string::npos ? sql.size() : close + 1;
        return sql.substr(begin, at - begin);
    }
    /// What stands between the bracket that comes next and its partner; nullopt for more than one argument, or what this
    /// reader does not read.
    std::optional<std::string> argument() {
        at = sql.find('(', at) + 1;
        const size_t begin = at;
        for (int depth = 1; !end();) {
            const char c = sql[at];
            if (comment() || c == '$' || (c == ',' && depth == 1)) return std::nullopt;
            if (c == '\'' || c == '"') {
                quoted_text();
                continue;
            }
            if (is_letter(c)) {
                if (lower_ascii(word()) == "select") return std::nullopt;
                continue;
            }
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            ++at;
            if (depth == 0) return sql.substr(begin, at - 1 - begin);
        }
        return std::nullopt;
    }
};

std::string named(char letter, size_t i) {
    return letter + std::to_string(i);
}

size_t place_of(std::vector<std::string>& list, const std::string& sql) {
    const auto found = std::find(list.begin(), list.end(), sql);
    const auto place = static_cast<size_t>(found - list.begin());
    if (found == list.end()) list.push_back(sql);
    return place;
}

double groups_of(const Keys& keys, const std::map<std::string, double>& distinct) {
    double groups = 1;
    for (const auto& key : keys) {
        const auto known = distinct.find(key);
        if (known == distinct.end()) return kGroupsMax * 2;
        groups *= known->second;
    }
    return groups;
}

}  // namespace

std::string Rollup::key(const std::string& sql) {
    return named('k', place_of(keys_, sql));
}

std::string Rollup::partial(const std::string& sql) {
    return named('a', place_of(partials_, sql));
}

std::string Rollup::call(const std::string& function, const std::string& argument) {
    const std::string what(trim(argument, " \t\r\n"));
    if (lower_ascii(Reader{what}.word()) == "distinct") {
        const std::string value(trim(std::string_view(what).substr(8), " \t\r\n"));
        if (function != "count") give_up();
        return "count(distinct " + key(is_name(value) ? quoted_name(value) : "(" + value + ")") + ")";
    }
    if (function == "avg") {
        const std::string sum = partial("sum(" + what + ")");
        return "(sum(" + sum + ")::double / nullif(sum(" + partial("count(" + what + ")") + "), 0))";
    }
    const std::string groups = partial(function + "(" + what + ")");
    return function == "count" ? "coalesce(sum(" + groups + "), 0)::bigint" : function + "(" + groups + ")";
}

std::string Rollup::over_groups(const std::string& aggregate) {
    static const Keys kAggregates = {"avg", "count", "max", "min", "sum"};
    static const Keys kFunctions = {"abs", "cast", "ceil", "coalesce", "floor", "greatest", "least", "nullif", "round"};
    static const Keys kWords = {"and", "as", "bigint", "case", "double", "else", "end", "int", "integer", "is", "not", "null", "or", "then", "when"};
    std::string out;
    for (Reader reader{aggregate}; !reader.end() && fits_;) {
        const char c = reader.sql[reader.at];
        if (c == '\'') {
            out += reader.quoted_text();
        } else if (is_letter(c)) {
            const std::string word = lower_ascii(reader.word());
            const bool called = reader.after_blanks() == '(';
            if (called && kAggregates.contains(word)) {
                const auto argument = reader.argument();
                const std::string next = lower_ascii(reader.word_after_blanks());
                if (!argument || next == "filter" || next == "over") give_up();
                else out += call(word, *argument);
            } else if (called ? !kFunctions.contains(word) && !kWords.contains(word) : !kWords.contains(word)) {
                give_up();
            } else {
                out += word;
            }
        } else if (reader.comment() || std::string_view("\"$;[]{}?@\\").find(c) != std::string_view::npos) {
            give_up();
        } else if (c >= '0' && c <= '9') {
            out += reader.word();
        } else {
            out += c;
            ++reader.at;
        }
    }
    return out;
}

std::string Rollup::sql(const std::string& from, const std::string& where) const {
    std::string list, by;
    for (size_t i = 0; i < keys_.size(); ++i) {
        list += (list.empty() ? "" : ", ") + keys_[i] + " as " + named('k', i);
        by += (by.empty() ? " group by " : ", ") + std::to_string(i + 1);
    }
    for (size_t i = 0; i < partials_.size(); ++i)
        list += (list.empty() ? "" : ", ") + partials_[i] + " as " + named('a', i);
    return "select " + list + " from " + from + where + by;
}

std::vector<std::vector<size_t>> share_scans(const std::vector<Keys>& charts, const std::map<std::string, double>& distinct) {
    struct Shared {
        Keys keys;
        std::vector<size_t> charts;
    };
    std::vector<Shared> scans;
    for (size_t i = 0; i < charts.size(); ++i) {
        const auto same = std::find_if(scans.begin(), scans.end(), [&](const Shared& scan) { return scan.keys == charts[i]; });
        if (same == scans.end())
            scans.push_back({charts[i], {i}});
        else
            same->charts.push_back(i);
    }
    // Again and again the union that takes in the most scans; of those the one with the fewest groups.
    for (;;) {
        Keys best;
        size_t most = 1;
        double fewest = 0;
        for (size_t a = 0; a < scans.size(); ++a) {
            for (size_t b = a + 1; b < scans.size(); ++b) {
                Keys keys = scans[a].keys;
                keys.insert(scans[b].keys.begin(), scans[b].keys.end());
                const double groups = groups_of(keys, distinct);
                if (groups > kGroupsMax) continue;
                const auto within = static_cast<size_t>(std::count_if(scans.begin(), scans.end(), [&](const Shared& scan) {
                    return std::includes(keys.begin(), keys.end(), scan.keys.begin(), scan.keys.end());
                }));
                if (within < most || (within == most && groups >= fewest)) continue;
                best = std::move(keys);
                most = within;
                fewest = groups;
            }
        }
        if (most < 2) break;
        Shared together{best, {}};
        std::vector<Shared> others;
        for (auto& scan : scans) {
            if (std::includes(best.begin(), best.end(), scan.keys.begin(), scan.keys.end()))
                together.charts.insert(together.charts.end(), scan.charts.begin(), scan.charts.end());
            else
                others.push_back(std::move(scan));
        }
        others.push_back(std::move(together));
        scans = std::move(others);
    }
    std::vector<std::vector<size_t>> out;
    for (auto& scan : scans) {
        std::sort(scan.charts.begin(), scan.charts.end());
        out.push_back(std::move(scan.charts));
    }
    return out;
}

Scans share_aggregates(Scans scans, const std::vector<Keys>& charts, const std::vector<std::set<std::string>>& aggregates) {
    // How many of the chart's aggregates the other charts of a scan do not bring; all and one more: its keys are not there.
    const auto cost = [&](size_t chart, const std::vector<size_t>& scan) {
        Keys keys;
        std::set<std::string> made;
        for (const size_t other : scan) {
            if (other == chart) continue;
            keys.insert(charts[other].begin(), charts[other].end());
            made.insert(aggregates[other].begin(), aggregates[other].end());
        }
        if (!std::includes(keys.begin(), keys.end(), charts[chart].begin(), charts[chart].end())) return aggregates[chart].size() + 1;
        return static_cast<size_t>(std::count_if(aggregates[chart].begin(), aggregates[chart].end(), [&](const std::string& one) { return !made.contains(one); }));
    };
    for (size_t chart = 0; chart < charts.size(); ++chart) {
        auto* from = &scans[0];
        for (auto& scan : scans)
            if (std::find(scan.begin(), scan.end(), chart) != scan.end()) from = &scan;
        auto* to = from;
        for (auto& scan : scans)
            if (cost(chart, scan) < cost(chart, *to)) to = &scan;
        if (to == from) continue;
        std::erase(*from, chart);
        to->push_back(chart);
    }
    std::erase_if(scans, [](const std::vector<size_t>& scan) { return scan.empty(); });
    return scans;
}

}  // namespace tarn::dashboards
