#include "query/internal/clauses.h"

#include <fmt/format.h>

#include <array>

#include "query/internal/declared_columns.h"
#include "query/internal/error.h"
#include "query/internal/references.h"

namespace tarn::query {

namespace {

class ClauseFinder {
 public:
    ClauseFinder(const std::vector<Token>& tokens, Clauses& clauses)
        : tokens_(tokens), clauses_(clauses), closing_(tokens.size(), tokens.size()) {
        std::vector<size_t> open;
        for (size_t i = 0; i < tokens.size(); ++i) {
            if (tokens[i].is_symbol('(')) open.push_back(i);
            if (!tokens[i].is_symbol(')') || open.empty()) continue;
            closing_[open.back()] = i;
            open.pop_back();
        }
    }

    Replacements run() {
        if (at(0).is("create")) {
            create_table();
        } else if (at(0).is("truncate")) {
            truncate();
        } else if (at(0).is("alter")) {
            add_column();
        } else if (at(0).is("insert")) {
            overriding();
        } else if (at(0).is("select") || at(0).is("with")) {
            locks();
        }
        for (size_t i = 0; i < tokens_.size(); ++i) {
            like_any(i);
            regclass(i);
            vector_of_index(i);
            catalog_of_postgres(i);
        }
        return std::move(found_);
    }

 private:
    const Token& at(size_t i) const {
        static const Token kNone;
        return i < tokens_.size() ? tokens_[i] : kNone;
    }
    void put(size_t first, size_t last, std::string with = " ") {
        found_[first] = {last, std::move(with)};
    }
    void refuse(Error error) {
        if (!clauses_.refused) clauses_.refused = std::move(error);
    }
    /// The parenthesis that closes the one at `open`; the end when none does.
    size_t closing(size_t open) const {
        return open < closing_.size() ? closing_[open] : tokens_.size();
    }

    // CREATE TABLE

    void create_table() {
        size_t i = 1;
        if (at(i).is("global") || at(i).is("local")) ++i;
        temporary_ = at(i).is("temp") || at(i).is("temporary");
        if (temporary_) ++i;
        if (!at(i).is("table")) return;
        while (i < tokens_.size() && !tokens_[i].is_symbol('(') && !tokens_[i].is("as")) ++i;
        if (!at(i).is_symbol('(')) return storage(i);
        const size_t close = closing(i);
        columns(i, close);
        constraints(i, close);
        if (!clauses_.references.empty()) clauses_.notices.emplace_back(kNotEnforcedNotice);
        if (!clauses_.references.empty() && temporary_)
            refuse(not_built("a foreign key of a temporary table"));
        storage(close + 1);
    }

    /// Name, type and constraints begin behind the parenthesis and behind each comma of its level.
    void columns(size_t open, size_t close) {
        int depth = 0;
        for (size_t i = open; i < close; ++i) {
            const bool begins = depth == 0 || (depth == 1 && tokens_[i].is_symbol(','));
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')')) --depth;
            if (begins) {
                serial(i + 2);
                character(i + 2);
            }
            if (!begins && depth == 1 && tokens_[i].is("generated")) identity(i);
        }
    }

    /// Notes the names of constraints, which DuckDB forgets, and takes foreign keys out, which it
    /// would look for among its own tables.
    void constraints(size_t open, size_t close) {
        size_t element = open + 1;
        for (size_t i = open + 1; i < close; ++i) {
            if (tokens_[i].is_symbol(',')) element = i + 1;
            const bool named = i >= element + 2 && at(i - 2).is("constraint");
            const bool key = at(i).is("unique") || (at(i).is("primary") && at(i + 1).is("key"));
            if (key) {
                clauses_.key_names.push_back(named ? at(i - 1).name() : "");
            } else if (at(i).is("check") && at(i + 1).is_symbol('(') && !temporary_) {
                i = take_check(element, open, named, i);
            } else if (at(i).is("foreign") && at(i + 1).is("key")) {
                i = end_of_reference(i, close);
                clauses_.references.push_back(text_of(element, i));
                put_element(element, open, i);
            } else if (at(i).is("references") && i > element) {
                const size_t last = end_of_reference(i, close);
                clauses_.references.push_back((named ? text_of(i - 2, i - 1) + " " : "") +
                                              "foreign key (" + quoted_name(at(element).name()) +
                                              ") " + text_of(i, last));
                put(named ? i - 2 : i, last);
                i = last;
            }
            if (tokens_[i].is_symbol('(')) i = closing(i);
        }
    }

