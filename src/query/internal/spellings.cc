// PostgreSQL's spellings in DuckDB's words, token by token.
#include <fmt/format.h>

#include <cstdlib>

#include "query/internal/arrows.h"
#include "query/internal/clauses.h"
#include "query/internal/pg_catalog/jsonb_operators.h"

namespace tarn::query {

namespace {

const Token& token_at(const std::vector<Token>& tokens, size_t i) {
    static const Token kNone;
    return i < tokens.size() ? tokens[i] : kNone;
}

/// `= any($1)` at `i`: the number of the parameter; 0: something else.
size_t array_parameter_at(const std::vector<Token>& tokens, size_t i) {
    const auto at = [&](size_t ahead) -> const Token& { return token_at(tokens, i + ahead); };
    if (!at(0).is("any") && !at(0).is("all") && !at(0).is("some")) return 0;
    if (!at(1).is_symbol('(') || at(2).kind != Token::Kind::parameter || !at(3).is_symbol(')'))
        return 0;
    if (i == 0) return 0;
    const Token& compares = tokens[i - 1];
    if (compares.kind != Token::Kind::symbol ||
        compares.raw.find_first_not_of("=<>!") != std::string_view::npos)
        return 0;
    return std::strtoul(at(2).raw.data() + 1, nullptr, 10);
}

class Spellings {
 public:
    Spellings(std::string_view sql, const std::vector<Token>& tokens,
              const std::vector<std::optional<Type>>& types, Clauses& clauses, bool postgres_types)
        : tokens_(tokens),
          types_(types),
          clauses_(clauses),
          postgres_types_(postgres_types),
          edited_(sql) {
        find_on_commit();
        find_not_enforced();
        replacements_ = find_clauses(tokens, clauses);
    }

    EditedSql rewrite() {
        find_arrows();
        for (size_t i = 0; i < tokens_.size();) {
            const size_t first = i;
            if (opened_.contains(i)) edited_.replace(tokens_[i].offset, 0, opened_[i]);
            i = next(i);
            for (size_t passed = first; passed < i; ++passed)
                if (closed_.contains(passed)) edited_.replace(end_of(i - 1), 0, closed_[passed]);
        }
        return std::move(edited_);
    }

 private:
    /// What begins within something that is replaced, or ends before it does, has its own text.
    void find_arrows() {
        for (const auto& [first, last] : arrow_chains(tokens_)) {
            const bool cut = std::any_of(replacements_.begin(), replacements_.end(),
                                         [first = first, last = last](const auto& r) {
                                             return (r.first < first && first <= r.second.last) ||
                                                    (r.first <= last && last < r.second.last);
                                         });
            if (cut) continue;
            opened_[first] += '(';
            closed_[last] += ')';
        }
    }

    const Token& at(size_t i) const { return token_at(tokens_, i); }
    size_t end_of(size_t i) const { return tokens_[i].offset + tokens_[i].raw.size(); }
    /// Puts `with` in the place of the tokens first to last; returns the next.
    size_t replace(size_t first, size_t last, std::string_view with) {
        edited_.replace(tokens_[first].offset, end_of(last) - tokens_[first].offset, with);
        return last + 1;
    }
    size_t drop(size_t first, size_t last) { return replace(first, last, " "); }

    /// Looks at the token and what follows; returns the first that was not looked at.
    size_t next(size_t i) {
        const Token& token = tokens_[i];
        if (const auto found = replacements_.find(i); found != replacements_.end())
            return replace(i, found->second.last, found->second.with);
        if (i == on_commit_) return drop(i, on_commit_end_);
        if (i == not_enforced_) return drop(i, i + 1);
        if (i == alias_of_function_)
            return replace(i, i, std::string(token.raw) + "(" + std::string(token.raw) + ")");
        switch (token.kind) {
            case Token::Kind::parameter:
                return parameter(i);
            case Token::Kind::text:
                return text(i);
            case Token::Kind::symbol:
                return symbol(i);
            case Token::Kind::word:
                return word(i);
            default:
                return i + 1;
        }
    }

    const std::optional<Type>* type_of(size_t number) const {
        return number > 0 && number <= types_.size() ? &types_[number - 1] : nullptr;
    }

    bool is_void(size_t i) const {
        if (at(i).kind != Token::Kind::parameter) return false;
        const auto* type = type_of(std::strtoul(tokens_[i].raw.data() + 1, nullptr, 10));
        return type && *type && (*type)->kind == Kind::null;
    }

