#include "ingest/internal/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace tarn::ingest {

namespace {

constexpr int kWaitMs = 200;  // how often a wait looks at the stop flag
constexpr auto kConnectTime = std::chrono::seconds(15);

struct ResultCloser {
    void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ResultCloser>;

struct OptionsCloser {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// Where a line is a sentence of its own, like a hint, the one before it gets its stop.
std::string one_line(const char* text) {
    std::string out;
    for (const char* at = text ? text : ""; *at; ++at) {
        const bool blank = isspace(static_cast<unsigned char>(*at)) != 0;
        if (*at == '\n' && !out.empty() && isalnum(static_cast<unsigned char>(out.back())) != 0 &&
            isupper(static_cast<unsigned char>(at[1] == '\t' ? at[2] : at[1])) != 0)
            out.push_back('.');
        if (!blank)
            out.push_back(*at);
        else if (!out.empty() && out.back() != ' ')
            out.push_back(' ');
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

Error stopped() {
    return Error(Code::cancelled, "the source was stopped");
}

/// The words of libpq are all there is to tell why a connection failed.
/// The same with what to do: "could not extend file ...: No space left on device".
std::string with_room_asked(std::string why, std::string_view state = {}) {
    if (state != "53100" && !has(why, "No space left on device")) return why;
    return why +
           " (the disk there is full: make room on it, and the source goes on by itself; the log "
           "that it keeps for this lake is in the status, and limits: {retained_wal: ...} bounds "
           "it)";
}

Error connect_error(const std::string& place, const std::string& user, const std::string& why) {
    if (has(why, "password authentication failed") || has(why, "no password supplied") ||
        has(why, "authentication failed"))
        return Error(Code::unauthenticated,
                     fmt::format("{} refused user {}: correct user and password in the source's "
                                 "url ({})",
                                 place, user, why));
    if (has(why, "role \"") && has(why, "does not exist"))
        return Error(Code::unauthenticated,
                     fmt::format("{} knows no user {}: create it, or correct the source's url",
                                 place, user));
    if (has(why, "pg_hba.conf"))
        return Error(Code::permission_denied,
                     fmt::format("{} does not admit user {} from this machine: add a line to the "
                                 "server's pg_hba.conf and reload it ({})",
                                 place, user, why));
    if (has(why, "database \"") && has(why, "does not exist"))
        return Error(Code::not_found,
                     fmt::format("there is no {}: correct the source's url ({})", place, why));
    if (has(why, "permission denied for database"))
        return Error(
            Code::permission_denied,
            fmt::format("user {} may not connect to {}: run GRANT CONNECT ON DATABASE ... TO {}",
                        user, place, quote_name(user)));
    return Error(Code::unavailable, fmt::format("cannot connect to {}: is the server running (a "
                                                "full disk ends it), and can this machine "
                                                "reach it? ({})",
                                                place, why));
}

Code code_of(std::string_view state) {
    if (state == "42501") return Code::permission_denied;
    if (state == "42P01" || state == "42703" || state == "3F000") return Code::not_found;
    if (state.starts_with("28")) return Code::unauthenticated;
    if (state == "42704") return Code::not_found;  // slot, publication, role
    if (state == "55006") return Code::conflict;   // a slot that another process uses
    if (state.starts_with("08") || state.starts_with("57") || state.starts_with("53") ||
        state.starts_with("40") || state.starts_with("58") || state == "55P03")
        return Code::unavailable;
    if (state.empty()) return Code::unavailable;
    return Code::invalid_argument;
}

// Values must not depend on how the server or the role is set up.
constexpr const char* kSetUp =
    "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; SET timezone = 'UTC'; SET standard_conforming_strings = on; "
    "SET statement_timeout = 0; SET lock_timeout = '30s'; "
    "SET idle_in_transaction_session_timeout = 0; SET search_path = pg_catalog; "
    "SET xmloption = content; SET row_security = off";

}  // namespace

struct PostgresConnection::Handle {
    PGconn* connection = nullptr;
    char* piece = nullptr;  // of copy both
    ~Handle() {
        PQfreemem(piece);
        PQfinish(connection);
    }
};

PostgresConnection::PostgresConnection(StopFlag& stop)
    : stop_(stop), handle_(std::make_unique<Handle>()) {}

PostgresConnection::~PostgresConnection() = default;

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const std::string& url,
                                                                     StopFlag& stop) {
    TARN_TRY(made, open_as(url, false, stop));
    TARN_TRY(encoding, made->query("SHOW server_encoding"));
    made->knows_encoding_ = encoding.at(0).at(0) != "SQL_ASCII";
    return made;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open_replication(
    const std::string& url, StopFlag& stop) {
    TARN_TRY(made, open_as(url, true, stop));
    // A commit or a load may take longer than the usual minute.
    TARN_CHECK_OK(made->run("SET wal_sender_timeout = '5min'"));
    return made;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open_as(const std::string& url,
                                                                        bool replication,
                                                                        StopFlag& stop) {
    std::unique_ptr<PostgresConnection> made(new PostgresConnection(stop));
    TARN_CHECK_OK(made->connect(url, replication));
    if (made->server_version() < 100000)
        return Error(Code::unimplemented,
                     fmt::format("{} is PostgreSQL {}: 10 or later is needed", made->place(),
                                 made->server_version() / 10000));
    TARN_CHECK_OK(made->run(kSetUp));
    return made;
}

Status PostgresConnection::connect(const std::string& url, bool replication) {
    const Error bad_url(Code::invalid_argument,
                        "the url of the source is not valid: write "
                        "postgresql://user:password@host:5432/database (special characters of the "
                        "password as %xx)");
    // libpq's own message would quote the url, and the password with it.
    std::unique_ptr<PQconninfoOption, OptionsCloser> options(PQconninfoParse(url.c_str(), nullptr));
    if (!options) return bad_url;
    std::string host = "localhost", port = "5432", database;
    for (const auto* option = options.get(); option->keyword; ++option) {
        if (!option->val) continue;
        const std::string_view name = option->keyword;
        if (name == "host" || (name == "hostaddr" && host == "localhost")) host = option->val;
        if (name == "port") port = option->val;
        if (name == "dbname") database = option->val;
        if (name == "user") user_ = option->val;
    }
    // A password with @ or / that is not written as %xx spills into host, port or database, and
    // from there into every message.
    const auto spilled = [](const std::string& text) { return has(text, "@"); };
    if (spilled(host) || spilled(database) ||
        port.find_first_not_of("0123456789,") != std::string::npos)
        return bad_url;
    place_ = fmt::format("database {} at {}:{}", database.empty() ? user_ : database, host, port);
    // What stands before dbname is a default, what stands after it wins over the url.
    const char* names[] = {"keepalives_idle",
                           "keepalives_interval",
                           "keepalives_count",
                           "tcp_user_timeout",
                           "fallback_application_name",
                           "dbname",
                           "client_encoding",
                           replication ? "replication" : nullptr,
                           nullptr};
    const char* values[] = {"30",        "10",   "3",        "60000", "tarn",
                            url.c_str(), "UTF8", "database", nullptr};
    handle_->connection = PQconnectStartParams(names, values, 1);
    PGconn* connection = handle_->connection;
    if (!connection) return Error(Code::exhausted, "no memory for a connection");
    const auto deadline = std::chrono::steady_clock::now() + kConnectTime;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || PQstatus(connection) == CONNECTION_BAD)
            return connect_error(place_, user_,
                                 with_room_asked(one_line(PQerrorMessage(connection))));
        if (stop_.stopped()) return stopped();
        if (std::chrono::steady_clock::now() > deadline)
            return connect_error(place_, user_, "no answer in 15 seconds");
        pollfd waiting{PQsocket(connection),
                       static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        if (::poll(&waiting, 1, kWaitMs) != 0) state = PQconnectPoll(connection);
    }
    if (user_.empty()) user_ = PQuser(connection);
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    return ok_status();
}

bool PostgresConnection::in_transaction() const {
    const auto state = PQtransactionStatus(handle_->connection);
    return state == PQTRANS_INTRANS || state == PQTRANS_INERROR;
}

int PostgresConnection::server_version() const {
    return PQserverVersion(handle_->connection);
}

Status PostgresConnection::wait_readable() {
    PGconn* connection = handle_->connection;
    for (;;) {
        if (stop_.stopped()) return stopped();
        pollfd waiting{PQsocket(connection), POLLIN, 0};
        const int ready = ::poll(&waiting, 1, kWaitMs);
        if (ready < 0 && errno != EINTR)
            return Error(Code::unavailable, "the connection to " + place_ + " broke");
        if (ready > 0) break;
    }
    if (PQconsumeInput(connection) == 0) return error_of("reading from", nullptr);
    return ok_status();
}

Error PostgresConnection::error_of(const std::string& what, void* result) {
    auto* pg = static_cast<PGresult*>(result);
    const char* state = pg ? PQresultErrorField(pg, PG_DIAG_SQLSTATE) : nullptr;
    const std::string why =
        one_line(pg ? PQresultErrorMessage(pg) : PQerrorMessage(handle_->connection));
    if (has(why, "row-level security"))
        return Error(Code::permission_denied,
                     fmt::format("{} {}: {}: its rows are filtered for user {}; run ALTER ROLE {} "
                                 "BYPASSRLS, or read a view of what it may see",
                                 what, place_, why, user_, quote_name(user_)),
                     "42501");
    const std::string code = state ? state : "";
    return Error(code_of(code), fmt::format("{} {}: {}", what, place_, with_room_asked(why, code)),
                 code);
}

Status PostgresConnection::finish_results() {
    for (;;) {
        while (PQisBusy(handle_->connection)) TARN_CHECK_OK(wait_readable());
        const PgResult rest(PQgetResult(handle_->connection));
        if (!rest) return ok_status();
        if (PQresultStatus(rest.get()) == PGRES_FATAL_ERROR) {
            Error error = error_of("asking", rest.get());
            // What is left of the answer must be taken before the next question.
            if (PQstatus(handle_->connection) == CONNECTION_OK) (void)finish_results();
            return error;
        }
    }
}

Result<std::vector<PostgresRow>> PostgresConnection::query(
    const std::string& sql, const std::vector<std::string>& parameters) {
    PGconn* connection = handle_->connection;
    std::vector<const char*> values;
    for (const auto& parameter : parameters) values.push_back(parameter.c_str());
    if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, 0) == 0)
        return error_of("asking", nullptr);
    return take_rows();
}

Result<std::vector<PostgresRow>> PostgresConnection::simple_query(const std::string& sql) {
    if (PQsendQuery(handle_->connection, sql.c_str()) == 0) return error_of("asking", nullptr);
    return take_rows();
}

Result<std::vector<PostgresRow>> PostgresConnection::take_rows() {
    PGconn* connection = handle_->connection;
    while (PQisBusy(connection)) TARN_CHECK_OK(wait_readable());
    const PgResult result(PQgetResult(connection));
    const auto state = PQresultStatus(result.get());
    if (state != PGRES_TUPLES_OK && state != PGRES_COMMAND_OK) {
        Error error = error_of("asking", result.get());
        (void)finish_results();
        return error;
    }
    std::vector<PostgresRow> rows(static_cast<size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            auto& cell = rows[static_cast<size_t>(row)].emplace_back();
            if (!PQgetisnull(result.get(), row, column))
                cell.emplace(PQgetvalue(result.get(), row, column),
                             static_cast<size_t>(PQgetlength(result.get(), row, column)));
        }
    }
    TARN_CHECK_OK(finish_results());
    return rows;
}

Status PostgresConnection::run(const std::string& sql) {
    if (PQsendQuery(handle_->connection, sql.c_str()) == 0) return error_of("asking", nullptr);
    return finish_results();
}

Status PostgresConnection::copy_out(const std::string& sql,
                                    const std::function<Status(std::string_view)>& row) {
    PGconn* connection = handle_->connection;
    if (PQsendQuery(connection, sql.c_str()) == 0) return error_of("reading from", nullptr);
    while (PQisBusy(connection)) TARN_CHECK_OK(wait_readable());
    {
        const PgResult result(PQgetResult(connection));
        if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
            Error error = error_of("reading from", result.get());
            (void)finish_results();
            return error;
        }
    }
    for (;;) {
        char* bytes = nullptr;
        const int length = PQgetCopyData(connection, &bytes, 1);
        if (length == 0) {
            TARN_CHECK_OK(wait_readable());
            continue;
        }
        if (length == -1) break;
        if (stop_.stopped()) {
            PQfreemem(bytes);
            return stopped();
        }
        if (length < 0) return error_of("reading from", nullptr);
        const Status taken = row({bytes, static_cast<size_t>(length)});
        PQfreemem(bytes);
        if (!taken.ok()) return taken;
    }
    return finish_results();
}

