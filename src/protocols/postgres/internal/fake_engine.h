// For tests: query::Engine's twin with answers from a handful of made-up statements, and a journal
// of what was asked of it.
//   select N          one row: the number       rows N      N rows 0 .. N-1
//   echo $1           its parameter             wait        until it is cancelled
//   insert            INSERT 0 1                wide N      N rows of 100 kB
//   bad               42601 at position 3       copy in / copy out
//   begin commit rollback   set NAME VALUE   deallocate ...
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "query/engine.h"

namespace tarn::postgres {

class Journal {
 public:
    void add(std::string line) {
        MutexLock lock(mutex_);
        lines_.push_back(std::move(line));
        added_.notify_all();
    }
    void wait_for(const std::string& line) {
        MutexLock lock(mutex_);
        while (std::find(lines_.begin(), lines_.end(), line) == lines_.end()) added_.wait(mutex_);
    }
    std::vector<std::string> take() {
        MutexLock lock(mutex_);
        return std::exchange(lines_, {});
    }

 private:
    Mutex mutex_;
    Condition added_;
    std::vector<std::string> lines_ TARN_GUARDED_BY(mutex_);
};

struct FakeStatement final : query::Statement {
    query::Command command() const override { return kind; }
    const std::vector<query::Type>& parameters() const override { return types; }
    const std::vector<query::ResultColumn>& columns() const override { return result; }
    bool returns_rows() const override { return !result.empty(); }

    std::string sql;
    query::Command kind = query::Command::select;
    std::vector<query::Type> types;
    std::vector<query::ResultColumn> result;
};

/// `count` rows made by a function, at most 100 in a chunk.
class FakeCursor final : public query::Cursor {
 public:
    FakeCursor(std::vector<query::ResultColumn> columns, size_t count,
               std::function<query::Value(size_t)> make, std::string tag)
        : columns_(std::move(columns)),
          count_(count),
          make_(std::move(make)),
          tag_(std::move(tag)) {}
    const std::vector<query::ResultColumn>& columns() const override { return columns_; }
    Result<std::optional<query::Chunk>> next() override {
        if (at_ == count_) return std::optional<query::Chunk>();
        query::Chunk chunk;
        chunk.columns.emplace_back(columns_[0].type);
        for (int i = 0; i < 100 && at_ < count_; ++i) chunk.columns[0].append(make_(at_++));
        return std::optional<query::Chunk>(std::move(chunk));
    }
    std::string tag() const override { return tag_; }
    uint64_t rows_affected() const override { return count_; }

 private:
    const std::vector<query::ResultColumn> columns_;
    const size_t count_;
    const std::function<query::Value(size_t)> make_;
    const std::string tag_;
    size_t at_ = 0;
};

class FakeCopyIn final : public query::CopyIn {
 public:
    explicit FakeCopyIn(Journal& journal) : journal_(journal) {}
    ~FakeCopyIn() override { journal_.add(finished_ ? "copied " + bytes_ : "copy taken back"); }
    query::CopyFormat format() const override { return query::CopyFormat::text; }
    size_t column_count() const override { return 2; }
    Status push(std::string_view bytes) override {
        if (bytes == "bad") return Error(Code::invalid_argument, "line 1: bad", "22P04");
        bytes_ += bytes;
        return ok_status();
    }
    Result<uint64_t> finish() override {
        finished_ = true;
        return uint64_t{7};
    }

 private:
    Journal& journal_;
    std::string bytes_;
    bool finished_ = false;
};

class FakeCopyOut final : public query::CopyOut {
 public:
    query::CopyFormat format() const override { return query::CopyFormat::text; }
    size_t column_count() const override { return 1; }
    Result<std::optional<std::string>> next() override {
        if (done_) return std::optional<std::string>();
        done_ = true;
        return std::optional<std::string>("one\ntwo\n");
    }
    uint64_t rows() const override { return 2; }

