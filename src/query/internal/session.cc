#include "query/internal/session.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "duckdb/parser/statement/explain_statement.hpp"
#include "query/internal/add_column.h"
#include "query/internal/casts.h"
#include "query/internal/column_names.h"
#include "query/internal/cursors.h"
#include "query/internal/declared_columns.h"
#include "query/internal/duck_types.h"
#include "query/internal/functions_in_from.h"
#include "query/internal/origins.h"
#include "query/internal/parameters.h"
#include "query/internal/running.h"
#include "query/internal/setting_functions.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

constexpr size_t kSqlBytesMax = 16u << 20;
constexpr const char* kPublic = "public";

Error aborted() {
    return {Code::precondition_failed,
            "current transaction is aborted, commands ignored until end of transaction block",
            "25P02"};
}

/// Whether a table or a view is to be created in a schema `public` that is not there. Throws.
bool lacks_public(duck::ClientContext& context, duck::SQLStatement& parsed) {
    if (parsed.type != duck::StatementType::CREATE_STATEMENT) return false;
    const auto& info = *parsed.Cast<duck::CreateStatement>().info;
    const bool relation =
        info.type == duck::CatalogType::TABLE_ENTRY || info.type == duck::CatalogType::VIEW_ENTRY;
    if (!relation || info.temporary || !info.catalog.empty() ||
        !duck::StringUtil::CIEquals(info.schema, kPublic))
        return false;
    bool lacks = false;
    context.RunFunctionInTransaction(
        [&] {
            lacks = !duck::Catalog::GetSchema(context, kLake, kPublic,
                                              duck::OnEntryNotFound::RETURN_NULL);
        },
        false);
    return lacks;
}

/// A dump of a PostgreSQL creates tables in `public` and not the schema, which every database there
/// has (docs/decisions/0019).
Status create_public(Session& session) {
    TARN_TRY(create, session.prepare("CREATE SCHEMA IF NOT EXISTS public", {}));
    const auto done = session.execute(*create, {});
    // Another session may have made it since this one looked.
    if (!done.ok() && done.error().code == Code::already_exists &&
        session.transaction_state() == TransactionState::idle)
        return {};
    return done.ok() ? Status() : Status(done.error());
}

/// PostgreSQL counts characters from 1.
uint32_t character_position(std::string_view sql, size_t offset) {
    uint32_t position = 1;
    for (size_t i = 0; i < offset && i < sql.size(); ++i)
        if ((static_cast<unsigned char>(sql[i]) & 0xc0) != 0x80) ++position;
    return position;
}

}  // namespace

LakeSession::LakeSession(Services& services, Admission& admission,
                         std::unique_ptr<duck::Connection> connection, security::Caller caller,
                         std::vector<std::string> search_path, std::function<void()> gone)
    : services_(services),
      admission_(admission),
      connection_(std::move(connection)),
      caller_(std::move(caller)),
      gone_(std::move(gone)),
      settings_(is_server() ? std::chrono::milliseconds(0) : services.options.statement_timeout),
      default_path_(search_path.empty() ? "main" : search_path.front()) {
    static_cast<void>(settings_.set("search_path", default_path_));
    open_settings(
        *connection_->context, [this](const auto& name) { return settings_.get(name); },
        [this](const auto& name, const auto& value, SettingScope scope) {
            return apply_setting(name, value, scope);
        });
}

LakeSession::~LakeSession() {
    cursors_.clear();
    if (state_ != TransactionState::idle) static_cast<void>(rollback());
    connection_.reset();
    if (gone_) gone_();
}

Result<std::shared_ptr<Admission::Slot>> LakeSession::enter() {
    const auto timeout = settings_.statement_timeout();
    const auto deadline = timeout.count() == 0 ? std::chrono::steady_clock::time_point::max()
                                               : std::chrono::steady_clock::now() + timeout;
    duck::weak_ptr<duck::ClientContext> context = connection_->context;
    TARN_TRY(slot, admission_.enter(
                       is_server() ? std::string() : caller_.principal.arn,
                       [context] {
                           if (const auto alive = context.lock()) alive->Interrupt();
                       },
                       deadline));
    SessionState::of(*connection_->context).slot = slot;
    return slot;
}

