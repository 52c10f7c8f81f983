// What became of each key since the last commit: a hash table of small fixed entries, because a
// commit holds hundreds of thousands of them. Owned by ChangeApply.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/internal/key_index.h"

namespace tarn::ingest {

class ChangedKeys {
 public:
    enum class Where : uint8_t {
        gone,      // no row any more
        buffered,  // `position`: row of the buffer
        written,   // `position` in the file `file`, one of the commit's own
    };
    struct Entry {
        RowKey key;
        Where where = Where::gone;
        uint32_t file = 0;
        uint64_t position = 0;
    };
    static constexpr uint32_t kNone = UINT32_MAX;

    size_t size() const { return entries_.size(); }
    uint64_t bytes() const {
        return entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(uint32_t);
    }
    Entry& at(uint32_t entry) { return entries_[entry]; }
    const std::vector<Entry>& entries() const { return entries_; }
    /// kNone: it was not touched.
    uint32_t find(const RowKey& key) const { return slots_.empty() ? kNone : slots_[slot_of(key)]; }
    /// A key that is new is `gone`.
    uint32_t find_or_add(const RowKey& key) {
        if (entries_.size() * 2 >= slots_.size()) grow();
        const size_t slot = slot_of(key);
        if (slots_[slot] == kNone) {
            slots_[slot] = static_cast<uint32_t>(entries_.size());
            entries_.push_back({key, Where::gone, 0, 0});
        }
        return slots_[slot];
    }
    void clear() {
        // Gives the memory back: bytes() decides when keys are too many.
        std::vector<Entry>().swap(entries_);
        std::vector<uint32_t>().swap(slots_);
    }

 private:
    static uint64_t hash(const RowKey& key) {
        uint64_t a, b;
        std::memcpy(&a, key.bytes.data(), 8);
        std::memcpy(&b, key.bytes.data() + 8, 8);
        a = (a ^ (b * 0x9e3779b97f4a7c15u) ^ key.size) * 0xbf58476d1ce4e5b9u;
        a = (a ^ (a >> 29)) * 0x94d049bb133111ebu;
        return a ^ (a >> 32);
    }
    size_t slot_of(const RowKey& key) const {
        const size_t mask = slots_.size() - 1;
        size_t slot = hash(key) & mask;
        while (slots_[slot] != kNone && !(entries_[slots_[slot]].key == key))
            slot = (slot + 1) & mask;
        return slot;
    }
    void grow() {
        slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, kNone);
        for (uint32_t i = 0; i < entries_.size(); ++i) slots_[slot_of(entries_[i].key)] = i;
    }

    std::vector<Entry> entries_;
    std::vector<uint32_t> slots_;  // a power of two, at most half full
};

}  // namespace tarn::ingest
