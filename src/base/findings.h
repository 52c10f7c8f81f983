// What a look over everything has found, while it goes on: shared by the one who looks, module by
// module, and those who ask how far it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace tarn {

struct Finding {
    enum class Kind : uint8_t {
        damage,    // something that was stored is not as it was stored
        leftover,  // space that nothing refers to; nothing is lost
    };
    Kind kind = Kind::damage;
    std::string where;  // a file, an object, a table
    std::string what;
};

/// Lane: any; all calls are thread safe.
class Findings {
 public:
    static constexpr size_t kKeptMax = 1000;  // the rest is counted

    struct Tally {
        uint64_t things = 0, bytes = 0;
    };
    struct State {
        std::map<std::string, Tally> looked_at;  // "log segments", "objects" ...
        uint64_t damages = 0, leftovers = 0;
        std::vector<Finding> findings;  // the first kKeptMax
    };

    void damage(std::string where, std::string what) {
        add({Finding::Kind::damage, std::move(where), std::move(what)});
    }
    void leftover(std::string where, std::string what) {
        add({Finding::Kind::leftover, std::move(where), std::move(what)});
    }
    void looked_at(const std::string& kind, uint64_t bytes, uint64_t things = 1) {
        MutexLock lock(mutex_);
        auto& tally = state_.looked_at[kind];
        tally.things += things;
        tally.bytes += bytes;
    }
    State state() const {
        MutexLock lock(mutex_);
        return state_;
    }
    /// Whoever looks ends soon.
    void stop() { stopped_ = true; }
    bool stopped() const { return stopped_; }

 private:
    void add(Finding finding) {
        MutexLock lock(mutex_);
        ++(finding.kind == Finding::Kind::damage ? state_.damages : state_.leftovers);
        if (state_.findings.size() < kKeptMax) state_.findings.push_back(std::move(finding));
    }

    mutable Mutex mutex_;
    State state_ TARN_GUARDED_BY(mutex_);
    std::atomic<bool> stopped_{false};
};

}  // namespace tarn