Error LakeSession::failed(Error error) {
    if (state_ == TransactionState::active) state_ = TransactionState::failed;
    return error;
}

Error LakeSession::failed(const duck::ErrorData& data, const PreparedSql* statement,
                          const Admission::Slot* slot) {
    auto located =
        to_error(data, statement ? std::string_view(statement->duck_sql) : std::string_view());
    auto& session = SessionState::of(*connection_->context);
    if (session.commit_error) {
        located.error = *std::exchange(session.commit_error, std::nullopt);
        if (located.error.code == Code::conflict) located.error.reason = "40001";
    }
    if (located.error.reason == "57014" && slot) {
        switch (slot->reason()) {
            case EndReason::timed_out:
                located.error = {Code::timed_out, "canceling statement due to statement timeout",
                                 "57014"};
                break;
            case EndReason::memory:
                located.error = {Code::exhausted,
                                 "the statement was ended: the server ran out of memory", "53200"};
                break;
            default:
                break;
        }
    }
    if (located.offset && statement)
        error_position_ =
            character_position(statement->sql, statement->edits.original_offset(*located.offset));
    return failed(std::move(located.error));
}

Status LakeSession::check_usable(Command command) const {
    if (state_ == TransactionState::failed && command != Command::rollback &&
        command != Command::commit && command != Command::empty)
        return aborted();
    return {};
}

Status LakeSession::settle_open_cursor() {
    if (!open_cursor_) return {};
    return std::exchange(open_cursor_, nullptr)->detach();
}

Result<std::unique_ptr<Statement>> LakeSession::prepare(
    std::string_view sql, const std::vector<std::optional<Type>>& types, Described described) {
    error_position_ = 0;
    end_statement_settings();
    if (sql.size() > kSqlBytesMax)
        return failed({Code::invalid_argument, "the statement is too long", "54000"});
    const auto tokens = tokenize(sql);
    auto utility = parse_utility(sql, tokens);
    if (!utility.ok()) return failed(std::move(utility).error());
    if (*utility) {
        auto made = std::move(**utility);
        TARN_CHECK_OK(check_usable(made->command_));
        if (made->utility.named == Utility::Named::execute) {
            auto expanded = expand(made->utility);
            if (!expanded.ok()) return failed(std::move(expanded).error());
            auto statement = prepare(*expanded, types, described);
            error_position_ = 0;  // in a text that the client has not written
            return statement;
        }
        if (made->command_ == Command::copy_in || made->command_ == Command::copy_out) {
            const Status columns = describe_copy(*made);
            if (!columns.ok()) return failed(columns.error());
        }
        if (made->command_ == Command::fetch) {
            const auto cursor = cursors_.find(made->utility.name);
            if (cursor == cursors_.end())
                return failed({Code::not_found,
                               fmt::format("cursor \"{}\" does not exist", made->utility.name),
                               "34000"});
            if (!made->utility.moves) made->columns_ = cursor->second->columns();
        }
        return std::unique_ptr<Statement>(std::move(made));
    }
    TARN_CHECK_OK(check_usable(Command::select));
    TARN_TRY(made, prepare_query(sql, tokens, types, described));
    return std::unique_ptr<Statement>(std::move(made));
}

Status LakeSession::parse(PreparedSql& statement, const std::vector<Token>& tokens,
                          const std::vector<std::optional<Type>>& types) {
    statement.clauses = {};
    statement.edits =
        rewrite_spellings(statement.sql, tokens, types, &statement.clauses, postgres_names_);
    statement.duck_sql = statement.edits.finish();
    if (statement.clauses.refused) return failed(*statement.clauses.refused);
    try {
        duck::Parser parser(parser_options());
        parser.ParseQuery(statement.duck_sql);
        if (parser.statements.size() != 1)
            return failed({Code::invalid_argument,
                           "cannot insert multiple commands into a prepared statement", "42601"});
        statement.parsed = std::move(parser.statements[0]);
        join_add_column(statement.parsed);
        declare_columns(*statement.parsed);
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), &statement, nullptr);
    }
    const Status allowed = check_statement(*statement.parsed);
    if (!allowed.ok()) return failed(allowed.error());
    call_functions_in_from(*statement.parsed);
    if (postgres_names_) name_columns(*statement.parsed);
    try {
        cut_casts(*statement.parsed);
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), &statement, nullptr);
    }
    if (postgres_names_) keep_casts(*statement.parsed);
    return {};
}

