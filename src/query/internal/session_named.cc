// PREPARE, EXECUTE and DEALLOCATE: a prepared statement is its text, and EXECUTE is that text with the values in the places of the
// parameters, so that it is bound, authorised and recorded as any other statement.
#include <fmt/format.h>

#include "query/internal/session.h"

namespace tarn::query {

namespace {

constexpr size_t kNamedStatementsMax = 256;
constexpr size_t kNamedBytesMax = 4u << 20;  // of the texts of one session

}  // namespace

Status LakeSession::keep_statement(const Utility& wanted) {
    if (named_.contains(wanted.name))
        return Error{Code::already_exists,
                     fmt::format("prepared statement \"{}\" already exists", wanted.name), "42P05"};
    size_t bytes = wanted.query.size();
    for (const auto& [name, statement] : named_) bytes += statement.sql.size();
    if (named_.size() >= kNamedStatementsMax || bytes > kNamedBytesMax)
        return Error{Code::exhausted,
                     fmt::format("a session has at most {} prepared statements, of {} MiB together: DEALLOCATE some",
                                 kNamedStatementsMax, kNamedBytesMax >> 20),
                     "53400"};
    std::vector<std::optional<Type>> types;
    if (!wanted.arguments.empty()) {
        std::string nulls;
        for (const auto& type : wanted.arguments)
            nulls += fmt::format("{}CAST(NULL AS {})", nulls.empty() ? "SELECT " : ", ", type);
        TARN_TRY(found, prepare_query(nulls, tokenize(nulls), {}, Described::before));
        for (const auto& column : found->columns_) types.emplace_back(column.type);
        if (types.size() != wanted.arguments.size())
            return Error{Code::invalid_argument, "a type of a parameter is not understood", "42601"};
    }
    TARN_TRY(made, prepare_query(wanted.query, tokenize(wanted.query), types, Described::before));
    error_position_ = 0;  // of the inner text
    if (made->command_ != Command::select && made->command_ != Command::insert &&
        made->command_ != Command::update && made->command_ != Command::remove &&
        made->command_ != Command::merge)
        return Error{Code::invalid_argument, "PREPARE takes SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES", "42601"};
    NamedStatement kept{wanted.query, wanted.arguments};
    for (size_t i = kept.types.size(); i < made->parameters_.size(); ++i)
        kept.types.push_back(sql_name(made->parameters_[i]));
    named_.emplace(wanted.name, std::move(kept));
    return {};
}

Result<std::string> LakeSession::expand(const Utility& wanted) const {
    const auto found = named_.find(wanted.name);
    if (found == named_.end())
        return Error{Code::not_found,
                     fmt::format("prepared statement \"{}\" does not exist", wanted.name), "26000"};
    const auto& [sql, types] = found->second;
    if (wanted.arguments.size() != types.size())
        return Error{Code::invalid_argument,
                     fmt::format("wrong number of parameters for prepared statement \"{}\"\n"
                                 "DETAIL: Expected {} parameters but got {}.",
                                 wanted.name, types.size(), wanted.arguments.size()),
                     "42601"};
    EditedSql expanded(sql);
    for (const auto& token : tokenize(sql)) {
        if (token.kind != Token::Kind::parameter) continue;
        const size_t number = std::strtoul(token.raw.data() + 1, nullptr, 10);
        if (number == 0 || number > types.size()) continue;
        expanded.replace(token.offset, token.raw.size(),
                         fmt::format("CAST({} AS {})", wanted.arguments[number - 1], types[number - 1]));
    }
    return wanted.before + expanded.finish();
}

void LakeSession::forget_statements(const Utility& wanted) {
    if (wanted.all)
        named_.clear();
    else
        named_.erase(wanted.name);  // else it is the door's
}

}  // namespace tarn::query
