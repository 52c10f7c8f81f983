// What a session knows of sequences beyond the tables: the numbers that it took last, and names
// that a dump gave to sequences before the columns that they number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace tarn::query {

/// Owned by the session. Numbers are noted by all threads of a statement.
class SessionNumbers {
 public:
    using Column = std::pair<std::string, int>;  // table uuid, field id

    void took(const Column& column, int64_t number) {
        const MutexLock lock(mutex_);
        if (taken_.size() < kColumnsMax || taken_.contains(column)) taken_[column] = number;
        last_ = number;
    }
    std::optional<int64_t> current(const Column& column) const {
        const MutexLock lock(mutex_);
        const auto found = taken_.find(column);
        return found == taken_.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<int64_t> last() const {
        const MutexLock lock(mutex_);
        return last_;
    }
    void forget() {
        const MutexLock lock(mutex_);
        taken_.clear();
        last_.reset();
    }

    /// CREATE SEQUENCE: from where its column will be numbered, and how far apart.
    struct Steps {
        int64_t start = 1, increment = 1;
    };
    /// Sequences are named by sequence_key(). False: too many.
    bool announce(const std::string& sequence, Steps steps) {
        if (announced_.size() >= kColumnsMax && !announced_.contains(sequence)) return false;
        announced_[sequence] = steps;
        return true;
    }
    std::optional<Steps> announced(const std::string& sequence) const {
        const auto found = announced_.find(sequence);
        return found == announced_.end() ? std::nullopt : std::optional(found->second);
    }
    /// `sequence` is what numbers that column of a table.
    void name(const std::string& sequence, std::string table_sequence) {
        if (names_.size() < kColumnsMax) names_[sequence] = std::move(table_sequence);
    }
    /// The column's own name for it; empty: it has no other.
    std::string named(const std::string& sequence) const {
        const auto found = names_.find(sequence);
        return found == names_.end() ? std::string() : found->second;
    }

 private:
    static constexpr size_t kColumnsMax = 4096;
    mutable Mutex mutex_;
    std::map<Column, int64_t> taken_ TARN_GUARDED_BY(mutex_);
    std::optional<int64_t> last_ TARN_GUARDED_BY(mutex_);
    // By the statements of the session, one at a time.
    std::map<std::string, Steps> announced_;
    std::map<std::string, std::string> names_;
};

}  // namespace tarn::query
