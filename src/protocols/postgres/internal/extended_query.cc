// Parse, Bind, Describe, Execute, Close.
#include "protocols/postgres/internal/conversation.h"
#include "protocols/postgres/internal/errors.h"

namespace tarn::postgres {

using query::Command;
using query::Type;

namespace {

Error no_statement(std::string_view name) {
    return Error(Code::not_found,
                 name.empty() ? "unnamed prepared statement does not exist"
                              : "prepared statement \"" + std::string(name) + "\" does not exist",
                 "26000");
}
Error no_portal(std::string_view name) {
    return Error(Code::not_found, "portal \"" + std::string(name) + "\" does not exist", "34000");
}

bool is_text(query::Kind kind) {
    using query::Kind;
    return kind == Kind::text || kind == Kind::json || kind == Kind::jsonb || kind == Kind::null;
}

/// The word that begins at `at`, lower case unless quoted; `at` moves behind it and the blanks.
std::string take_word(std::string_view sql, size_t& at) {
    std::string word;
    const auto blank = [&] { return at < sql.size() && (sql[at] == ' ' || sql[at] == '\n'); };
    if (at < sql.size() && sql[at] == '"') {
        for (++at; at < sql.size() && sql[at] != '"'; ++at) word.push_back(sql[at]);
        ++at;
    } else {
        for (; at < sql.size() && !blank() && sql[at] != ';'; ++at)
            word.push_back(sql[at] >= 'A' && sql[at] <= 'Z' ? static_cast<char>(sql[at] | 0x20)
                                                            : sql[at]);
    }
    while (blank()) ++at;
    return word;
}

}  // namespace

Status Conversation::parse(const Message& message) {
    TARN_TRY(parsed, parse_parse(message.body));
    if (!is_utf8(parsed.sql))
        return Error(Code::invalid_argument, "invalid byte sequence for encoding \"UTF8\"",
                     "22021");
    if (!parsed.name.empty() && statements_.contains(parsed.name))
        return Error(Code::already_exists,
                     "prepared statement \"" + std::string(parsed.name) + "\" already exists",
                     "42P05");
    if (statements_.size() >= door_.options.statements_max)
        return Error(Code::exhausted, "too many prepared statements: close some", "53400");
    if (query::split_statements(parsed.sql).size() > 1)
        return Error(Code::invalid_argument,
                     "cannot insert multiple commands into a prepared statement", "42601");
    std::vector<std::optional<Type>> types;
    for (const uint32_t oid : parsed.types) types.push_back(query::type_of_pg_oid(oid));
    current_sql_ = parsed.sql;
    TARN_TRY(prepared, prepare(parsed.sql, &types));
    prepared->declared = std::move(parsed.types);
    statements_.insert_or_assign(std::string(parsed.name), std::move(prepared));
    append_empty(out_, '1');
    return ok_status();
}

Status Conversation::bind(const Message& message) {
    TARN_TRY(bound, parse_bind(message.body));
    const auto found = statements_.find(bound.statement);
    if (found == statements_.end()) return no_statement(bound.statement);
    if (!bound.portal.empty() && portals_.contains(bound.portal))
        return Error(Code::already_exists,
                     "portal \"" + std::string(bound.portal) + "\" already exists", "42P03");
    if (portals_.size() >= door_.options.portals_max)
        return Error(Code::exhausted, "too many open portals: close some", "53400");
    auto portal = std::make_shared<Portal>();
    portal->prepared = found->second;
    static const std::vector<Type> kNone;
    const auto* statement = portal->prepared->statement.get();
    TARN_TRY(parameters, read_parameters(bound, statement ? statement->parameters() : kNone));
    portal->parameters = std::move(parameters);
    const size_t columns = statement ? statement->columns().size() : 0;
    if (bound.result_formats.size() > 1 && bound.result_formats.size() != columns)
        return protocol_error("bind message has " + std::to_string(bound.result_formats.size()) +
                              " result formats but query has " + std::to_string(columns) +
                              " columns");
    portal->formats = std::move(bound.result_formats);
    portals_.insert_or_assign(std::string(bound.portal), std::move(portal));
    append_empty(out_, '2');
    return ok_status();
}

Result<std::vector<query::Value>> Conversation::read_parameters(
    const BindMessage& bind, const std::vector<Type>& types) const {
    if (bind.parameters.size() != types.size())
        return protocol_error("bind message supplies " + std::to_string(bind.parameters.size()) +
                              " parameters, but prepared statement \"" +
                              std::string(bind.statement) + "\" requires " +
                              std::to_string(types.size()));
    if (bind.parameter_formats.size() > 1 && bind.parameter_formats.size() != types.size())
        return protocol_error("bind message has " + std::to_string(bind.parameter_formats.size()) +
                              " parameter formats but " + std::to_string(types.size()) +
                              " parameters");
    std::vector<query::Value> values;
    for (size_t i = 0; i < types.size(); ++i) {
        if (!bind.parameters[i]) {
            values.emplace_back();
            continue;
        }
        const std::string_view bytes = *bind.parameters[i];
        const bool text = format_of(bind.parameter_formats, i) == Format::text;
        if ((text || is_text(types[i].kind)) &&
            (!is_utf8(bytes) || bytes.find('\0') != std::string_view::npos))
            return Error(Code::invalid_argument, "invalid byte sequence for encoding \"UTF8\"",
                         "22021");
        auto value =
            text ? query::parse_pg_text(types[i], bytes) : query::parse_pg_binary(types[i], bytes);
        if (!value.ok()) return std::move(value).error();
        values.push_back(std::move(value).value());
    }
    return values;
}

Status Conversation::describe(const Message& message) {
    TARN_TRY(target, parse_target(message.body));
    const Prepared* prepared = nullptr;
    std::vector<int16_t> formats;
    if (target.kind == 'S') {
        const auto found = statements_.find(target.name);
        if (found == statements_.end()) return no_statement(target.name);
        prepared = found->second.get();
        append_parameter_description(
            out_, prepared->statement ? prepared->statement->parameters() : std::vector<Type>(),
            prepared->declared);
    } else {
        const auto found = portals_.find(target.name);
        if (found == portals_.end()) return describe_cursor(target.name);
        prepared = found->second->prepared.get();
        formats = found->second->formats;
    }
    if (prepared->statement && prepared->statement->returns_rows())
        append_row_description(out_, prepared->statement->columns(), formats);
    else
        append_empty(out_, 'n');
    return ok_status();
}

/// SQL's cursors (DECLARE) are portals of the same name to clients.
Status Conversation::describe_cursor(std::string_view name) {
    std::string quoted;
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    if (name.empty() || !is_utf8(name)) return no_portal(name);
    TARN_TRY(fetch, session_->prepare("fetch from \"" + quoted + "\"", {}));
    append_row_description(out_, fetch->columns(), {});
    return ok_status();
}

Status Conversation::execute(const Message& message, char next_type) {
    TARN_TRY(wanted, parse_execute(message.body));
    const auto found = portals_.find(wanted.portal);
    if (found == portals_.end()) return no_portal(wanted.portal);
    const auto portal = found->second;
    current_sql_ = portal->prepared->sql;
    if (portal->command() == Command::empty) {
        append_empty(out_, 'I');
        return ok_status();
    }
    if (portal->done) {
        if (!portal->prepared->statement->returns_rows())
            return Error(Code::precondition_failed,
                         "portal \"" + std::string(wanted.portal) + "\" cannot be run", "55000");
        append_command_complete(out_, "SELECT 0");
        return ok_status();
    }
    if (portal->suspended) {
        running_ = portal;
        running_since_ = door_.parts.clock.steady();
        rows_max_ = static_cast<uint64_t>(wanted.rows_max);
        rows_sent_ = 0;
        mode_ = Mode::rows;
        return ok_status();
    }
    return run(portal, next_type == 'S', static_cast<uint64_t>(wanted.rows_max));
}

Status Conversation::close(const Message& message) {
    TARN_TRY(target, parse_target(message.body));
    if (target.kind == 'S') {
        const auto found = statements_.find(target.name);
        if (found != statements_.end()) statements_.erase(found);
    } else {
        const auto found = portals_.find(target.name);
        if (found != portals_.end()) portals_.erase(found);
    }
    append_empty(out_, '3');
    return ok_status();
}

/// DEALLOCATE name, DEALLOCATE ALL, DISCARD ALL: prepared statements of the protocol have the same
/// names as SQL's.
void Conversation::forget_statements(std::string_view sql) {
    size_t at = 0;
    const std::string verb = take_word(sql, at);
    std::string name = take_word(sql, at);
    if (name == "prepare" && at < sql.size()) name = take_word(sql, at);
    if (name == "all") {
        statements_.clear();
        return;
    }
    if (verb != "deallocate") return;
    const auto found = statements_.find(name);
    if (found != statements_.end()) statements_.erase(found);
}

}  // namespace tarn::postgres