 private:
    bool done_ = false;
};

class FakeSession final : public query::Session {
 public:
    FakeSession(Journal& journal, security::Caller caller)
        : journal_(journal), caller_(std::move(caller)) {
        settings_ = {{"application_name", ""}, {"timezone", "UTC"}};
    }
    ~FakeSession() override { journal_.add("closed"); }

    Result<std::unique_ptr<query::Statement>> prepare(
        std::string_view sql, const std::vector<std::optional<query::Type>>& types) override;
    Result<std::unique_ptr<query::Statement>> prepare_once(std::string_view sql) override {
        return prepare(sql, {});
    }
    Result<std::unique_ptr<query::Cursor>> execute(
        query::Statement& statement, const std::vector<query::Value>& parameters) override;
    Result<std::unique_ptr<query::CopyIn>> copy_in(query::Statement&) override {
        return std::unique_ptr<query::CopyIn>(std::make_unique<FakeCopyIn>(journal_));
    }
    Result<std::unique_ptr<query::CopyOut>> copy_out(query::Statement&) override {
        return std::unique_ptr<query::CopyOut>(std::make_unique<FakeCopyOut>());
    }
    Result<query::Chunk> query(std::string_view, const std::vector<query::Value>&,
                               size_t) override {
        return query::Chunk();
    }
    Result<uint64_t> run(std::string_view, const std::vector<query::Value>&) override {
        return uint64_t{0};
    }
    Status begin(bool implicit) override {
        journal_.add(implicit ? "begin implicit" : "begin");
        state_ = query::TransactionState::active;
        return ok_status();
    }
    Status commit() override {
        journal_.add("commit");
        state_ = query::TransactionState::idle;
        return ok_status();
    }
    Status rollback() override {
        journal_.add("rollback");
        state_ = query::TransactionState::idle;
        return ok_status();
    }
    query::TransactionState transaction_state() const override { return state_; }
    void cancel() override { cancelled_ = true; }
    void forget_cancel() override { cancelled_ = false; }
    void track_progress() override {}
    std::optional<double> progress() const override { return std::nullopt; }
    uint32_t error_position() const override { return position_; }
    std::vector<std::string> take_notices() override { return std::exchange(notices_, {}); }
    const security::Principal& principal() const override { return caller_.principal; }
    std::optional<std::string> setting(const std::string& name) const override {
        const auto found = settings_.find(name);
        if (found == settings_.end()) return std::nullopt;
        return found->second;
    }
    Status set_setting(const std::string& name, const std::string& value) override {
        if (name == "nonsense") return Error(Code::not_found, "unrecognized", "42704");
        settings_[name] = value;
        return ok_status();
    }

 private:
    Error failed(Error error) {
        if (state_ == query::TransactionState::active) state_ = query::TransactionState::failed;
        return error;
    }

