#include "flows/internal/checks.h"

#include <regex>

#include "query/work.h"

namespace tarn::flows {

namespace {

using query::Session;

constexpr size_t kExamplesMax = 3;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + quoted(name);
    return text;
}

std::string pg(const query::Chunk& rows, size_t column, size_t row = 0) {
    if (rows.columns[column].is_null(row)) return "NULL";
    std::string text;
    rows.columns[column].append_pg_text(row, text);
    return text;
}

uint64_t number(const query::Chunk& rows, size_t column) {
    return rows.columns[column].is_null(0) ? 0
                                           : static_cast<uint64_t>(rows.columns[column].number(0));
}

Error failed(const Check& check, const std::string& seen) {
    return {Code::precondition_failed, "check \"" + check.expression + "\" failed: " + seen,
            "check_failed"};
}

/// One run's checks, in turn.
class Checker {
 public:
    explicit Checker(const CheckContext& context) : on_(context), session_(context.session) {}

    Status run(const ParsedCheck& check) {
        switch (check.kind) {
            case ParsedCheck::Kind::unique:
                return unique(check);
            case ParsedCheck::Kind::newest:
                return newest(check);
            case ParsedCheck::Kind::expression:
                break;
        }
        TARN_TRY(of_rows, is_of_rows(check.check.expression));
        return of_rows ? rows(check) : whole(check);
    }
    CheckResult result;

 private:
    /// Notes what failed as its consequence says; an error ends the run.
    Status fail(const Check& check, const std::string& seen) {
        if (check.consequence == Consequence::stop) return failed(check, seen);
        result.warnings.push_back("check \"" + check.expression + "\": " + seen);
        return {};
    }

    /// An expression that may stand in WHERE is one of rows; one with aggregates is of the table.
    Result<bool> is_of_rows(const std::string& expression) {
        if (const auto known = on_.kinds.find(expression); known != on_.kinds.end())
            return known->second;
        std::string row;
        for (const auto& column : on_.columns)
            row += (row.empty() ? "" : ", ") +
                   ("cast(null as " + query::sql_name(column.type) + ") as ") + quoted(column.name);
        const std::string from = " from (select " + row + ") as " + quoted(on_.table.table);
        // Not in the run's own session: an error would end its transaction.
        TARN_TRY(aside, on_.engine.connect(on_.system, on_.table.database));
        const auto as_row = aside->prepare("select 1" + from + " where (" + expression + "\n)", {});
        if (as_row.ok()) return on_.kinds[expression] = true;
        if (aside->prepare("select (" + expression + "\n)" + from, {}).ok())
            return on_.kinds[expression] = false;
        return Error{Code::invalid_argument,
                     "check \"" + expression + "\": " + as_row.error().message,
                     as_row.error().reason};
    }

    Result<query::Chunk> ask(const std::string& sql) { return session_.query(sql); }

    /// The new rows for which `bad` holds go to the rejected table, the others stay.
    Status set_aside(const ParsedCheck& check, const std::string& bad, uint64_t rows,
                     const std::vector<tables::ScanTask>& own) {
        const TableRef rejected = rejected_table(on_.table);
        const std::string from =
            " from " + quoted(on_.table) + " as " + quoted(on_.table.table) + " where ";
        std::string mine = "true";
        if (!own.empty()) {
            mine.clear();
            for (const auto& task : own)
                mine += (mine.empty() ? "_file in (" : ", ") + literal(task.file->path);
            mine += ")";
        }
        std::string names, object;
        for (const auto& column : on_.columns) {
            names += (names.empty() ? "" : ", ") + quoted(column.name);
            object +=
                (object.empty() ? "" : ", ") + literal(column.name) + ", " + quoted(column.name);
        }
        TARN_CHECK_OK(session_.run("create table if not exists " + quoted(rejected) +
                                   " (rejected_at timestamptz, reason varchar, \"row\" varchar)"));
        TARN_CHECK_OK(session_.run("insert into " + quoted(rejected) + " select make_timestamptz(" +
                                   std::to_string(on_.now.micros) + "), " +
                                   literal(check.check.expression) + ", json_object(" + object +
                                   ")::varchar" + from + mine + " and (" + bad + ")"));
        TARN_CHECK_OK(session_.run("insert into " + quoted(on_.table) + " select " + names + from +
                                   mine + " and (" + bad + ") is not true"));
        result.rows_set_aside += rows;
        return query::forget_files(session_, on_.table.database, on_.table.table, own);
    }

