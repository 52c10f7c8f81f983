// The records of the index that the committer has looked up, decoded. What resolving read is not
// read again for applying, and what many changes ask for (a bucket, a counter) is read once.
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

    /// The record as the index has it, present or not. Stays valid until clear() or changed().
    Result<const Overlay::State*> get(std::string_view key);
    /// Nothing is under the key, which the caller knows without a look: an append's is new.
    void note_absent(std::string_view key) { records_.try_emplace(std::string(key)); }
    /// The index has `state` there now. What came into being is forgotten: most of it (objects,
    /// records of sequences) is not asked for again soon.
    void changed(std::string_view key, const Overlay::State& state);
    /// To be called when the index has changed in ways that changed() was not told of.
    void clear() { records_.clear(), value_bytes_ = 0; }
    /// So much is held that it should be cleared.
    bool full() const { return records_.size() > kRecordsMax || value_bytes_ > kValueBytesMax; }

 private:
    static constexpr size_t kRecordsMax = 4096;
    static constexpr size_t kValueBytesMax = 4 << 20;

    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
    };

    const Database& database_;
    std::unordered_map<std::string, Overlay::State, Hash, std::equal_to<>> records_;
    size_t value_bytes_ = 0;
    std::string bytes_;
};

}  // namespace tarn::meta
