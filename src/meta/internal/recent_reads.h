// What a thread has just read from the index. Reading a change's keys before its commit, so that
// the committer finds their blocks in memory, costs as much as any reading; who has read them to
// build the change has done it already.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>

namespace tarn::meta {

/// Owner: one thread. A wrong answer (two keys of one hash, a read of long ago) costs the committer
/// a read, nothing else.
class RecentReads {
 public:
    static RecentReads& of_this_thread() {
        thread_local RecentReads reads;
        return reads;
    }

    void note(const void* store, std::string_view key) {
        hashes_[next_++ % hashes_.size()] = hash(store, key);
    }
    bool has(const void* store, std::string_view key) const {
        const size_t wanted = hash(store, key);
        for (const size_t known : hashes_)
            if (known == wanted) return true;
        return false;
    }
    void clear() { hashes_.fill(0); }

 private:
    static size_t hash(const void* store, std::string_view key) {
        return std::hash<std::string_view>()(key) ^ std::hash<const void*>()(store);
    }

    std::array<size_t, 8> hashes_{};
    size_t next_ = 0;
};

}  // namespace tarn::meta
