// Statements that the session answers itself: transactions, settings, cursors, COPY. Recognised by
// their first words.
#include <fmt/format.h>

#include <cstdlib>

#include "query/internal/error.h"
#include "query/internal/statement.h"

namespace tarn::query {

namespace {

Error syntax(std::string_view near) {
    return {Code::invalid_argument, fmt::format("syntax error at or near \"{}\"", near), "42601"};
}

/// Reads tokens front to back.
class Words {
 public:
    Words(std::string_view sql, const std::vector<Token>& tokens) : sql_(sql), tokens_(tokens) {}

    bool end() const { return at_ >= tokens_.size(); }
    const Token& peek(size_t ahead = 0) const {
        static const Token kNone;
        return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : kNone;
    }
    const Token& next() {
        const Token& token = peek();
        if (!end()) ++at_;
        return token;
    }
    bool take(std::string_view word) {
        if (!peek().is(word)) return false;
        ++at_;
        return true;
    }
    bool take_symbol(char c) {
        if (!peek().is_symbol(c)) return false;
        ++at_;
        return true;
    }
    Error unexpected() const { return syntax(end() ? "end of input" : peek().raw); }
    std::string_view rest() const {
        return end() ? std::string_view() : sql_.substr(peek().offset);
    }
    /// The text within the parentheses that begin here; leaves what follows.
    Result<std::string> take_parenthesised() {
        const size_t begin = peek().offset + 1;
        int depth = 0;
        while (!end()) {
            const Token& token = next();
            if (token.is_symbol('(')) ++depth;
            if (token.is_symbol(')') && --depth == 0)
                return std::string(sql_.substr(begin, token.offset - begin));
        }
        return unexpected();
    }