    /// Takes [CONSTRAINT name] CHECK (...) [NO INHERIT] out, of which `i` is the CHECK; returns its
    /// last token.
    size_t take_check(size_t element, size_t open, bool named, size_t i) {
        const size_t behind = closing(i + 1);
        clauses_.checks.emplace_back(named ? at(i - 1).name() : "", text_of(i + 2, behind - 1));
        const size_t last =
            at(behind + 1).is("no") && at(behind + 2).is("inherit") ? behind + 2 : behind;
        const size_t first = named ? i - 2 : i;
        if (first == element)
            put_element(element, open, last);
        else
            put(first, last);
        return last;
    }
    /// Takes out an element of the list, with one of the commas.
    void put_element(size_t element, size_t open, size_t last) {
        const bool first = element == open + 1;
        put(first ? element : element - 1, first && at(last + 1).is_symbol(',') ? last + 1 : last);
    }

    /// The last token of [FOREIGN KEY (...)] REFERENCES table [(...)] with what follows of it.
    size_t end_of_reference(size_t i, size_t close) const {
        static constexpr std::array kWords = {
            "match",      "full",      "partial",  "simple",    "on",  "delete",  "update",
            "no",         "action",    "restrict", "cascade",   "set", "null",    "default",
            "deferrable", "initially", "deferred", "immediate", "not", "enforced"};
        while (i < close && !at(i).is("references")) ++i;
        ++i;
        if (at(i + 1).is_symbol('.')) i += 2;
        if (at(i + 1).is_symbol('(')) i = closing(i + 1);
        while (i + 1 < close && std::any_of(kWords.begin(), kWords.end(),
                                            [&](const char* word) { return at(i + 1).is(word); })) {
            // NOT NULL and DEFAULT are the column's again.
            if (at(i + 1).is("not") && !at(i + 2).is("deferrable") && !at(i + 2).is("enforced"))
                break;
            if (at(i + 1).is("default") && !at(i).is("set")) break;
            if (at(i + 1).is("null") && !at(i).is("set")) break;
            ++i;
        }
        return i;
    }
    std::string text_of(size_t first, size_t last) const {
        std::string text;
        for (size_t i = first; i <= last && i < tokens_.size(); ++i)
            text.append(text.empty() ? "" : " ").append(tokens_[i].raw);
        return text;
    }

    void serial(size_t type) {
        static constexpr std::array<std::pair<const char*, const char*>, 6> kSerials = {
            {{"serial", "integer"},
             {"serial4", "integer"},
             {"bigserial", "bigint"},
             {"serial8", "bigint"},
             {"smallserial", "smallint"},
             {"serial2", "smallint"}}};
        for (const auto& [word, plain] : kSerials)
            if (at(type).is(word)) number(type, type, std::string(plain) + " ", "by default", 1, 1);
    }

    /// The type of a column: to DuckDB's parser char, and varchar without a length, are text
    /// (declared_columns.h).
    void character(size_t type) {
        if (at(type).is("national")) put(type, type);
        const size_t word = at(type).is("national") ? type + 1 : type;
        const bool plain = at(word).is("char") || at(word).is("character") || at(word).is("nchar");
        const bool varies = plain && at(word + 1).is("varying");
        const size_t last = varies ? word + 1 : word;
        const bool sized = at(last + 1).is_symbol('(');
        if (varies || at(word).is("varchar")) {
            put(word, last, sized ? "varchar" : kVarchar);
        } else if (plain || at(word).is("bpchar")) {
            put(word, word, sized || !plain ? kBpchar : std::string(kBpchar) + "(1)");
        }
    }