    size_t parameter(size_t i) {
        if (is_void(i)) return drop(i, at(i + 1).is_symbol(',') ? i + 1 : i);
        const auto* type = type_of(std::strtoul(tokens_[i].raw.data() + 1, nullptr, 10));
        if (!type || !*type) return i + 1;
        return replace(i, i,
                       "CAST(" + std::string(tokens_[i].raw) + " AS " + sql_name(**type) + ")");
    }

    /// 'name'::regclass is the table's oid.
    size_t text(size_t i) {
        if (at(i + 1).raw != "::") return i + 1;
        const size_t type = at(i + 2).is("pg_catalog") ? i + 4 : i + 2;
        if (at(type).is("regnamespace"))
            return replace(i, type, "tarn_regnamespace(" + std::string(tokens_[i].raw) + ")");
        if ((at(type).is("regproc") || at(type).is("regprocedure")) && at(type + 1).raw == "::")
            return replace(i, type, "tarn_regproc(" + std::string(tokens_[i].raw) + ")");
        if (!at(type).is("regclass")) return i + 1;
        // Sequences are known by their names.
        const bool sequence =
            i > 1 && at(i - 1).is_symbol('(') &&
            (at(i - 2).is("nextval") || at(i - 2).is("currval") || at(i - 2).is("setval"));
        return replace(i, type,
                       sequence ? std::string(tokens_[i].raw)
                                : "tarn_regclass(" + std::string(tokens_[i].raw) + ")");
    }

    size_t symbol(size_t i) {
        if (tokens_[i].raw == "::") return type_name(i);
        if (tokens_[i].is_symbol(',') && is_void(i + 1) && !at(i + 2).is_symbol(','))
            return drop(i, i + 1);
        if (tokens_[i].raw == "#>" || tokens_[i].raw == "#>>") return json_path(i);
        for (const auto& [postgres, ours] : kJsonbOperators)
            if (tokens_[i].raw == postgres) return replace(i, i, fmt::format(" {} ", ours));
        const bool equal = tokens_[i].raw == "=";
        const bool unequal = tokens_[i].raw == "<>" || tokens_[i].raw == "!=";
        const bool any = equal && (at(i + 1).is("any") || at(i + 1).is("some"));
        if (!any && !(unequal && at(i + 1).is("all"))) return i + 1;
        if (!at(i + 2).is_symbol('(') || at(i + 3).kind != Token::Kind::text ||
            !at(i + 4).is_symbol(')'))
            return i + 1;
        const auto list = in_list(tokens_[i + 3].literal());
        return list ? replace(i, i + 4, (any ? " IN " : " NOT IN ") + *list) : i + 1;
    }

    /// x #> '{a,0}' is x -> '$#/a/0' (jsonb_operators.h).
    size_t json_path(size_t i) {
        if (at(i + 1).kind != Token::Kind::text) return i + 1;
        const auto keys = parse_pg_text(Type::list(Kind::text), at(i + 1).literal());
        if (!keys.ok()) return i + 1;
        std::string path = kJsonPathPrefix;
        for (const auto& key : std::get<Values>(keys->of)) {
            if (key.is_null()) return i + 1;
            path += '/';
            for (const char c : std::get<std::string>(key.of)) {
                if (c == '~' || c == '/')
                    path += c == '~' ? "~0" : "~1";
                else
                    path += c;
            }
        }
        return replace(i, i + 1, (tokens_[i].raw == "#>" ? " -> " : " ->> ") + quoted_text(path));
    }

    /// The elements of '{1,2}', whose type is that of what they are compared with.
    static std::optional<std::string> in_list(const std::string& array) {
        const auto elements = parse_pg_text(Type::list(Kind::text), array);
        if (!elements.ok()) return std::nullopt;
        std::string list;
        for (const auto& element : std::get<Values>(elements->of)) {
            if (!list.empty()) list += ',';
            list += element.is_null() ? "NULL" : quoted_text(std::get<std::string>(element.of));
        }
        return list.empty() ? "(SELECT NULL WHERE false)" : '(' + list + ')';
    }
    static std::string quoted_text(std::string_view text) {
        std::string out = "'";
        for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
        return out += '\'';
    }