 private:
    std::string_view sql_;
    const std::vector<Token>& tokens_;
    size_t at_ = 0;
};

std::string value_text(const Token& token) {
    if (token.kind == Token::Kind::text) return token.literal();
    return token.kind == Token::Kind::quoted_word ? token.name() : std::string(token.raw);
}

using Prepared = std::unique_ptr<PreparedSql>;

Prepared make(Command command) {
    auto made = std::make_unique<PreparedSql>();
    made->command_ = command;
    return made;
}

/// ISOLATION LEVEL ..., READ ONLY: all are snapshot isolation; writes are decided by grants.
void skip_transaction_modes(Words& words) {
    while (!words.end()) words.next();
}

Result<Prepared> parse_set(Words& words) {
    auto made = make(Command::set);
    if (words.take("session")) {
        if (words.take("characteristics")) {
            skip_transaction_modes(words);
            made->utility.name = "default_transaction_isolation";
            made->utility.value = "repeatable read";
            return made;
        }
        if (words.take("authorization")) return not_built("SET SESSION AUTHORIZATION");
    } else if (words.take("local")) {
        made->utility.local = true;
    }
    if (words.take("transaction")) {
        skip_transaction_modes(words);
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

/// DISCARD ALL | TEMP | PLANS | SEQUENCES. Plans are the door's, and there are no sequences.
Result<Prepared> parse_discard(Words& words) {
    auto made = make(Command::discard);
    if (words.take("all")) return made;
    if (words.take("temp") || words.take("temporary")) {
        made->utility.discard = Utility::Discard::temporary;
        return made;
    }
    if (!words.take("plans") && !words.take("sequences")) return words.unexpected();
    made->utility.discard = Utility::Discard::nothing;
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
    for (size_t i = 0; i < first; ++i) verb.append(at(i).raw).append(" ");
    std::vector<std::string> names(1);
    for (size_t i = first; i < tokens.size(); ++i) {
        const bool ends = at(i).is("cascade") || at(i).is("restrict") ||
                          (at(i).is("restart") && at(i + 1).is("identity")) ||
                          (at(i).is("continue") && at(i + 1).is("identity"));
        if (at(i).is_symbol(',') && how.empty())
            names.emplace_back();
        else
            (ends || !how.empty() ? how.append(" ") : names.back()).append(at(i).raw);
    }
    if (names.size() == 1) return std::nullopt;
    if (!drops) how.clear();  // there are no sequences and no foreign keys
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
        return Maybe(make(Command::begin));
    if (words.take("commit") || words.take("end")) return Maybe(make(Command::commit));
    if (words.take("rollback") || words.take("abort")) {
        if (!words.take("transaction")) words.take("work");
        if (words.take("to")) return some(parse_savepoint(words, Utility::Savepoint::go_back));
        return Maybe(make(Command::rollback));
    }
    if (auto several = parse_several(tokens)) return Maybe(std::move(*several));
    if (words.peek().is("savepoint")) return some(parse_savepoint(words, Utility::Savepoint::make));
    if (words.take("release")) return some(parse_savepoint(words, Utility::Savepoint::release));
    if (words.take("set")) return some(parse_set(words));
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
    if (words.take("deallocate")) {
        auto made = make(Command::discard);
        made->utility.discard = Utility::Discard::nothing;
        return Maybe(std::move(made));
    }
    for (const char* word :
         {"listen",  "unlisten", "notify",  "lock",       "prepare", "execute", "vacuum",
          "analyze", "reindex",  "cluster", "grant",      "revoke",  "do",
          "comment", "attach",   "detach",  "install",    "load",    "pragma",  "call",
          "export",  "import",   "use",     "checkpoint", "force"})
        if (words.peek().is(word)) return not_built(fmt::format("{}", words.peek().raw));
    return Maybe();
}

struct CopyOption {
    std::string name;
    std::string value;
    std::vector<std::string> list;
    bool star = false;
};

Status apply_option(const CopyOption& option, bool& delimiter_set, bool& null_set, CopySpec& copy) {
    const auto one = [&](char& into) -> Status {
        if (option.value.size() != 1)
            return Error{Code::invalid_argument,
                         fmt::format("COPY {} must be a single one-byte character", option.name),
                         "22023"};
        into = option.value[0];
        return {};
    };
    if (option.name == "format") {
        if (option.value == "text")
            copy.format = CopyFormat::text;
        else if (option.value == "csv")
            copy.format = CopyFormat::csv;
        else if (option.value == "binary")
            copy.format = CopyFormat::binary;
        else
            return Error{Code::invalid_argument,
                         fmt::format("COPY format \"{}\" not recognized", option.value), "22023"};
        return {};
    }
    if (option.name == "delimiter" || option.name == "delimiters") {
        delimiter_set = true;
        return one(copy.delimiter);
    }
    if (option.name == "null") {
        null_set = true;
        copy.null_text = option.value;
        return {};
    }
    if (option.name == "header") {
        copy.header = option.value != "false" && option.value != "off" && option.value != "0";
        return {};
    }
    if (option.name == "quote") return one(copy.quote);
    if (option.name == "escape") return one(copy.escape);
    if (option.name == "force_quote") {
        copy.force_quote = option.list;
        copy.force_quote_all = option.star;
        return {};
    }
    if (option.name == "encoding" &&
        (option.value == "UTF8" || option.value == "utf8" || option.value == "UTF-8"))
        return {};
    if (option.name == "freeze" || option.name == "oids") return {};
    return not_built("COPY option " + option.name);
}

/// (name value, ...) or the words of old.
Result<std::vector<CopyOption>> parse_options(Words& words) {
    std::vector<CopyOption> options;
    words.take("with");
    if (words.take_symbol('(')) {
        while (true) {
            CopyOption option;
            option.name = words.next().name();
            if (words.peek().is_symbol('(')) {
                words.next();
                while (!words.end() && !words.take_symbol(')')) {
                    if (!words.peek().is_symbol(',')) option.list.push_back(words.peek().name());
                    words.next();
                }
            } else if (words.peek().is_symbol('*')) {
                words.next();
                option.star = true;
            } else if (!words.peek().is_symbol(',') && !words.peek().is_symbol(')')) {
                option.value = value_text(words.next());
                if (option.name == "format" || option.name == "header")
                    for (char& c : option.value)
                        c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
            }
            options.push_back(std::move(option));
            if (words.take_symbol(')')) break;
            if (!words.take_symbol(',')) return words.unexpected();
        }
    } else {
        while (!words.end()) {
            CopyOption option;
            option.name = words.next().name();
            if (option.name == "csv" || option.name == "binary") {
                option.value = option.name;
                option.name = "format";
            } else if (option.name == "delimiter" || option.name == "null" ||
                       option.name == "quote" || option.name == "escape" ||
                       option.name == "delimiters") {
                words.take("as");
                option.value = value_text(words.next());
            } else if (option.name != "header") {
                return syntax(option.name);
            }
            options.push_back(std::move(option));
        }
    }
    if (!words.end()) return words.unexpected();
    return options;
}

}  // namespace

Result<CopySpec> parse_copy(std::string_view sql, const std::vector<Token>& tokens) {
    Words words(sql, tokens);
    CopySpec copy;
    words.take("copy");
    if (words.peek().is_symbol('(')) {
        TARN_TRY(query, words.take_parenthesised());
        copy.query = std::move(query);
    } else {
        copy.table = words.next().name();
        if (words.take_symbol('.')) {
            copy.database = std::move(copy.table);
            copy.table = words.next().name();
        }
        if (words.take_symbol('(')) {
            while (true) {
                copy.columns.push_back(words.next().name());
                if (words.take_symbol(')')) break;
                if (!words.take_symbol(',')) return words.unexpected();
            }
        }
    }
    if (words.take("from")) {
        if (!copy.query.empty()) return words.unexpected();
        copy.from = true;
        if (!words.take("stdin"))
            return Error{Code::permission_denied, "COPY reads from STDIN only", "42501"};
    } else if (words.take("to")) {
        if (!words.take("stdout"))
            return Error{Code::permission_denied, "COPY writes to STDOUT only", "42501"};
    } else {
        return words.unexpected();
    }
    TARN_TRY(options, parse_options(words));
    bool delimiter_set = false;
    bool null_set = false;
    bool escape_set = false;
    for (const auto& option : options) {
        TARN_CHECK_OK(apply_option(option, delimiter_set, null_set, copy));
        escape_set = escape_set || option.name == "escape";
    }
    if (copy.format == CopyFormat::csv) {
        if (!delimiter_set) copy.delimiter = ',';
        if (!null_set) copy.null_text.clear();
        if (!escape_set) copy.escape = copy.quote;
    } else if (copy.header && copy.format == CopyFormat::binary) {
        return Error{Code::invalid_argument, "COPY HEADER in BINARY mode", "22023"};
    }
    return copy;
}

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