    /// GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY [ ( START WITH n INCREMENT BY n ) ]
    void identity(size_t i) {
        const bool always = at(i + 1).is("always");
        if (!always && !(at(i + 1).is("by") && at(i + 2).is("default"))) return;
        const size_t as = i + (always ? 2 : 3);
        if (!at(as).is("as") || !at(as + 1).is("identity")) return;
        size_t last = as + 1;
        int64_t start = 1, increment = 1;
        if (at(last + 1).is_symbol('(')) {
            const size_t close = closing(last + 1);
            for (size_t option = last + 2; option < close;) {
                const bool starts = at(option).is("start");
                if (!starts && !at(option).is("increment"))
                    return refuse(not_built(
                        fmt::format("the option {} of an identity column", at(option).raw)));
                if (at(++option).is(starts ? "with" : "by")) ++option;
                const bool negative = at(option).is_symbol('-');
                if (negative) ++option;
                const int64_t value = std::atoll(std::string(at(option++).raw).c_str());
                (starts ? start : increment) = negative ? -value : value;
            }
            last = close;
        }
        number(i, last, "", always ? "always" : "by default", start, increment);
    }

    void number(size_t first, size_t last, const std::string& type, const char* kind, int64_t start,
                int64_t increment) {
        if (temporary_)
            refuse(not_built("a numbered column (serial, identity) of a temporary table"));
        put(first, last,
            fmt::format("{}DEFAULT {}('{}', {}, {})", type, kIdentityDefault, kind, start,
                        increment));
    }

    /// WITH (fillfactor = 90), WITHOUT OIDS, TABLESPACE x: how PostgreSQL keeps a table on its
    /// disk.
    void storage(size_t i) {
        for (; i < tokens_.size() && !tokens_[i].is("as"); ++i) {
            if (tokens_[i].is("without") && at(i + 1).is("oids")) {
                put(i, i + 1);
            } else if (tokens_[i].is("tablespace")) {
                left_out("TABLESPACE");
                put(i, i + 1);
            } else if (tokens_[i].is("with") && at(i + 1).is_symbol('(') && only_storage(i + 1)) {
                left_out("the storage options of WITH");
                put(i, closing(i + 1));
                i = closing(i + 1);
            }
        }
    }
    bool only_storage(size_t open) const {
        const size_t close = closing(open);
        if (close >= tokens_.size()) return false;
        for (size_t i = open; i < close; ++i) {
            if (!tokens_[i].is_symbol('(') && !tokens_[i].is_symbol(',')) continue;
            const std::string option = at(i + 1).name();
            if (option != "fillfactor" && option != "oids" && option != "parallel_workers" &&
                !option.starts_with("autovacuum_") && !option.starts_with("toast"))
                return false;
        }
        return true;
    }
    void left_out(const char* what) {
        clauses_.notices.push_back(
            fmt::format("{} left out: a table's files are looked after by the lake", what));
    }

    // Other statements

    void truncate() {
        for (size_t i = 1; i < tokens_.size(); ++i) {
            if (i + 1 == tokens_.size() && (tokens_[i].is("cascade") || tokens_[i].is("restrict")))
                put(i, i);
            if (!at(i + 1).is("identity")) continue;
            if (tokens_[i].is("continue")) put(i, i + 1);
            if (tokens_[i].is("restart")) {
                clauses_.restarts_identity = true;
                put(i, i + 1);
            }
        }
    }

