// What is newer than the index: the writes and erasures of a group that is under way. Asked first,
// the index second.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {

/// Owner: one thread.
class Overlay {
 public:
    struct State {
        bool present = false;
        Version version = 0;
        std::string value;
        std::optional<wal::BodyRef> body;
    };

    /// nullptr: nothing known here, the index decides.
    const State* find(std::string_view key) const;
    void put(std::string_view key, State state);
    void erase(std::string_view key);
    void erase_range(std::string_view from, std::string_view to);

    /// Calls visit(key, state) for the keys in [from, to) that were touched one by one, until it
    /// returns false.
    template <typename Visit>
    void each(std::string_view from, std::string_view to, Visit visit) const {
        for (auto it = keys_.lower_bound(from);
             it != keys_.end() && std::string_view(it->first) < to; ++it)
            if (!visit(it->first, it->second)) return;
    }

    /// keep() makes what happened since the last keep() final, undo() takes it back.
    void keep() { undo_.clear(), ranges_kept_ = ranges_.size(); }
    void undo();
    void clear();
    /// The keys that were touched one by one, in order.
    const std::map<std::string, State, std::less<>>& keys() const { return keys_; }
    bool has_ranges() const { return !ranges_.empty(); }
    bool empty() const { return keys_.empty() && ranges_.empty(); }

 private:
    std::map<std::string, State, std::less<>> keys_;
    std::vector<std::pair<std::string, std::string>> ranges_;
    std::vector<std::pair<std::string, std::optional<State>>> undo_;
    size_t ranges_kept_ = 0;
};

}  // namespace tarn::meta
