// Statements that the session answers itself: transactions, settings, cursors, prepared statements.
// Recognised by their first words.
#include <fmt/format.h>

#include <cstdlib>

#include "query/internal/error.h"
#include "query/internal/rule_statements.h"
#include "query/internal/statement.h"
#include "query/internal/words.h"

namespace tarn::query {

namespace {

using Prepared = std::unique_ptr<PreparedSql>;

Prepared make(Command command) {
    auto made = std::make_unique<PreparedSql>();
    made->command_ = command;
    return made;
}

/// ISOLATION LEVEL ... (all are snapshot isolation), READ ONLY, READ WRITE: whether it only reads.
std::optional<bool> transaction_modes(Words& words) {
    std::optional<bool> reads_only;
    while (!words.end()) {
        const bool read = words.next().is("read");
        if (read && words.peek().is("only")) reads_only = true;
        if (read && words.peek().is("write")) reads_only = false;
    }
    return reads_only;
}

Prepared parse_begin(Words& words) {
    auto made = make(Command::begin);
    if (const auto reads_only = transaction_modes(words)) {
        made->utility.name = "transaction_read_only";
        made->utility.value = *reads_only ? "on" : "off";
    }
    return made;
}

Result<Prepared> parse_set(Words& words) {
    auto made = make(Command::set);
    if (words.take("session")) {
        if (words.take("characteristics")) {
            if (const auto reads_only = transaction_modes(words)) {
                made->utility.name = "default_transaction_read_only";
                made->utility.value = *reads_only ? "on" : "off";
                return made;
            }
            made->utility.name = "default_transaction_isolation";
            made->utility.value = "repeatable read";
            return made;
        }
        if (words.take("authorization")) return not_built("SET SESSION AUTHORIZATION");
    } else if (words.take("local")) {
        made->utility.local = true;
    }
    if (words.take("transaction")) {
        if (const auto reads_only = transaction_modes(words)) {
            made->utility.name = "transaction_read_only";
            made->utility.value = *reads_only ? "on" : "off";
            return made;
        }
        made->utility.name = "transaction_isolation";
        made->utility.value = "repeatable read";
        return made;
    }
    if (words.take("role")) return not_built("SET ROLE");
    if (words.take("time")) {
        if (!words.take("zone")) return words.unexpected();
        made->utility.name = "timezone";
    } else if (words.take("names")) {
        made->utility.name = "client_encoding";
    } else {
        if (words.peek().kind != Token::Kind::word && words.peek().kind != Token::Kind::quoted_word)
            return words.unexpected();
        made->utility.name = words.next().name();
        while (words.take_symbol('.')) made->utility.name += "." + words.next().name();
        if (!words.take("to") && !words.take_symbol('=')) return words.unexpected();
    }
    if (words.end()) return words.unexpected();
    if (words.peek().is("default")) {
        made->command_ = Command::reset;
        return made;
    }
    while (!words.end()) {
        const Token& token = words.next();
        if (token.is_symbol(','))
            made->utility.value += ", ";
        else
            made->utility.value += value_text(token);
    }
    return made;
}

/// FETCH and MOVE.
Result<Prepared> parse_fetch(Words& words, bool moves) {
    auto made = make(Command::fetch);
    made->utility.moves = moves;
    if (words.take("next")) {
        made->utility.count = 1;
    } else if (words.take("all")) {
        made->utility.forward_all = true;
    } else if (words.take("forward")) {
        if (words.take("all"))
            made->utility.forward_all = true;
        else if (words.peek().kind == Token::Kind::number)
            made->utility.count = std::atoll(std::string(words.next().raw).c_str());
    } else if (words.peek().kind == Token::Kind::number) {
        made->utility.count = std::atoll(std::string(words.next().raw).c_str());
    } else if (words.peek().is("prior") || words.peek().is("first") || words.peek().is("last") ||
               words.peek().is("absolute") || words.peek().is("relative") ||
               words.peek().is("backward")) {
        return not_built(moves ? "MOVE other than forward" : "FETCH other than forward");
    }
    if (!words.take("from")) words.take("in");
    if (words.end()) return words.unexpected();
    made->utility.name = words.next().name();
    made->returns_rows_ = !moves;
    return made;
}

/// name [BINARY] [INSENSITIVE] [NO SCROLL] CURSOR [WITH HOLD] FOR query
Result<Prepared> parse_declare(Words& words) {
    auto made = make(Command::declare_cursor);
    made->utility.name = words.next().name();
    if (words.peek().is("binary")) return not_built("DECLARE ... BINARY");
    if (!words.take("insensitive")) words.take("asensitive");
    if (words.peek().is("scroll")) return not_built("DECLARE ... SCROLL");
    if (words.take("no") && !words.take("scroll")) return words.unexpected();
    if (!words.take("cursor")) return words.unexpected();
    made->utility.holds = words.take("with");
    if ((made->utility.holds || words.take("without")) && !words.take("hold"))
        return words.unexpected();
    if (!words.take("for")) return words.unexpected();
    made->utility.query = std::string(words.rest());
    return made;
}

/// [SAVEPOINT] name
Result<Prepared> parse_savepoint(Words& words, Utility::Savepoint step) {
    auto made = make(step == Utility::Savepoint::go_back ? Command::rollback : Command::set);
    words.take("savepoint");
    if (words.end()) return words.unexpected();
    made->utility.savepoint = step;
    made->utility.name = words.next().name();
    if (!words.end()) return words.unexpected();
    return made;
}

Result<Prepared> parse_show(Words& words) {
    auto made = make(Command::show);
    if (words.take("transaction")) {
        made->utility.name = "transaction_isolation";
    } else if (words.take("time")) {
        made->utility.name = "timezone";
    } else if (words.take("session")) {
        return not_built("SHOW SESSION");
    } else {
        made->utility.name = words.next().name();
        while (words.take_symbol('.')) made->utility.name += "." + words.next().name();
    }
    made->returns_rows_ = true;
    if (made->utility.name == "all") {
        made->utility.all = true;
        made->columns_ = {
            {"name", Kind::text}, {"setting", Kind::text}, {"description", Kind::text}};
    } else {
        made->columns_ = {{made->utility.name, Kind::text}};
    }
    return made;
}

/// DISCARD ALL | TEMP | PLANS | SEQUENCES. Plans are the door's.
Result<Prepared> parse_discard(Words& words) {
    auto made = make(Command::discard);
    if (words.take("all")) return made;
    if (words.take("temp") || words.take("temporary")) {
        made->utility.discard = Utility::Discard::temporary;
        made->utility.tag = "DISCARD TEMP";
    } else if (words.take("sequences")) {
        made->utility.discard = Utility::Discard::numbers;
        made->utility.tag = "DISCARD SEQUENCES";
    } else if (words.take("plans")) {
        made->utility.discard = Utility::Discard::nothing;
        made->utility.tag = "DISCARD PLANS";
    } else {
        return words.unexpected();
    }
    return made;
}

/// (a, b): each as its text. Nothing without a parenthesis.
Result<std::vector<std::string>> parse_list(std::string_view sql, Words& words) {
    std::vector<std::string> items;
    if (!words.take_symbol('(')) return items;
    if (words.take_symbol(')')) return items;
    int depth = 0;
    for (size_t begin = words.peek().offset, end = begin; !words.end();) {
        const Token& token = words.next();
        if (depth == 0 && (token.is_symbol(',') || token.is_symbol(')'))) {
            if (end == begin) return syntax_error(token.raw);
            items.emplace_back(sql.substr(begin, end - begin));
            if (token.is_symbol(')')) return items;
            begin = end = words.peek().offset;
            continue;
        }
        if (token.is_symbol('(') || token.is_symbol('[')) ++depth;
        if (token.is_symbol(')') || token.is_symbol(']')) --depth;
        end = token.offset + token.raw.size();
    }
    return words.unexpected();
}

/// PREPARE name [(types)] AS query
Result<Prepared> parse_prepare(std::string_view sql, Words& words) {
    auto made = make(Command::set);
    made->utility.named = Utility::Named::prepare;
    made->utility.tag = "PREPARE";
    if (words.peek().is("transaction")) return not_built("PREPARE TRANSACTION");
    made->utility.name = words.next().name();
    TARN_TRY(types, parse_list(sql, words));
    made->utility.arguments = std::move(types);
    if (!words.take("as") || words.end()) return words.unexpected();
    made->utility.query = std::string(words.rest());
    return made;
}

/// EXECUTE name [(values)]; `before` is what stands before it.
Result<Prepared> parse_execute(std::string_view sql, Words& words, std::string_view before) {
    auto made = make(Command::set);
    made->utility.named = Utility::Named::execute;
    made->utility.before = std::string(before);
    if (words.end()) return words.unexpected();
    made->utility.name = words.next().name();
    TARN_TRY(values, parse_list(sql, words));
    made->utility.arguments = std::move(values);
    if (!words.end()) return words.unexpected();
    return made;
}

/// DEALLOCATE [PREPARE] name | ALL. The door forgets its own of that name.
Result<Prepared> parse_deallocate(Words& words) {
    auto made = make(Command::discard);
    made->utility.discard = Utility::Discard::nothing;
    made->utility.named = Utility::Named::forget;
    if (words.peek().is("prepare") && words.peek(1).kind != Token::Kind::symbol) words.next();
    if (words.end()) return words.unexpected();
    made->utility.all = words.peek().is("all");
    made->utility.tag = made->utility.all ? "DEALLOCATE ALL" : "DEALLOCATE";
    made->utility.name = words.next().name();
    return made;
}

/// LOCK [TABLE] [ONLY] name [*], ... [IN mode MODE] [NOWAIT]
Result<Prepared> parse_lock(Words& words) {
    auto made = make(Command::set);
    made->utility.tag = "LOCK TABLE";
    words.take("table");
    do {
        words.take("only");
        if (words.end()) return words.unexpected();
        std::pair<std::string, std::string> name{"", words.next().name()};
        if (words.take_symbol('.')) name = {std::move(name.second), words.next().name()};
        words.take_symbol('*');
        made->utility.tables.push_back(std::move(name));
    } while (words.take_symbol(','));
    made->utility.locks_rows = true;
    if (words.take("in")) {
        // ACCESS SHARE, ROW SHARE and ROW EXCLUSIVE go beside others' changes.
        const bool access = words.peek().is("access") && words.peek(1).is("share");
        made->utility.locks_rows = !access && !words.peek().is("row");
        while (!words.end() && !words.peek().is("mode")) words.next();
        if (!words.take("mode")) return words.unexpected();
    }
    words.take("nowait");
    if (!words.end()) return words.unexpected();
    return made;
}

/// What PostgreSQL's owner has to do for its tables from time to time.
Prepared nothing_to_do(const char* tag) {
    auto made = make(Command::set);
    made->utility.tag = tag;
    made->utility.notice = fmt::format(
        "{} has nothing to do: the lake keeps its tables' files and statistics by itself", tag);
    return made;
}

/// DROP TABLE a, b and TRUNCATE a, b; nullopt: of one, which DuckDB takes.
std::optional<Prepared> parse_several(const std::vector<Token>& tokens) {
    const bool drops = tokens.front().is("drop");
    if (!drops && !tokens.front().is("truncate")) return std::nullopt;
    Command command = Command::truncate;
    size_t first = 1;
    const auto at = [&](size_t i) -> const Token& {
        static const Token kNone;
        return i < tokens.size() ? tokens[i] : kNone;
    };
    if (drops) {
        command = at(1).is("table")    ? Command::drop_table
                  : at(1).is("view")   ? Command::drop_view
                  : at(1).is("schema") ? Command::drop_schema
                                       : Command::empty;
        if (command == Command::empty) return std::nullopt;
        first = at(2).is("if") && at(3).is("exists") ? 4 : 2;
    } else if (at(1).is("table")) {
        first = 2;
    }
    std::string verb, how;
    bool restarts = false;
    for (size_t i = 0; i < first; ++i) verb.append(at(i).raw).append(" ");
    std::vector<std::string> names(1);
    for (size_t i = first; i < tokens.size(); ++i) {
        const bool ends =
            at(i).is("cascade") || at(i).is("restrict") ||
            ((at(i).is("continue") || at(i).is("restart")) && at(i + 1).is("identity"));
        restarts = restarts || (ends && at(i).is("restart"));
        if (at(i).is_symbol(',') && how.empty())
            names.emplace_back();
        else
            (ends || !how.empty() ? how.append(" ") : names.back()).append(at(i).raw);
    }
    if (names.size() == 1) return std::nullopt;
    if (!drops) how = restarts ? " restart identity" : "";  // no foreign key is enforced
    auto made = make(command);
    for (const auto& name : names) made->utility.parts.push_back(verb + name + how);
    return made;
}

Result<std::optional<Prepared>> dispatch(std::string_view sql, const std::vector<Token>& tokens,
                                         Words& words) {
    using Maybe = std::optional<Prepared>;
    const auto some = [](Result<Prepared> made) -> Result<Maybe> {
        if (!made.ok()) return std::move(made).error();
        return Maybe(std::move(made).value());
    };
    if (words.take("begin") || (words.peek().is("start") && words.peek(1).is("transaction")))
        return Maybe(parse_begin(words));
    if (words.take("commit") || words.take("end")) return Maybe(make(Command::commit));
    if (words.take("rollback") || words.take("abort")) {
        if (!words.take("transaction")) words.take("work");
        if (words.take("to")) return some(parse_savepoint(words, Utility::Savepoint::go_back));
        return Maybe(make(Command::rollback));
    }
    if (auto several = parse_several(tokens)) return Maybe(std::move(*several));
    if (words.peek().is("savepoint")) return some(parse_savepoint(words, Utility::Savepoint::make));
    if (words.take("release")) return some(parse_savepoint(words, Utility::Savepoint::release));
    if (!words.peek(1).is("constraints") && words.take("set")) return some(parse_set(words));
    if (words.take("reset")) {
        auto made = make(Command::reset);
        made->utility.name = words.next().name();
        made->utility.all = made->utility.name == "all";
        return Maybe(std::move(made));
    }
    if (words.peek().is("show") && !words.peek(1).is("tables") && !words.peek(1).is("databases")) {
        words.next();
        return some(parse_show(words));
    }
    if (words.take("copy")) {
        auto copy = parse_copy(sql, tokens);
        if (!copy.ok()) return std::move(copy).error();
        auto made = make(copy->from ? Command::copy_in : Command::copy_out);
        made->copy = std::move(copy).value();
        return Maybe(std::move(made));
    }
    if (words.take("declare")) return some(parse_declare(words));
    if (words.take("fetch")) return some(parse_fetch(words, false));
    if (words.take("move")) return some(parse_fetch(words, true));
    if (words.take("close")) {
        auto made = make(Command::close_cursor);
        made->utility.name = words.next().name();
        made->utility.all = made->utility.name == "all";
        return Maybe(std::move(made));
    }
    if (words.take("discard")) return some(parse_discard(words));
    if (words.take("deallocate")) return some(parse_deallocate(words));
    if (words.take("prepare")) return some(parse_prepare(sql, words));
    if (words.take("execute")) return some(parse_execute(sql, words, ""));
    if (words.peek().is("explain"))
        for (size_t i = 1; i < tokens.size() && i < 12; ++i)
            if (tokens[i].is("execute") && !tokens[i - 1].is_symbol('.')) {
                Words rest(sql, tokens);
                for (size_t skipped = 0; skipped <= i; ++skipped) rest.next();
                return some(parse_execute(sql, rest, sql.substr(0, tokens[i].offset)));
            }
    if (words.take("lock")) return some(parse_lock(words));
    if (words.peek().is("vacuum")) return Maybe(nothing_to_do("VACUUM"));
    if (words.peek().is("analyze") || words.peek().is("analyse"))
        return Maybe(nothing_to_do("ANALYZE"));
    TARN_TRY(rule, parse_rule_statement(sql, tokens));
    if (rule) return Maybe(std::move(*rule));
    if (words.peek().is("unlisten")) {
        auto made = make(Command::set);  // nothing was listened for
        made->utility.tag = "UNLISTEN";
        return Maybe(std::move(made));
    }
    if (words.peek().is("listen") || words.peek().is("notify"))
        return Error{Code::unimplemented,
                     fmt::format("{} is not supported\nHINT: Changes of tables are told by "
                                 "webhooks, which the lakefile declares.",
                                 words.peek().raw),
                     "0A000"};
    if (words.peek().is("grant") || words.peek().is("revoke"))
        return Error{Code::unimplemented,
                     fmt::format("{} is not supported\nHINT: What a role may see and change is "
                                 "declared in the lakefile, under roles and policies.",
                                 words.peek().raw),
                     "0A000"};
    for (const char* word : {"reindex", "cluster", "do", "attach", "detach", "install", "load",
                             "pragma", "call", "export", "import", "use", "checkpoint", "force"})
        if (words.peek().is(word)) return not_built(fmt::format("{}", words.peek().raw));
    return Maybe();
}

}  // namespace

Result<std::optional<std::unique_ptr<PreparedSql>>> parse_utility(
    std::string_view sql, const std::vector<Token>& tokens) {
    if (tokens.empty()) return std::optional<Prepared>(make(Command::empty));
    Words words(sql, tokens);
    TARN_TRY(made, dispatch(sql, tokens, words));
    if (made) (*made)->sql = std::string(sql);
    return made;
}

Command command_of(const duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::INSERT_STATEMENT:
            return Command::insert;
        case duck::StatementType::UPDATE_STATEMENT:
            return Command::update;
        case duck::StatementType::DELETE_STATEMENT:
            return Command::remove;
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return Command::merge;
        case duck::StatementType::EXPLAIN_STATEMENT:
            return Command::explain;
        case duck::StatementType::ALTER_STATEMENT:
            return Command::alter_table;
        case duck::StatementType::CREATE_STATEMENT: {
            const auto& info = *statement.Cast<duck::CreateStatement>().info;
            if (info.type == duck::CatalogType::SCHEMA_ENTRY) return Command::create_schema;
            if (info.type == duck::CatalogType::VIEW_ENTRY) return Command::create_view;
            return info.Cast<duck::CreateTableInfo>().query ? Command::create_table_as
                                                            : Command::create_table;
        }
        case duck::StatementType::DROP_STATEMENT:
            switch (statement.Cast<duck::DropStatement>().info->type) {
                case duck::CatalogType::SCHEMA_ENTRY:
                    return Command::drop_schema;
                case duck::CatalogType::VIEW_ENTRY:
                    return Command::drop_view;
                default:
                    return Command::drop_table;
            }
        default:
            return Command::select;
    }
}

