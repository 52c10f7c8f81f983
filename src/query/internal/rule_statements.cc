#include "query/internal/rule_statements.h"

#include "query/internal/error.h"
#include "query/internal/words.h"

namespace tarn::query {

namespace {

using MadeRule = std::unique_ptr<PreparedSql>;
using MaybeRule = Result<std::optional<MadeRule>>;

MadeRule tagged(std::string tag, std::string notice = "") {
    auto made = std::make_unique<PreparedSql>();
    made->command_ = Command::set;
    made->utility.tag = std::move(tag);
    made->utility.notice = std::move(notice);
    return made;
}

/// [schema.]name
std::pair<std::string, std::string> take_name(Words& words) {
    std::pair<std::string, std::string> name{"", words.next().name()};
    if (words.take_symbol('.')) name = {std::move(name.second), words.next().name()};
    // The one database may stand before the schema.
    if (name.first == kLake && words.take_symbol('.'))
        name = {std::move(name.second), words.next().name()};
    return name;
}

std::string spelled(const std::pair<std::string, std::string>& name) {
    return (name.first.empty() ? "" : quoted_name(name.first) + ".") + quoted_name(name.second);
}

/// (a, b), of plain names.
std::optional<std::vector<std::string>> take_columns(Words& words) {
    std::vector<std::string> columns;
    if (!words.take_symbol('(')) return std::nullopt;
    do {
        if (words.peek().kind != Token::Kind::word && words.peek().kind != Token::Kind::quoted_word)
            return std::nullopt;
        columns.push_back(words.next().name());
    } while (words.take_symbol(','));
    if (!words.take_symbol(')')) return std::nullopt;
    return columns;
}

int64_t take_number(Words& words) {
    const bool negative = words.take_symbol('-');
    const int64_t value = std::atoll(value_text(words.next()).c_str());
    return negative ? -value : value;
}

/// START [WITH] n INCREMENT [BY] n and what else sequences have; false: an option that would mean
/// something here.
bool take_sequence_options(Words& words, int64_t& start, int64_t& increment) {
    while (!words.end() && !words.peek().is_symbol(')')) {
        if (words.take("start")) {
            words.take("with");
            start = take_number(words);
        } else if (words.take("increment")) {
            words.take("by");
            increment = take_number(words);
        } else if (words.take("sequence")) {
            if (!words.take("name")) return false;
            take_name(words);
        } else if (words.take("as")) {
            words.next();
        } else if (words.take("minvalue") || words.take("maxvalue") || words.take("cache")) {
            take_number(words);
        } else if (words.take("no")) {
            words.next();
        } else if (words.take("owned")) {
            if (!words.take("by")) return false;
            take_name(words);
            if (words.take_symbol('.')) words.next();
        } else {
            return false;  // CYCLE
        }
    }
    return true;
}

constexpr const char* kLakeDecides =
    "who may do what is declared in the lakefile, under roles and policies";

/// ALTER TABLE name ADD [CONSTRAINT name] ...
MaybeRule parse_add_rule(std::string_view sql, Words& words, MadeRule made) {
    const size_t begin = words.peek().offset;
    std::string name;
    if (words.take("constraint")) name = words.next().name();
    if (words.take("check")) {
        Utility::NewCheck check{std::move(name), "", false};
        if (!words.peek().is_symbol('(')) return words.unexpected();
        TARN_TRY(expression, words.take_parenthesised());
        check.expression = std::move(expression);
        if (words.take("no") && !words.take("inherit")) return words.unexpected();
        if (words.take("not")) {
            if (!words.take("valid")) return words.unexpected();
            check.not_valid = true;
        }
        if (!words.end()) return words.unexpected();
        made->utility.check = std::move(check);
        return std::optional(std::move(made));
    }
    if (words.peek().is("foreign")) {
        TARN_TRY(reference, parse_reference(sql.substr(begin)));
        if (!reference) return words.unexpected();
        made->utility.reference = std::move(*reference);
        made->utility.notice = kNotEnforcedNotice;
        return std::optional(std::move(made));
    }
    Utility::NewKey key{std::move(name), words.take("primary") && words.take("key"), {}};
    if (!key.primary && !words.take("unique")) return std::optional<MadeRule>();
    auto columns = take_columns(words);
    if (!columns || !words.end()) return std::optional<MadeRule>();
    key.columns = std::move(*columns);
    made->utility.key = std::move(key);
    return std::optional(std::move(made));
}

/// ALTER TABLE name ALTER [COLUMN] column ADD GENERATED ... AS IDENTITY [(...)] | SET DEFAULT
/// nextval('...')
MaybeRule parse_alter_column(Words& words, MadeRule made) {
    words.take("column");
    Utility::NewIdentity identity;
    identity.column = words.next().name();
    if (words.take("add")) {
        if (!words.take("generated")) return words.unexpected();
        identity.always = words.take("always");
        if (!identity.always && !(words.take("by") && words.take("default")))
            return words.unexpected();
        if (!words.take("as") || !words.take("identity")) return words.unexpected();
        if (words.take_symbol('(') &&
            (!take_sequence_options(words, identity.start, identity.increment) ||
             !words.take_symbol(')')))
            return not_built("an option of an identity column");
    } else {
        if (words.take("set") && (words.take("statistics") || words.take("storage") ||
                                  words.take("compression") || words.peek().is_symbol('(')))
            return std::optional(tagged(
                "ALTER TABLE", "left out: how a table's files are kept is the lake's to choose"));
        if (!words.take("default")) return std::optional<MadeRule>();
        if (words.take("pg_catalog")) words.take_symbol('.');
        if (!words.take("nextval") || !words.take_symbol('(') ||
            words.peek().kind != Token::Kind::text)
            return std::optional<MadeRule>();
        identity.sequence = words.next().literal();
    }
    made->utility.identity = std::move(identity);
    return std::optional(std::move(made));
}

/// ALTER TABLE [IF EXISTS] [ONLY] name ...; nullopt: DuckDB takes it, or nobody.
MaybeRule parse_alter_table(std::string_view sql, Words& words) {
    if (words.take("if")) words.take("exists");
    words.take("only");
    auto made = tagged("ALTER TABLE");
    made->utility.tables.push_back(take_name(words));
    words.take_symbol('*');
    if (words.take("add")) return parse_add_rule(sql, words, std::move(made));
    if (words.take("alter")) return parse_alter_column(words, std::move(made));
    if (words.take("drop") && words.take("constraint")) {
        Utility::DropRule drop;
        drop.if_there = words.take("if") && words.take("exists");
        drop.name = words.next().name();
        if (!words.take("cascade")) words.take("restrict");
        if (!words.end()) return words.unexpected();
        made->utility.drop_rule = std::move(drop);
        return std::optional(std::move(made));
    }
    if (words.take("owner")) {
        made->utility.tables.clear();  // dumps say it of sequences, too
        made->utility.notice = fmt::format("OWNER TO left out: {}", kLakeDecides);
        return std::optional(std::move(made));
    }
    const bool kept =
        words.take("replica") || words.take("cluster") ||
        (words.take("set") && (words.peek().is_symbol('(') || words.peek().is("without")));
    const bool triggers = (words.take("enable") || words.take("disable")) && words.take("trigger");
    if (!kept && !triggers) return std::optional<MadeRule>();
    made->utility.notice = triggers
                               ? "left out: there are no triggers"
                               : "left out: how a table's files are kept is the lake's to choose";
    return std::optional(std::move(made));
}

MaybeRule parse_alter(std::string_view sql, Words& words) {
    if (words.take("table")) return parse_alter_table(sql, words);
    if (words.take("sequence")) {
        if (words.take("if")) words.take("exists");
        const auto name = take_name(words);
        auto made = tagged("ALTER SEQUENCE");
        if (words.take("owner")) {
            made->utility.notice = fmt::format("OWNER TO left out: {}", kLakeDecides);
        } else if (words.take("restart")) {
            words.take("with");
            if (words.end()) return not_built("ALTER SEQUENCE ... RESTART without a number");
            std::string literal;
            for (const char c : spelled(name)) literal.append(c == '\'' ? 2 : 1, c);
            made->utility.parts.push_back(
                fmt::format("SELECT setval('{}', {}, false)", literal, take_number(words)));
            if (!words.end()) return words.unexpected();
        } else if (!words.take("owned")) {
            return not_built("this kind of ALTER SEQUENCE");
        }
        return std::optional(std::move(made));
    }
    for (const char* kind : {"view", "schema", "database", "function", "type", "index",
                             "materialized", "extension", "default"}) {
        if (!words.peek().is(kind)) continue;
        std::string tag = "ALTER " + std::string(kind);
        for (char& c : tag) c = static_cast<char>(toupper(static_cast<unsigned char>(c)));
        while (!words.end() && !words.peek().is("owner")) words.next();
        if (words.take("owner") && words.take("to"))
            return std::optional(tagged(tag, fmt::format("OWNER TO left out: {}", kLakeDecides)));
    }
    return std::optional<MadeRule>();
}

/// CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] [name] ON [ONLY] table [USING method]
/// (...): a unique one is a key, and how rows are found otherwise is the lake's to choose.
MaybeRule parse_index(Words& words, bool unique) {
    auto made = tagged("CREATE INDEX");
    words.take("concurrently");
    if (words.take("if") && (!words.take("not") || !words.take("exists")))
        return words.unexpected();
    Utility::NewKey key;
    if (!words.peek().is("on")) key.name = take_name(words).second;
    if (!words.take("on")) return words.unexpected();
    words.take("only");
    if (words.end()) return words.unexpected();
    made->utility.tables.push_back(take_name(words));
    if (!unique) {
        made->utility.notice =
            "no index was made: the lake finds rows by the statistics of its files";
        return std::optional(std::move(made));
    }
    if (words.take("using")) words.next();
    auto columns = take_columns(words);
    if (!columns || !words.end()) return not_built("a unique index of expressions or of some rows");
    key.columns = std::move(*columns);
    made->utility.key = std::move(key);
    return std::optional(std::move(made));
}

MaybeRule parse_create(Words& words) {
    if (words.take("index")) return parse_index(words, false);
    if (words.peek().is("unique") && words.peek(1).is("index")) {
        words.next();
        words.next();
        return parse_index(words, true);
    }
    if (words.take("extension"))
        return std::optional(tagged(
            "CREATE EXTENSION", "no extension was made: what the lake has it has without them"));
    if (words.take("temp") || words.take("temporary")) {
        if (words.peek().is("sequence")) return not_built("a temporary sequence");
        return std::optional<MadeRule>();
    }
    if (!words.take("sequence")) return std::optional<MadeRule>();
    if (words.take("if") && (!words.take("not") || !words.take("exists")))
        return words.unexpected();
    auto made = tagged("CREATE SEQUENCE",
                       "a sequence is there with the column that it numbers: this one when a "
                       "column has nextval() of it as its default");
    const auto name = take_name(words);
    Utility::NewIdentity identity;
    identity.sequence = spelled(name);
    if (!take_sequence_options(words, identity.start, identity.increment) || !words.end())
        return not_built("an option of CREATE SEQUENCE");
    made->utility.identity = std::move(identity);
    return std::optional(std::move(made));
}

/// COMMENT ON what is no table, view or column; DROP of what is only shown.
MaybeRule parse_unkept(Words& words) {
    const bool comment = words.take("comment");
    if (comment && !words.take("on")) return words.unexpected();
    if (!comment && !words.take("drop")) return std::optional<MadeRule>();
    if (comment) {
        for (const char* kind : {"table", "column", "view"})
            if (words.peek().is(kind)) return std::optional<MadeRule>();
        return std::optional(
            tagged("COMMENT",
                   fmt::format("the comment was left out: a {} has none here", words.peek().raw)));
    }
    if (words.take("index"))
        return std::optional(
            tagged("DROP INDEX", "nothing was dropped: there are no indexes beside keys"));
    if (words.take("extension"))
        return std::optional(
            tagged("DROP EXTENSION", "nothing was dropped: there are no extensions"));
    if (words.take("sequence") && words.take("if"))
        return std::optional(
            tagged("DROP SEQUENCE", "nothing was dropped: a sequence goes with its column"));
    return std::optional<MadeRule>();
}

}  // namespace

MaybeRule parse_rule_statement(std::string_view sql, const std::vector<Token>& tokens) {
    Words words(sql, tokens);
    if (words.take("alter")) return parse_alter(sql, words);
    if (words.take("create")) return parse_create(words);
    // Keys are looked at when a statement ends; nothing waits for COMMIT.
    if (words.peek().is("set") && words.peek(1).is("constraints"))
        return std::optional(tagged("SET CONSTRAINTS"));
    return parse_unkept(words);
}

}  // namespace tarn::query