Result<std::unique_ptr<PreparedSql>> LakeSession::prepare_query(
    std::string_view sql, const std::vector<Token>& tokens,
    const std::vector<std::optional<Type>>& types, Described described) {
    auto made = std::make_unique<PreparedSql>();
    made->sql = std::string(sql);
    const auto parameters = parameter_count(tokens);
    if (!parameters) return failed({Code::invalid_argument, "there is no such parameter", "42P02"});
    std::vector<std::optional<Type>> known(types);
    known.resize(*parameters);
    // The tokens point into `sql`; made->sql holds the same bytes.
    TARN_CHECK_OK(parse(*made, tokens, known));
    made->command_ = command_of(*made->parsed);
    if (made->command_ == Command::remove && tokens.front().is("truncate"))
        made->command_ = Command::truncate;
    if (made->command_ == Command::alter_table && tokens.front().is("comment"))
        made->command_ = Command::comment;
    if (described == Described::before || !known.empty())
        TARN_CHECK_OK(describe(*made, tokens, std::move(known)));
    return made;
}

Status LakeSession::describe(PreparedSql& statement, const std::vector<Token>& tokens,
                             std::vector<std::optional<Type>> types) {
    TARN_CHECK_OK(settle_open_cursor());
    auto slot = enter();
    if (!slot.ok()) return failed(std::move(slot).error());
    const RunningCall call(*this);
    auto arrays = array_parameters(tokens);
    std::erase_if(arrays, [&](size_t number) { return types[number - 1].has_value(); });
    try {  // twice at most: what the first round leaves open is text
        if (!std::all_of(types.begin(), types.end(), [](const auto& type) { return type; }))
            compare_operands(*statement.parsed);
        for (int round = 0;; ++round) {
            auto facts = bind_statement(*connection_->context, to_bind(statement));
            bool open = false;
            for (const auto& [name, type] : facts.parameters) {
                const size_t number = std::strtoul(name.c_str(), nullptr, 10);
                if (number == 0 || number > types.size() || types[number - 1]) continue;
                const bool known = type.IsValid() && type.id() != duck::LogicalTypeId::UNKNOWN &&
                                   type.id() != duck::LogicalTypeId::SQLNULL &&
                                   type.id() != duck::LogicalTypeId::ANY;
                types[number - 1] = known ? type_from_duck(type) : Type(Kind::text);
                open = true;
            }
            for (auto& type : types) {
                if (type) continue;
                type = Kind::text;
                open = true;
            }
            for (const size_t number : arrays)  // what was found is the type of an element
                types[number - 1] = Type::list(*types[number - 1]);
            arrays.clear();
            if (open && round < 2) {
                TARN_CHECK_OK(parse(statement, tokens, types));
                continue;
            }
            if (!facts.complete) {  // DuckDB gives up on a parameter in a lambda
                duck::vector<duck::LogicalType> all;
                for (const auto& type : types) all.push_back(type_to_duck(*type));
                facts = bind_statement(*connection_->context, to_bind(statement), all);
            }
            if (!postgres_names_) facts.origins.clear();
            statement.describe(facts.gives_rows, facts.names, facts.types, facts.origins);
            break;
        }
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), &statement, slot->get());
    }
    for (const auto& type : types) statement.parameters_.push_back(type.value_or(Kind::text));
    return {};
}

