// Keeps tables in order while they change: compaction, and snapshots that are over. Tables that
// change all the time are looked at every second, by what their newest snapshot says of itself, so
// that a look costs no reading; one that is in order is left alone until it has changed enough.
// Work takes at most a given share of the time, so that those who write are not starved.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/lake.h"
#include "tables/compaction.h"

namespace tarn::app {

/// Owner: Server. Lane: background, one call at a time.
class TableKeeper {
 public:
    static constexpr double kShareMax = 0.25;                // of the time
    static constexpr std::chrono::milliseconds kSlice{250};  // of work, then others get their turn

    explicit TableKeeper(Lake& lake);

    /// A look at all tables that changed, and as much work as the share allows.
    Status round();

 private:
    /// What a table's newest snapshot said when it was last found in order.
    struct Size {
        int64_t data_files = 0, delete_files = 0, deleted_rows = 0, rows = 0;
    };
    struct Seen {
        std::string location;  // of the metadata that was looked at last
        std::optional<Size> in_order;
        bool due = true;
        int quiet = 0;  // rounds to leave out after a failure
    };

    static std::optional<Size> size_of(const tables::TableState& table);
    static bool grown(const Size& before, const Size& now);
    Status look(const tables::RelationInfo& relation);
    /// The most worthwhile work on all tables that are due. False: there is none.
    Result<bool> work_once();

    Lake& lake_;
    const std::unique_ptr<tables::CompactionTools> tools_;
    std::map<std::string, Seen> seen_;                // by table uuid
    std::map<std::string, tables::TablePtr> tables_;  // those that are due
    meta::Version version_ = 0;
    std::chrono::steady_clock::time_point rest_until_{};
    Counter& steps_;
    Counter& rebased_;
    Counter& overtaken_;
    Counter& seconds_;
};

}  // namespace tarn::app
