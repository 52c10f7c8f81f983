// The records of the index that a group has looked up, decoded. What resolving read is not read
// again for applying.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "meta/internal/database.h"
#include "meta/internal/overlay.h"

namespace tarn::meta {

/// Owner: the committer's thread.
class RecordCache {
 public:
    explicit RecordCache(const Database& database) : database_(database) {}

    /// The record as the index has it, present or not. Stays valid until clear().
    Result<const Overlay::State*> get(std::string_view key);
    /// To be called when the index has changed.
    void clear() { records_.clear(); }
    size_t size() const { return records_.size(); }

 private:
    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
    };

    const Database& database_;
    std::unordered_map<std::string, Overlay::State, Hash, std::equal_to<>> records_;
    std::string bytes_;
};

}  // namespace tarn::meta
