// A map from paths to immutable values that forgets what was used longest ago when it grows beyond
// a number of bytes, and what has not been used for some minutes: each commit replaces files, and
// nobody asks for most of the old ones again.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mutex.h"

namespace tarn::tables {

/// Lane: any. A value larger than the whole cache is not kept.
template <typename Value>
class ByteLru {
 public:
    using Time = std::chrono::steady_clock::time_point;
    explicit ByteLru(size_t bytes_max, std::chrono::seconds idle_max = std::chrono::minutes(5))
        : bytes_max_(bytes_max), idle_max_(idle_max) {}

    std::shared_ptr<const Value> find(const std::string& path,
                                      Time now = std::chrono::steady_clock::now()) {
        MutexLock lock(mutex_);
        const auto found = index_.find(path);
        if (found == index_.end()) return nullptr;
        found->second->used = now;
        order_.splice(order_.begin(), order_, found->second);
        return found->second->value;
    }

    void insert(const std::string& path, std::shared_ptr<const Value> value, size_t bytes,
                Time now = std::chrono::steady_clock::now()) {
        bytes += path.size() * 2 + sizeof(Entry);
        if (bytes > bytes_max_) return;
        MutexLock lock(mutex_);
        if (index_.count(path) > 0) return;
        order_.push_front({path, std::move(value), bytes, now});
        index_[path] = order_.begin();
        bytes_ += bytes;
        while (bytes_ > bytes_max_ || order_.back().used < now - idle_max_) {
            bytes_ -= order_.back().bytes;
            index_.erase(order_.back().path);
            order_.pop_back();
        }
    }

    size_t bytes() const {
        MutexLock lock(mutex_);
        return bytes_;
    }

 private:
    struct Entry {
        std::string path;
        std::shared_ptr<const Value> value;
        size_t bytes;
        Time used;
    };

    const size_t bytes_max_;
    const std::chrono::seconds idle_max_;
    mutable Mutex mutex_;
    std::list<Entry> order_ TARN_GUARDED_BY(mutex_);
    std::unordered_map<std::string, typename std::list<Entry>::iterator> index_
        TARN_GUARDED_BY(mutex_);
    size_t bytes_ TARN_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::tables