    Status rows(const ParsedCheck& check) {
        TARN_TRY(own, query::own_files(session_, on_.table.database, on_.table.table));
        if (own.empty()) return {};
        TARN_CHECK_OK(query::read_only_files(session_, on_.table.database, on_.table.table, own));
        const std::string bad = "(" + check.check.expression + "\n) is false";
        const std::string from = " from " + quoted(on_.table) + " as " + quoted(on_.table.table);
        TARN_TRY(counts, ask("select count(*) filter (where " + bad + "), count(*)" + from));
        const uint64_t count = number(counts, 0);
        if (count > 0 && check.check.consequence == Consequence::set_aside) {
            TARN_CHECK_OK(set_aside(check, bad, count, own));
        } else if (count > 0) {
            TARN_TRY(examples,
                     ask("select to_json(" + quoted(on_.table.table) + ")::varchar" + from +
                         " where " + bad + " limit " + std::to_string(kExamplesMax)));
            std::string seen = std::to_string(count) + " of " + std::to_string(number(counts, 1)) +
                               " rows, such as ";
            for (size_t i = 0; i < examples.rows(); ++i)
                seen += (i == 0 ? "" : ", ") + pg(examples, 0, i);
            TARN_CHECK_OK(fail(check.check, seen));
        }
        return query::read_only_files(session_, on_.table.database, on_.table.table, std::nullopt);
    }

    Status unique(const ParsedCheck& check) {
        TARN_TRY(own, query::own_files(session_, on_.table.database, on_.table.table));
        if (own.empty()) return {};
        std::string files;
        for (const auto& task : own)
            files += (files.empty() ? "" : ", ") + literal(task.file->path);
        const std::string key = joined(check.columns);
        std::string relevant = " where true";
        for (const auto& column : check.columns)
            relevant += " and " + quoted(column) + " is not null";
        // Of old rows only those whose key came again matter.
        if (!on_.all_rows_new)
            relevant += " and (" + key + ") in (select (" + key + ") from " + quoted(on_.table) +
                        " where _file in (" + files + "))";
        TARN_TRY(twice, ask("select count(*), min(k) from (select json_array(" + key +
                            ")::varchar as k from " + quoted(on_.table) + relevant + " group by " +
                            key + " having count(*) > 1)"));
        const uint64_t count = number(twice, 0);
        if (count == 0) return {};
        if (check.check.consequence != Consequence::set_aside)
            return fail(check.check,
                        std::to_string(count) + " keys more than once, such as " + pg(twice, 1));
        // Rows that were there before stay; of new ones the first stays.
        const std::string bad =
            "(_file, _pos) in (select (f, p) from (select _file as f, _pos as p, row_number() over "
            "(partition by " +
            key + " order by _file in (" + files + "), _file, _pos) as n from " +
            quoted(on_.table) + relevant + ") where n > 1)";
        TARN_TRY(rows, ask("select count(*) from " + quoted(on_.table) + " where _file in (" +
                           files + ") and " + bad));
        return set_aside(check, bad, number(rows, 0), own);
    }

    Status newest(const ParsedCheck& check) {
        const std::string column = quoted(check.column);
        const std::string since =
            "make_timestamptz(" + std::to_string(on_.now.plus(-check.within).micros) + ")";
        const std::string sql = "select (max(" + column + ")::timestamptz >= " + since +
                                ") is not true, max(" + column + ")::varchar from " +
                                quoted(on_.table);
        // The new rows alone mostly settle it.
        TARN_TRY(own, query::own_files(session_, on_.table.database, on_.table.table));
        TARN_CHECK_OK(query::read_only_files(session_, on_.table.database, on_.table.table, own));
        TARN_TRY(quick, ask(sql));
        TARN_CHECK_OK(
            query::read_only_files(session_, on_.table.database, on_.table.table, std::nullopt));
        if (number(quick, 0) == 0) return {};
        TARN_TRY(rows, ask(sql));
        if (number(rows, 0) == 0) return {};
        return fail(check.check,
                    "the newest is " + pg(rows, 1) + ", and it is " + format_iso8601(on_.now));
    }