void PreparedSql::describe(bool gives_rows, const duck::vector<duck::string>& names,
                           const duck::vector<duck::LogicalType>& types,
                           const std::vector<ColumnOrigin>& origins) {
    described = true;
    returns_rows_ = gives_rows && (command_ == Command::select || command_ == Command::explain ||
                                   command_ == Command::insert || command_ == Command::update ||
                                   command_ == Command::remove);
    if (command_ == Command::explain)
        columns_ = {{"QUERY PLAN", Kind::text, {}}};
    else if (returns_rows_)
        columns_ = result_columns(names, types, origins);
}

/// In PostgreSQL a statement that is a transaction by itself waits for others that change the same
/// rows, and does not fail. Here it finds at its commit that they were first, and is run again
/// (docs/decisions/0017).
Result<std::unique_ptr<Cursor>> LakeSession::execute(Statement& given,
                                                     const std::vector<Value>& parameters) {
    error_position_ = 0;
    end_statement_settings();
    auto& statement = static_cast<PreparedSql&>(given);
    TARN_CHECK_OK(check_usable(statement.command_));
    TARN_CHECK_OK(check_read_only(statement, false));
    if (!statement.parsed) {
        SessionState::of(*connection_->context).touched.clear();
        return execute_utility(statement);
    }
    const bool by_itself = state_ == TransactionState::idle &&
                           (changes_rows(statement.command_) || statement.clauses.fills_column);
    Again again;
    auto done = execute_once(statement, parameters);
    while (by_itself && !done.ok()) {
        TARN_TRY(more, once_more(again, done.error()));
        if (!more) break;
        done = execute_once(statement, parameters);
    }
    return done;
}

/// Those that run again on the table of the last commit go one after the other, so that they are in
/// the way of new ones only. Whoever waits has no place among the running statements.
Result<bool> LakeSession::once_more(Again& again, const Error& why) {
    constexpr int kAttemptsMax = 20;
    constexpr std::chrono::seconds kBeginsFor{30}, kWait{5};
    if (why.reason != "40001" || ++again.attempts > kAttemptsMax ||
        std::chrono::steady_clock::now() - again.begun >= kBeginsFor)
        return false;
    error_position_ = 0;
    const auto& table = SessionState::of(*connection_->context).commit_table;
    if (again.turn.held() || table.empty()) return true;
    const RunningCall call(*this);
    again.turn = tables::take_turn(services_.parts.catalog, table + " again",
                                   tables::TurnKind::alone, kWait);
    const std::lock_guard<std::mutex> lock(running_mutex_);
    if (!cancelled_) return true;
    return failed({Code::cancelled, "canceling statement due to user request", "57014"});
}

Result<std::unique_ptr<Cursor>> LakeSession::execute_once(PreparedSql& statement,
                                                          const std::vector<Value>& parameters) {
    SessionState::of(*connection_->context).touched.clear();
    TARN_TRY(meaning, meaning_of(statement));
    TARN_CHECK_OK(check_read_only(statement, true));
    const auto& clauses = statement.clauses;
    notices_.insert(notices_.end(), clauses.notices.begin(), clauses.notices.end());
    if (!statement.changes_temporary && (clauses.restarts_identity || clauses.fills_column))
        return change_in_steps(statement, std::move(meaning), parameters);
    if (statement.keyed) return change_keyed(statement, std::move(meaning), parameters);
    return statement.changes_temporary ? change_temporary(statement, std::move(meaning), parameters)
                                       : start(statement, std::move(meaning), parameters);
}

Result<duck::unique_ptr<duck::SQLStatement>> LakeSession::meaning_of(PreparedSql& statement) {
    TARN_CHECK_OK(settle_open_cursor());
    queried_ = true;
    try {
        if (lacks_public(*connection_->context, *statement.parsed))
            TARN_CHECK_OK(create_public(*this));
        auto meaning = to_bind(statement);
        if (statement.clauses.locks.wanted)
            TARN_CHECK_OK(lock_rows(*meaning, statement.clauses.locks));
        return meaning;
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), &statement, nullptr);
    }
}