    /// Behind :: and AS: pg_catalog's types need no schema, and oid is ours.
    size_t type_name(size_t i) {
        const bool qualified = at(i + 1).is("pg_catalog") && at(i + 2).is_symbol('.');
        const size_t name = qualified ? i + 3 : i + 1;
        if (tokens_[i].raw == "::" && at(name).is("oid"))
            return replace(i + 1, name, sql_name(Kind::oid));
        return qualified ? drop(i + 1, i + 2) : i + 1;
    }

    size_t word(size_t i) {
        const Token& token = tokens_[i];
        if (token.is("as")) return type_name(i);
        if (token.is("operator") && at(i + 1).is_symbol('(')) return operator_name(i);
        if (token.is("collate")) return collation(i);
        if (token.is("pg_catalog")) return table_function(i);
        // A keyword of DuckDB's, a name like others in PostgreSQL.
        if (token.is("at") && !at(i + 1).is("time") && !at(i + 1).is_symbol('('))
            return replace(i, i, "\"at\"");
        if (postgres_types_ && token.is("float") && stands_for_type(i))
            return replace(i, i, "double");
        if (postgres_types_ && (token.is("numeric") || token.is("decimal") || token.is("dec")) &&
            stands_for_type(i))
            return replace(i, i, sql_name(*type_of_pg_oid(1700)));
        if (token.is("by") && !is_keyword_by(i)) return replace(i, i, "\"by\"");
        if ((token.is("generate_series") || token.is("unnest")) && at(i + 1).is_symbol('(') &&
            stands_in_from(i))
            alias_of_function_ = alias_behind(i + 1);
        const size_t array = array_parameter_at(tokens_, i);
        const auto* type = type_of(array);
        return type && !*type ? drop(i, i) : i + 1;
    }

    /// OPERATOR(pg_catalog.~) is ~
    size_t operator_name(size_t i) {
        size_t close = i + 2;
        while (close < tokens_.size() && !tokens_[close].is_symbol(')')) ++close;
        if (close >= tokens_.size() || close == i + 2) return i + 1;
        return replace(i, close, " " + std::string(tokens_[close - 1].raw) + " ");
    }

    size_t collation(size_t i) {
        const bool qualified = at(i + 1).is("pg_catalog") && at(i + 2).is_symbol('.');
        const size_t name = i + (qualified ? 3 : 1);
        if (name >= tokens_.size()) return i + 1;
        const std::string known = at(name).name();
        return known == "default" || known == "C" || known == "c" ? drop(i, name) : i + 1;
    }

    /// DuckDB keeps most of its functions in main only, and finds ours without their schema, too.
    size_t table_function(size_t i) {
        if (!at(i + 1).is_symbol('.') || !at(i + 3).is_symbol('(')) return i + 1;
        if (at(i + 2).is("generate_series") || at(i + 2).is("unnest"))
            alias_of_function_ = alias_behind(i + 3);
        return drop(i, i + 1);
    }

    /// x::float, CAST(x AS float), and behind the name of a column in CREATE and ALTER.
    bool stands_for_type(size_t i) const {
        if (i == 0 || at(i + 1).is_symbol('(')) return false;
        const Token& before = at(i - 1);
        if (before.raw == "::") return true;
        if (before.is("as")) return stands_in_cast(i);
        const bool name =
            before.kind == Token::Kind::word || before.kind == Token::Kind::quoted_word;
        if (!name || !(at(0).is("create") || at(0).is("alter"))) return false;
        if (i + 1 == tokens_.size() || at(i + 1).kind == Token::Kind::symbol) return true;
        for (const char* word : {"not", "null", "default", "primary", "unique", "check",
                                 "references", "constraint", "generated", "using"})
            if (at(i + 1).is(word)) return true;
        return false;
    }
    bool stands_in_cast(size_t i) const {
        int depth = 0;
        for (; i > 0; --i) {
            if (at(i - 1).is_symbol(')')) ++depth;
            if (at(i - 1).is_symbol('(') && --depth < 0)
                return i > 1 && (at(i - 2).is("cast") || at(i - 2).is("try_cast"));
        }
        return false;
    }

    bool is_keyword_by(size_t i) const {
        if (i == 0 || at(i + 1).is("name") || at(i + 1).is("position") || at(i + 1).is("default"))
            return true;
        for (const char* word :
             {"order", "group", "partition", "partitioned", "sorted", "increment", "owned"})
            if (at(i - 1).is(word)) return true;
        return false;
    }