    /// ALTER TABLE ... ADD [COLUMN] name type DEFAULT ...
    void add_column() {
        int depth = 0;
        bool adds = false;
        for (size_t i = 1; i < tokens_.size(); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')')) --depth;
            adds = adds || (depth == 0 && tokens_[i].is("add"));
            if (depth == 0 && tokens_[i].is("type")) character(i + 1);
            if (depth == 0 && tokens_[i].is("add")) character(name_of_column(i + 1) + 1);
            if (adds && depth == 0 && tokens_[i].is("default")) clauses_.fills_column = true;
            if (!adds || depth > 0 || !at(i).is("not") || !at(i + 1).is("null")) continue;
            clauses_.requires_column = true;
            put(i, i + 1);
        }
    }

    /// Behind ADD: [COLUMN] [IF NOT EXISTS] name
    size_t name_of_column(size_t i) const {
        if (at(i).is("column")) ++i;
        return at(i).is("if") && at(i + 1).is("not") ? i + 3 : i;
    }

    void overriding() {
        int depth = 0;
        for (size_t i = 1; i < tokens_.size() && !tokens_[i].is("select"); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')')) --depth;
            if (depth > 0 || !tokens_[i].is("overriding") || !at(i + 2).is("value")) continue;
            if (at(i + 1).is("user")) refuse(not_built("OVERRIDING USER VALUE"));
            clauses_.overrides_identity = at(i + 1).is("system");
            return put(i, i + 2);
        }
    }

    /// FOR [NO KEY] UPDATE | [KEY] SHARE [OF name, ...] [NOWAIT | SKIP LOCKED], of the statement
    /// itself.
    void locks() {
        int depth = 0;
        for (size_t i = 1; i < tokens_.size(); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')')) --depth;
            if (depth > 0 || !tokens_[i].is("for")) continue;
            size_t last = i + 1;
            if (at(last).is("no") && at(last + 1).is("key")) last += 2;
            if (at(last).is("key")) ++last;
            if (!at(last).is("update") && !at(last).is("share")) continue;
            clauses_.locks.wanted = true;
            if (at(last + 1).is("of")) {
                do {
                    last += 2;
                    clauses_.locks.of.push_back(at(last).name());
                } while (at(last + 1).is_symbol(','));
            }
            if (at(last + 1).is("nowait")) ++last;
            if (at(last + 1).is("skip") && at(last + 2).is("locked"))
                return refuse({Code::unimplemented,
                               "SKIP LOCKED is not supported: rows that others work on are not "
                               "known before they commit\n"
                               "HINT: Without it the transaction fails with 40001 when another was "
                               "first: run it again.",
                               "0A000"});
            put(i, last);
            i = last;
        }
    }

    /// x [NOT] LIKE ANY (array) becomes x <operator> CAST(array AS VARCHAR[]).
    void like_any(size_t i) {
        const bool ilike = at(i).is("ilike");
        if (!ilike && !at(i).is("like")) return;
        const bool all = at(i + 1).is("all");
        if ((!all && !at(i + 1).is("any") && !at(i + 1).is("some")) || !at(i + 2).is_symbol('('))
            return;
        for (const char* word : {"select", "with", "values", "table", "from"})
            if (at(i + 3).is(word)) return;
        const size_t close = closing(i + 2);
        if (close >= tokens_.size()) return;
        const bool negated = i > 0 && at(i - 1).is("not");
        put(negated ? i - 1 : i, i + 2,
            fmt::format(" {}{}~~{} CAST(", all ? '&' : '@', negated ? "!" : "", ilike ? "*" : ""));
        put(close, close, " AS VARCHAR[])");
    }

    /// CAST(name AS regclass) is the table's oid.
    void regclass(size_t i) {
        if (!at(i).is("cast") || !at(i + 1).is_symbol('(')) return;
        const size_t close = closing(i + 1);
        if (close >= tokens_.size() || !at(close - 1).is("regclass")) return;
        const size_t as = at(close - 2).is_symbol('.') ? close - 4 : close - 2;
        const bool text =
            at(i + 2).kind == Token::Kind::text || at(i + 2).kind == Token::Kind::parameter;
        if (!at(as).is("as") || !text || as != i + 3) return;
        put(i, i + 1, "tarn_regclass(");
        put(as, close - 1);
    }

    /// pg_index.indkey is a list here, so that functions of arrays take it. pg_dump reads it as
    /// PostgreSQL writes it: "1 2".
    void vector_of_index(size_t i) {
        if (!at(i).is("indkey") || i < 2 || !at(i - 1).is_symbol('.') ||
            !at(i + 1).is_symbol(',') || !at(i + 4).is("indisclustered"))
            return;
        put(i - 2, i, fmt::format("tarn_vector({}.indkey) AS indkey", at(i - 2).raw));
    }

    /// lake.information_schema.columns: the catalogs are in every database.
    void catalog_of_postgres(size_t i) {
        const bool name = at(i).kind == Token::Kind::word || at(i).kind == Token::Kind::quoted_word;
        if (!name || at(i).name() != "lake" || !at(i + 1).is_symbol('.') ||
            !at(i + 3).is_symbol('.'))
            return;
        if (at(i + 2).is("information_schema") || at(i + 2).is("pg_catalog")) put(i, i + 1);
    }

    const std::vector<Token>& tokens_;
    Clauses& clauses_;
    std::vector<size_t>
        closing_;  // of each opening parenthesis; found once: a long text may open many
    Replacements found_;
    bool temporary_ = false;
};

}  // namespace

Replacements find_clauses(const std::vector<Token>& tokens, Clauses& clauses) {
    return ClauseFinder(tokens, clauses).run();
}

}  // namespace tarn::query