/// Up to its first rows. Whoever asks for memory when others have taken it all fails, however
/// little it was: a query that has shown nothing yet waits for what the greedy one gives back when
/// it fails itself.
Result<duck::unique_ptr<duck::QueryResult>> LakeSession::run_to_rows(
    PreparedSql& statement, duck::unique_ptr<duck::SQLStatement> meaning,
    const std::vector<Value>& parameters, Admission::Slot& slot, RunningCall& call) {
    using std::chrono::milliseconds;
    constexpr milliseconds kLong{1000};  // who ran for so long may be the greedy one
    duck::case_insensitive_map_t<duck::BoundParameterData> values;
    for (size_t i = 0; i < parameters.size(); ++i)
        if (statement.parameters_[i].kind != Kind::null)  // else the statement has no such one
            values[std::to_string(i + 1)] =
                duck::BoundParameterData(value_to_duck(statement.parameters_[i], parameters[i]));
    const duck::QueryParameters how(statement.command_ == Command::select);
    for (milliseconds pause{100};; pause *= 3) {
        const auto begun = std::chrono::steady_clock::now();
        auto pending = values.empty() ? connection_->PendingQuery(std::move(meaning), how)
                                      : connection_->PendingQuery(std::move(meaning), values, how);
        duck::unique_ptr<duck::QueryResult> result;
        if (!pending->HasError()) {
            if (!statement.described)
                statement.describe(
                    pending->properties.return_type == duck::StatementReturnType::QUERY_RESULT,
                    pending->names, pending->types, origins());
            call.began();
            result = execute_pending(*pending);
            if (!result->HasError()) return result;
        }
        const auto& problem = result ? result->GetErrorObject() : pending->GetErrorObject();
        const bool waits = problem.Type() == duck::ExceptionType::OUT_OF_MEMORY &&
                           statement.command_ == Command::select &&
                           state_ == TransactionState::idle && pause < kLong &&
                           std::chrono::steady_clock::now() - begun < kLong && !admission_.alone();
        if (!waits) return failed(problem, &statement, &slot);
        std::this_thread::sleep_for(pause);
        meaning = to_bind(statement);
    }
}

Result<std::unique_ptr<Cursor>> LakeSession::start(PreparedSql& statement,
                                                   duck::unique_ptr<duck::SQLStatement> meaning,
                                                   const std::vector<Value>& parameters) {
    TARN_CHECK_OK(settle_open_cursor());
    if (parameters.size() != statement.parameters_.size())
        return failed({Code::invalid_argument,
                       fmt::format("the statement has {} parameters, {} values were given",
                                   statement.parameters_.size(), parameters.size()),
                       "08P01"});
    auto slot = enter();
    if (!slot.ok()) return failed(std::move(slot).error());
    RunningCall call(*this);
    try {
        TARN_TRY(result, run_to_rows(statement, std::move(meaning), parameters, **slot, call));
        if (statement.returns_rows_) {
            auto columns = statement.columns_;
            if (statement.command_ == Command::explain) {
                std::vector<Chunk> chunks(1);
                chunks[0].columns.emplace_back(Kind::text);
                while (auto rows = result->Fetch()) {
                    if (rows->size() == 0) break;
                    for (duck::idx_t row = 0; row < rows->size(); ++row)
                        for (const auto& line :
                             duck::StringUtil::Split(rows->GetValue(1, row).ToString(), "\n"))
                            chunks[0].columns[0].append_text(line);
                }
                return std::unique_ptr<Cursor>(std::make_unique<FixedCursor>(
                    std::move(columns), std::move(chunks), "EXPLAIN"));
            }
            if (result->types.size() != columns.size())
                return failed({Code::conflict, "cached plan must not change result type", "0A000"});
            columns = result_columns(result->names, result->types, origins());
            auto cursor = std::make_unique<QueryCursor>(*this, statement.command_,
                                                        std::move(columns), std::move(result));
            open_cursor_ = cursor.get();
            return std::unique_ptr<Cursor>(std::move(cursor));
        }
        uint64_t rows = 0;
        if (auto counts = result->Fetch();
            counts && counts->size() == 1 && counts->ColumnCount() == 1 &&
            counts->data[0].GetType().id() == duck::LogicalTypeId::BIGINT)
            rows = counts->GetValue(0, 0).GetValue<uint64_t>();
        return std::unique_ptr<Cursor>(
            std::make_unique<FixedCursor>(std::vector<ResultColumn>{}, std::vector<Chunk>{},
                                          tag_of(statement.command_, rows), rows));
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), &statement, slot->get());
    }
}

