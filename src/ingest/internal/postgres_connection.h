// One connection to a PostgreSQL server, over libpq. Every wait ends within a fraction of a second
// after the source was told to stop; every error says what to do. Lane: a runner's own thread, one
// at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/runner.h"

namespace tarn::ingest {

using PostgresRow = std::vector<std::optional<std::string>>;

class PostgresConnection {
 public:
    /// Connects and sets the session up so that values come as the decoder wants them. The errors
    /// never hold the password. unauthenticated, permission_denied, not_found (database),
    /// unavailable, invalid_argument (url), cancelled.
    static Result<std::unique_ptr<PostgresConnection>> open(const std::string& url, StopFlag& stop);
    /// One that takes replication commands (PostgreSQL manual, "Streaming Replication Protocol"),
    /// by run(), simple_query() and the copy calls below; query() is none of its words.
    static Result<std::unique_ptr<PostgresConnection>> open_replication(const std::string& url,
                                                                        StopFlag& stop);
    ~PostgresConnection();
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    /// 150004
    int server_version() const;
    /// "the database shop at db.example:5432": for messages.
    const std::string& place() const { return place_; }
    const std::string& user() const { return user_; }
    bool knows_encoding() const { return knows_encoding_; }
    /// BEGIN was said, and nothing has ended it since.
    bool in_transaction() const;

    /// All rows in memory: for catalogs and single values.
    Result<std::vector<PostgresRow>> query(const std::string& sql,
                                           const std::vector<std::string>& parameters = {});
    Status run(const std::string& sql);
    /// COPY ... TO STDOUT; each row with its newline. An error of `row` ends the copy: the
    /// connection is no good afterwards.
    Status copy_out(const std::string& sql, const std::function<Status(std::string_view)>& row);

    /// The rows of one statement without parameters.
    Result<std::vector<PostgresRow>> simple_query(const std::string& sql);
    /// START_REPLICATION: from here on only next_copy() and send_copy().
    Status start_copy_both(const std::string& command);
    /// The next piece, valid until the next call; nullopt: none came within `wait`. An end that the
    /// server gave is unavailable.
    Result<std::optional<std::string_view>> next_copy(std::chrono::milliseconds wait);
    Status send_copy(std::string_view bytes);

 private:
    struct Handle;
    explicit PostgresConnection(StopFlag& stop);
    static Result<std::unique_ptr<PostgresConnection>> open_as(const std::string& url,
                                                               bool replication, StopFlag& stop);
    Status connect(const std::string& url, bool replication);
    Result<std::vector<PostgresRow>> take_rows();
    Status wait_readable();
    Status finish_results();
    Error error_of(const std::string& what, void* result);

    StopFlag& stop_;
    std::unique_ptr<Handle> handle_;
    std::string place_, user_;
    bool knows_encoding_ = true;
};

/// "a""b" with its quotes.
std::string quote_name(std::string_view name);
/// 'it''s' with its quotes; standard_conforming_strings is on.
std::string quote_text(std::string_view text);
/// True when trying again later can help without a person doing something.
bool passes_by_itself(const Error& error);
/// True when rows or columns of one table do not fit: others are not concerned.
bool concerns_one_table(const Error& error);

}  // namespace tarn::ingest