    bool stands_in_from(size_t i) const {
        return i > 0 && (at(i - 1).is("from") || at(i - 1).is("join") || at(i - 1).is("lateral"));
    }

    /// Words that are no alias behind a table.
    static bool goes_on(const Token& token) {
        for (const char* word :
             {"where",   "on",        "order",  "group",     "limit",      "offset",
              "fetch",   "having",    "window", "union",     "left",       "right",
              "full",    "inner",     "cross",  "natural",   "join",       "using",
              "for",     "except",    "with",   "asof",      "anti",       "semi",
              "qualify", "intersect", "set",    "returning", "positional", "tablesample"})
            if (token.is(word)) return true;
        return false;
    }

    /// The alias right behind a call whose parenthesis opens at `open`, or kNowhere. PostgreSQL's
    /// alias of a function that gives one column names that column too, DuckDB's only the row:
    /// f(...) s becomes f(...) s(s).
    size_t alias_behind(size_t open) const {
        int depth = 0;
        for (size_t i = open; i < tokens_.size(); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (!tokens_[i].is_symbol(')') || --depth > 0) continue;
            const size_t name = at(i + 1).is("as") ? i + 2 : i + 1;
            const bool alias = at(name).kind == Token::Kind::word &&
                               (name == i + 2 || !goes_on(at(name))) &&
                               !at(name + 1).is_symbol('(');
            return alias ? name : kNowhere;
        }
        return kNowhere;
    }

    void find_on_commit() {
        size_t i = at(1).is("global") || at(1).is("local") ? 2 : 1;
        if (!at(0).is("create") || !(at(i).is("temp") || at(i).is("temporary"))) return;
        int depth = 0;
        for (; i < tokens_.size(); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')')) --depth;
            if (depth > 0) continue;
            if (tokens_[i].is("as")) return;
            if (!tokens_[i].is("on") || !at(i + 1).is("commit")) continue;
            const bool drops = at(i + 2).is("drop");
            const bool deletes = at(i + 2).is("delete");
            if (!drops && !(at(i + 3).is("rows") && (deletes || at(i + 2).is("preserve")))) return;
            on_commit_ = i;
            on_commit_end_ = drops ? i + 2 : i + 3;
            clauses_.on_commit = drops     ? OnCommit::drop
                                 : deletes ? OnCommit::delete_rows
                                           : OnCommit::preserve_rows;
            return;
        }
    }

    void find_not_enforced() {
        if (!at(0).is("create")) return;
        for (size_t i = 1; i + 3 < tokens_.size() && !tokens_[i].is("as"); ++i) {
            if (!tokens_[i].is("primary") || !tokens_[i + 1].is("key")) continue;
            size_t behind = i + 2;
            if (tokens_[behind].is_symbol('(')) {
                while (behind < tokens_.size() && !tokens_[behind].is_symbol(')')) ++behind;
                ++behind;
            }
            if (!at(behind).is("not") || !at(behind + 1).is("enforced")) continue;
            not_enforced_ = behind;
            clauses_.key_not_enforced = true;
            return;
        }
    }

    static constexpr size_t kNowhere = static_cast<size_t>(-1);

    const std::vector<Token>& tokens_;
    const std::vector<std::optional<Type>>& types_;
    Clauses& clauses_;
    const bool postgres_types_;
    EditedSql edited_;
    Replacements replacements_;
    std::map<size_t, std::string> opened_, closed_;  // parentheses before and behind a token
    size_t on_commit_ = kNowhere;
    size_t on_commit_end_ = 0;
    size_t not_enforced_ = kNowhere;  // its NOT
    size_t alias_of_function_ = kNowhere;
};

}  // namespace

EditedSql rewrite_spellings(std::string_view sql, const std::vector<Token>& tokens,
                            const std::vector<std::optional<Type>>& types, Clauses* clauses,
                            bool postgres_types) {
    Clauses found;
    return Spellings(sql, tokens, types, clauses ? *clauses : found, postgres_types).rewrite();
}

std::vector<size_t> array_parameters(const std::vector<Token>& tokens) {
    std::vector<size_t> numbers;
    for (size_t i = 0; i < tokens.size(); ++i)
        if (const size_t number = array_parameter_at(tokens, i)) numbers.push_back(number);
    return numbers;
}

}  // namespace tarn::query