    Journal& journal_;
    const security::Caller caller_;
    query::TransactionState state_ = query::TransactionState::idle;
    std::atomic<bool> cancelled_{false};
    uint32_t position_ = 0;
    std::vector<std::string> notices_;
    std::map<std::string, std::string> settings_;
};

inline Result<std::unique_ptr<query::Statement>> FakeSession::prepare(
    std::string_view sql, const std::vector<std::optional<query::Type>>& types) {
    using query::Command;
    using query::Kind;
    auto made = std::make_unique<FakeStatement>();
    made->sql = sql;
    position_ = 0;
    std::string verb(sql.substr(0, sql.find(' ')));
    for (char& c : verb) c = static_cast<char>(c | 0x20);  // clients write BEGIN
    static const std::map<std::string, Command> kCommands = {
        {"insert", Command::insert},     {"begin", Command::begin},
        {"commit", Command::commit},     {"set", Command::set},
        {"rollback", Command::rollback}, {"deallocate", Command::discard}};
    if (verb == "bad") {
        position_ = 3;
        return failed({Code::invalid_argument, "syntax error\nHINT: do better", "42601"});
    }
    if (const auto known = kCommands.find(verb); known != kCommands.end()) {
        made->kind = known->second;
    } else if (verb == "fetch") {
        if (sql != "fetch from \"walk\"") return failed({Code::not_found, "no cursor", "34000"});
        made->kind = Command::fetch;
        made->result = {{"walked", Kind::int32}};
    } else if (verb == "copy") {
        made->kind = sql == "copy in" ? Command::copy_in : Command::copy_out;
    } else if (verb == "echo") {
        made->types = {types.empty() ? query::Type(Kind::int32) : types[0].value_or(Kind::int32)};
        made->result = {{"echo", made->types[0]}};
    } else {
        made->result = {{verb, verb == "wide" ? Kind::text : Kind::int32}};
    }
    return std::unique_ptr<query::Statement>(std::move(made));
}

inline Result<std::unique_ptr<query::Cursor>> FakeSession::execute(
    query::Statement& given, const std::vector<query::Value>& parameters) {
    using query::Command;
    using query::Value;
    const auto& statement = static_cast<FakeStatement&>(given);
    const std::string& sql = statement.sql;
    const auto made = [&](size_t count, std::function<Value(size_t)> make, std::string tag) {
        return std::unique_ptr<query::Cursor>(
            std::make_unique<FakeCursor>(statement.result, count, std::move(make), std::move(tag)));
    };
    journal_.add(sql);
    const std::string rest = sql.find(' ') == sql.npos ? "" : sql.substr(sql.find(' ') + 1);
    switch (statement.kind) {
        case Command::begin:
            state_ = query::TransactionState::active;
            return made(0, {}, "BEGIN");
        case Command::commit:
            if (state_ == query::TransactionState::idle) notices_.push_back("no transaction");
            state_ = query::TransactionState::idle;
            return made(0, {}, "COMMIT");
        case Command::rollback:
            state_ = query::TransactionState::idle;
            return made(0, {}, "ROLLBACK");
        case Command::insert:
            return made(0, {}, "INSERT 0 1");
        case Command::set:
            settings_[rest.substr(0, rest.find(' '))] = rest.substr(rest.find(' ') + 1);
            return made(0, {}, "SET");
        case Command::discard:
            return made(0, {}, "DEALLOCATE");
        default:
            break;
    }
    if (sql == "wait") {
        while (!cancelled_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        cancelled_ = false;
        return failed({Code::cancelled, "canceling statement due to user request", "57014"});
    }
    if (sql.starts_with("echo")) {
        const Value value = parameters[0];
        return made(
            1, [value](size_t) { return value; }, "SELECT 1");
    }
    const size_t number = std::stoul(rest);
    if (sql.starts_with("wide"))
        return made(
            number, [](size_t) { return Value(std::string(100'000, 'x')); }, "SELECT " + rest);
    if (sql.starts_with("rows"))
        return made(
            number, [](size_t i) { return Value(static_cast<int64_t>(i)); }, "SELECT " + rest);
    return made(
        1, [number](size_t) { return Value(static_cast<int64_t>(number)); }, "SELECT 1");
}

class FakeEngine final : public query::Engine {
 public:
    Result<std::unique_ptr<query::Session>> connect(security::Caller caller, std::string) override {
        return std::unique_ptr<query::Session>(
            std::make_unique<FakeSession>(journal, std::move(caller)));
    }
    Result<std::unique_ptr<query::RowWriter>> write_rows(const std::string&, const std::string&,
                                                         std::vector<std::string>) override {
        return Error(Code::unimplemented, "fake");
    }
    Result<std::unique_ptr<query::RowWriter>> write_rows_of(tables::TablePtr,
                                                            std::vector<std::string>) override {
        return Error(Code::unimplemented, "fake");
    }
    Result<tables::TableChange> upsert(const std::string&, const std::string&,
                                       const std::vector<std::string>&, const query::Chunk&,
                                       std::vector<std::string>) override {
        return Error(Code::unimplemented, "fake");
    }
    Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup&) override {
        return Error(Code::unimplemented, "fake");
    }

    Journal journal;
};

}  // namespace tarn::postgres
