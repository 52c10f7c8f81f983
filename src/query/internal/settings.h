// The settings of a session that SET and SHOW know. PostgreSQL's names and texts; DuckDB's own
// settings are out of reach.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::query {

/// How long a value holds: for the session, or (SET LOCAL) up to the end of the transaction.
enum class SettingScope : uint8_t { session, transaction };

/// Between begin() and commit() or rollback() there is a transaction, whose changes rollback()
/// takes back. Owner: a session, one thread at a time.
class Settings {
 public:
    explicit Settings(std::chrono::milliseconds statement_timeout);

    /// undefined (42704): no such setting; 55P02: it can't be changed; 22023: not one of its
    /// values.
    Status set(const std::string& name, const std::string& value,
               SettingScope scope = SettingScope::session);
    Status reset(const std::string& name, SettingScope scope = SettingScope::session);
    void reset_all();
    std::optional<std::string> get(const std::string& name) const;

    void begin();
    /// What was set for the transaction only ends; also when there is none: then it held for one
    /// statement.
    void commit();
    void rollback();
    bool has_local() const { return has_local_; }
    struct Values {
        std::chrono::milliseconds timeout;
        std::map<std::string, std::string> changed;
    };
    /// What a savepoint goes back to.
    struct Saved {
        Values now, lasting;
    };
    Saved save() const { return {now_, lasting_}; }
    void go_back(const Saved& saved);
    /// By name: name, value, description.
    struct Line {
        std::string name, value, description;
    };
    std::vector<Line> all() const;

    std::chrono::milliseconds statement_timeout() const { return now_.timeout; }
    /// transaction_read_only: what default_transaction_read_only says, unless this transaction says
    /// otherwise.
    bool reads_only() const;
    std::vector<std::string> search_path() const;

 private:
    /// nullopt: the default again.
    void put(const std::string& name, const std::optional<std::string>& value, SettingScope scope);
    void put_timeout(std::chrono::milliseconds timeout, SettingScope scope);

    const std::chrono::milliseconds default_timeout_;
    Values now_;      // what holds
    Values lasting_;  // what will hold behind a commit
    Values before_;   // what will hold behind a rollback
    bool has_local_ = false;
};

}  // namespace tarn::query
