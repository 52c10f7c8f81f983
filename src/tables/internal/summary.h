// What a snapshot's summary tells: counts of the change and totals after it (Iceberg spec Appendix
// F).
#pragma once

#include <set>
#include <string>

#include "tables/metadata.h"

namespace tarn::tables {

class SummaryBuilder {
 public:
    void added(const DataFile& file) { count(file, &added_); }
    void removed(const DataFile& file) { count(file, &removed_); }
    /// `before` is the parent's, null for a first snapshot. `more` never replaces a counted field.
    Properties build(const std::string& operation, const Snapshot* before,
                     const Properties& more) const;

 private:
    struct Counts {
        int64_t data_files = 0, delete_files = 0, position_delete_files = 0,
                equality_delete_files = 0;
        int64_t records = 0, position_deletes = 0, equality_deletes = 0, bytes = 0;
    };
    void count(const DataFile& file, Counts* counts);

    Counts added_;
    Counts removed_;
    std::set<std::string> partitions_;
};

}  // namespace tarn::tables