Status PostgresConnection::start_copy_both(const std::string& command) {
    PGconn* connection = handle_->connection;
    if (PQsendQuery(connection, command.c_str()) == 0) return error_of("asking", nullptr);
    while (PQisBusy(connection)) TARN_CHECK_OK(wait_readable());
    const PgResult result(PQgetResult(connection));
    if (PQresultStatus(result.get()) == PGRES_COPY_BOTH) return ok_status();
    Error error = error_of("following", result.get());
    (void)finish_results();
    return error;
}

Result<std::optional<std::string_view>> PostgresConnection::next_copy(
    std::chrono::milliseconds wait) {
    using Piece = std::optional<std::string_view>;
    PGconn* connection = handle_->connection;
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        PQfreemem(handle_->piece);
        handle_->piece = nullptr;
        const int length = PQgetCopyData(connection, &handle_->piece, 1);
        if (length > 0) return Piece(std::string_view(handle_->piece, static_cast<size_t>(length)));
        if (length == -1) {
            const PgResult last(PQgetResult(connection));
            if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR)
                return error_of("following", last.get());
            return Error(Code::unavailable, "the " + place_ + " ended the stream of changes");
        }
        if (length < 0) return error_of("following", nullptr);
        if (stop_.stopped()) return stopped();
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd waiting{PQsocket(connection), POLLIN, 0};
        const int ready =
            ::poll(&waiting, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, kWaitMs)));
        if (ready < 0 && errno != EINTR)
            return Error(Code::unavailable, "the connection to " + place_ + " broke");
        if (ready > 0 && PQconsumeInput(connection) == 0) return error_of("following", nullptr);
        if (ready <= 0 && left.count() <= 0) return Piece();
    }
}

Status PostgresConnection::send_copy(std::string_view bytes) {
    PGconn* connection = handle_->connection;
    if (PQputCopyData(connection, bytes.data(), static_cast<int>(bytes.size())) != 1 ||
        PQflush(connection) < 0)
        return error_of("answering", nullptr);
    return ok_status();
}

std::string quote_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

std::string quote_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    return out + '\'';
}

bool concerns_one_table(const Error& error) {
    return error.code == Code::invalid_argument || error.code == Code::out_of_range ||
           error.code == Code::unimplemented;
}

bool passes_by_itself(const Error& error) {
    switch (error.code) {
        case Code::unavailable:
        case Code::timed_out:
        case Code::cancelled:
        case Code::conflict:
        case Code::corrupted:
        case Code::exhausted:
        case Code::io:
            return true;
        default:
            return false;
    }
}

}  // namespace tarn::ingest