bool changes_rows(Command command) {
    return command == Command::insert || command == Command::update || command == Command::remove ||
           command == Command::truncate || command == Command::merge;
}

bool changes_names(Command command) {
    switch (command) {
        case Command::create_schema:
        case Command::create_table:
        case Command::create_table_as:
        case Command::create_view:
        case Command::drop_schema:
        case Command::drop_table:
        case Command::drop_view:
        case Command::alter_table:
        case Command::comment:
            return true;
        default:
            return false;
    }
}

std::string tag_of(Command command, uint64_t rows) {
    switch (command) {
        case Command::empty:
            return "";
        case Command::select:
        case Command::create_table_as:
            return fmt::format("SELECT {}", rows);
        case Command::insert:
            return fmt::format("INSERT 0 {}", rows);
        case Command::update:
            return fmt::format("UPDATE {}", rows);
        case Command::remove:
            return fmt::format("DELETE {}", rows);
        case Command::truncate:
            return "TRUNCATE TABLE";
        case Command::merge:
            return fmt::format("MERGE {}", rows);
        case Command::create_schema:
            return "CREATE SCHEMA";
        case Command::create_table:
            return "CREATE TABLE";
        case Command::create_view:
            return "CREATE VIEW";
        case Command::drop_schema:
            return "DROP SCHEMA";
        case Command::drop_table:
            return "DROP TABLE";
        case Command::drop_view:
            return "DROP VIEW";
        case Command::alter_table:
            return "ALTER TABLE";
        case Command::begin:
            return "BEGIN";
        case Command::commit:
            return "COMMIT";
        case Command::rollback:
            return "ROLLBACK";
        case Command::set:
            return "SET";
        case Command::reset:
            return "RESET";
        case Command::show:
            return "SHOW";
        case Command::explain:
            return "EXPLAIN";
        case Command::copy_in:
        case Command::copy_out:
            return fmt::format("COPY {}", rows);
        case Command::declare_cursor:
            return "DECLARE CURSOR";
        case Command::fetch:
            return fmt::format("FETCH {}", rows);
        case Command::close_cursor:
            return "CLOSE CURSOR";
        case Command::discard:
            return "DISCARD ALL";
        case Command::comment:
            return "COMMENT";
    }
    return "";
}

}  // namespace tarn::query