Result<Chunk> LakeSession::query(std::string_view sql, const std::vector<Value>& parameters,
                                 size_t rows_max) {
    TARN_TRY(statement, prepare_once(sql));
    TARN_TRY(cursor, execute(*statement, parameters));
    Chunk all;
    for (const auto& column : cursor->columns()) all.columns.emplace_back(column.type);
    while (true) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) return all;
        if (all.rows() + chunk->rows() > rows_max)
            return Error{Code::out_of_range,
                         fmt::format("the query gives more than {} rows", rows_max), "54000"};
        for (size_t i = 0; i < all.columns.size(); ++i)
            for (size_t row = 0; row < chunk->rows(); ++row)
                all.columns[i].append(chunk->columns[i].value(row));
    }
}

Result<uint64_t> LakeSession::run(std::string_view sql, const std::vector<Value>& parameters) {
    TARN_TRY(statement, prepare_once(sql));
    TARN_TRY(cursor, execute(*statement, parameters));
    while (true) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) return cursor->rows_affected();
    }
}

Status LakeSession::begin(bool implicit) {
    if (state_ != TransactionState::idle) {
        if (!implicit && !std::exchange(implicit_, false))
            notices_.emplace_back("there is already a transaction in progress");
        return {};
    }
    TARN_CHECK_OK(settle_open_cursor());
    try {
        begin_transaction();
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    change_settings([](Settings& settings) { settings.begin(); });
    state_ = TransactionState::active;
    queried_ = false;
    implicit_ = implicit;
    return {};
}

Status LakeSession::commit() {
    if (state_ == TransactionState::idle) {
        notices_.emplace_back("there is no transaction in progress");
        return {};
    }
    if (state_ == TransactionState::failed) return rollback();
    Status ready = settle_open_cursor();
    if (ready.ok() && temporary_changes_ > 0) ready = end_temporary();
    if (!ready.ok()) {
        static_cast<void>(rollback());
        return ready;
    }
    savepoints_.clear();
    state_ = TransactionState::idle;
    temporary_changes_ = 0;
    try {
        connection_->Commit();
    } catch (const std::exception& problem) {
        end_cursors(false);
        change_settings([](Settings& settings) { settings.rollback(); });
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    end_cursors(true);
    change_settings([](Settings& settings) { settings.commit(); });
    return {};
}

Status LakeSession::rollback() {
    if (state_ == TransactionState::idle) {
        notices_.emplace_back("there is no transaction in progress");
        return {};
    }
    if (open_cursor_) std::exchange(open_cursor_, nullptr)->abandon();
    end_cursors(false);
    savepoints_.clear();
    state_ = TransactionState::idle;
    temporary_changes_ = 0;
    change_settings([](Settings& settings) { settings.rollback(); });
    try {
        if (connection_->HasActiveTransaction()) connection_->Rollback();
    } catch (const std::exception& problem) {
        return failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return {};
}

Status LakeSession::end_own(bool own, Status done) {
    if (!own) return done;
    if (done.ok()) return commit();
    static_cast<void>(rollback());
    return done;
}

Status LakeSession::in_transaction(const std::function<void()>& work) {
    TARN_CHECK_OK(settle_open_cursor());
    const bool own = state_ == TransactionState::idle;
    if (own) TARN_CHECK_OK(begin(true));
    Status done;
    try {
        work();
    } catch (const std::exception& problem) {
        done = failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    return end_own(own, std::move(done));
}

}  // namespace tarn::query
