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

class Settings {
 public:
    explicit Settings(std::chrono::milliseconds statement_timeout);

    /// undefined (42704): no such setting; 55P02: it can't be changed; 22023: not one of its
    /// values.
    Status set(const std::string& name, const std::string& value);
    Status reset(const std::string& name);
    void reset_all() { changed_.clear(); }
    std::optional<std::string> get(const std::string& name) const;
    /// By name: name, value, description.
    struct Line {
        std::string name, value, description;
    };
    std::vector<Line> all() const;

    std::chrono::milliseconds statement_timeout() const { return timeout_; }
    std::vector<std::string> search_path() const;

 private:
    const std::chrono::milliseconds default_timeout_;
    std::chrono::milliseconds timeout_;
    std::map<std::string, std::string> changed_;
};

}  // namespace tarn::query