    Status whole(const ParsedCheck& check) {
        const std::string& expression = check.check.expression;
        if (check.check.consequence == Consequence::set_aside)
            return Error{Code::invalid_argument,
                         "check \"" + expression +
                             "\" is about the whole table: set_aside takes a condition on each "
                             "row; use stop or warn"};
        TARN_TRY(sides, query::split_comparison(expression));
        const std::string from = " from " + quoted(on_.table) + " as " + quoted(on_.table.table);
        std::string select = "select (" + expression + "\n) is false";
        if (sides) select += ", (" + sides->left + ")::varchar, (" + sides->right + ")::varchar";
        TARN_TRY(seen, ask(select + from));
        if (seen.rows() == 0 || number(seen, 0) == 0) return {};
        return fail(check.check,
                    sides ? pg(seen, 1) + " " + sides->op + " " + pg(seen, 2) + " is false"
                          : "it is false");
    }

    const CheckContext& on_;
    Session& session_;
};

}  // namespace

std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
}

std::string quoted(const TableRef& table) {
    return quoted(table.database) + "." + quoted(table.table);
}

std::string literal(const std::string& value) {
    std::string text = "'";
    for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
    return text + "'";
}

TableRef rejected_table(const TableRef& table) {
    return {table.database, table.table + "_rejected"};
}

Result<ParsedCheck> parse_check(const Check& check, const std::vector<std::string>& key) {
    static const std::regex unique(R"(^\s*unique\s*\(([^()]*)\)\s*$)", std::regex::icase);
    static const std::regex newest(
        R"x(^\s*newest\s*\(\s*"?([A-Za-z_][A-Za-z_0-9]*)"?\s*\)\s*within\s+(\d{1,9})\s*([smhd])\s*$)x",
        std::regex::icase);
    ParsedCheck parsed;
    parsed.check = check;
    std::smatch match;
    if (check.expression.size() > 10'000)
        return Error{Code::invalid_argument, "a check is longer than 10,000 bytes"};
    // The library's matcher recurses with the length of the text.
    const bool is_short = check.expression.size() <= 1'000;
    if (is_short && std::regex_match(check.expression, match, unique)) {
        parsed.kind = ParsedCheck::Kind::unique;
        static const std::regex word(R"x(\s*"?([^,"\s]+)"?\s*(,|$))x");
        const std::string names = match[1];
        for (std::sregex_iterator at(names.begin(), names.end(), word), end; at != end; ++at)
            parsed.columns.push_back((*at)[1]);
        if (parsed.columns == std::vector<std::string>{"key"}) parsed.columns = key;
        if (parsed.columns.empty())
            return Error{Code::invalid_argument,
                         "check \"" + check.expression +
                             "\": the table has no key; name the columns: unique(a, b)"};
        return parsed;
    }
    if (is_short && std::regex_match(check.expression, match, newest)) {
        parsed.kind = ParsedCheck::Kind::newest;
        parsed.column = match[1];
        const int64_t count = std::stoll(match[2]);
        const char unit = static_cast<char>(tolower(match[3].str()[0]));
        parsed.within = std::chrono::seconds(count * (unit == 's'   ? 1
                                                      : unit == 'm' ? 60
                                                      : unit == 'h' ? 3600
                                                                    : 86400));
        if (check.consequence == Consequence::set_aside)
            return Error{Code::invalid_argument,
                         "check \"" + check.expression +
                             "\": there are no rows to set aside; use stop or warn"};
        return parsed;
    }
    TARN_TRY(sides, query::split_comparison(check.expression));
    return parsed;
}

Result<CheckResult> run_checks(const std::vector<ParsedCheck>& checks,
                               const CheckContext& context) {
    Checker checker(context);
    for (const auto& check : checks) TARN_CHECK_OK(checker.run(check));
    return std::move(checker.result);
}

}  // namespace tarn::flows
