// The simplest Index, for tests and the benchmark: keeps each change as it came. An intent "refuse"
// is refused, "nothing" is answered without a record.
#pragma once

#include <string>
#include <vector>

#include "wal/log.h"

namespace tarn::wal {

class MapIndex final : public Index {
 public:
    struct Entry {
        Sequence sequence = 0;
        std::string record;
        std::vector<BodyRef> bodies;

        bool operator==(const Entry&) const = default;
    };

    MapIndex() = default;
    /// What a flush had saved: replay goes on after it.
    explicit MapIndex(std::vector<Entry> saved) : entries_(std::move(saved)), durable_(last()) {}

    Result<Resolved> resolve(const Change& change, Sequence sequence) override {
        if (change.intent == "refuse") return Error(Code::precondition_failed, "refused");
        if (change.intent == "nothing") return Resolved{{}, {7}};
        return Resolved{change.intent, {sequence * 10}};
    }
    Status apply(const std::vector<Logged>& group) override {
        ++groups_;
        if (fail_apply) return Error(Code::internal, "the index was told to fail");
        for (const auto& change : group) {
            if (change.sequence != last() + 1)
                return Error(Code::internal, "the index was given change " +
                                                 std::to_string(change.sequence) + " after " +
                                                 std::to_string(last()));
            entries_.push_back({change.sequence, std::string(change.record), change.bodies});
        }
        return {};
    }
    void abandon() override { ++abandoned_; }
    Sequence durable_sequence() const override { return durable_; }

    Sequence last() const { return entries_.empty() ? 0 : entries_.back().sequence; }
    const std::vector<Entry>& entries() const { return entries_; }
    int groups() const { return groups_; }
    int abandoned() const { return abandoned_; }

    bool fail_apply = false;

 private:
    std::vector<Entry> entries_;
    Sequence durable_ = 0;
    int groups_ = 0;
    int abandoned_ = 0;
};

}  // namespace tarn::wal
