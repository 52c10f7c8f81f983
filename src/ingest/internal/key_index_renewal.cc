// Entries that name files which compaction wrote again are put anew under the names of the files of
// now, before the ways to them get long. Ten millions of them take a minute: it is done in slices,
// each behind a commit that is visible already, so that the next one hardly waits for it.
//
// Crash: both an old and a new entry lead to the row as long as the old file's MovedRows are there.
// Those go in the last slice, behind all entries in the order in which RocksDB keeps what it is
// given; a start after less than that begins a renewal from the first entry.
#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "ingest/internal/key_index_table.h"

namespace tarn::ingest {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kStepsMax = 16;         // from an entry's file to the row's
constexpr double kMovedMax = 4096;       // files that are gone
constexpr double kMovedBytesMax = 24e6;  // in memory for them
constexpr int kShareMax = 8;  // a slice takes at most that part of the time since the last
constexpr size_t kBatchBytes = 4u << 20;  // written at once
constexpr uint64_t kEntriesPerLook = 64;  // at the clock

}  // namespace

/// How much has come together of files that are gone: known again after files became so.
void IndexTable::weigh() {
    std::vector<uint32_t> gone;
    uint64_t bytes = 0;
    for (const auto& [number, file] : files_) {
        if (!file.moved || file.live) continue;
        gone.push_back(number);
        bytes += file.moved->bytes();
    }
    // Files are numbered as they come: a row goes from a lower number to a higher one.
    std::sort(gone.rbegin(), gone.rend());
    std::unordered_map<uint32_t, uint64_t> steps;
    uint64_t longest = 0;
    for (const uint32_t number : gone) {
        uint64_t& own = steps[number];
        own = 1;
        for (const auto& [end, to] : files_.at(number).moved->to)
            if (const auto next = steps.find(to); next != steps.end())
                own = std::max(own, next->second + 1);
        longest = std::max(longest, own);
    }
    weight_ = std::max({static_cast<double>(longest) / kStepsMax,
                        static_cast<double>(gone.size()) / kMovedMax,
                        static_cast<double>(bytes) / kMovedBytesMax});
}

/// One slice, when there is something to do. Beyond the limits slices grow: what is known of files
/// that are gone stays bounded, however quickly compaction makes them.
Status IndexTable::renew_some() {
    const auto begun = Clock::now();
    const bool under_way = renewal_.number == record_.number;
    if (key_.many || (!under_way && weight_ <= parts_.renewal.begin_at)) return ok_status();
    if (!under_way) begin_renewal();
    const auto share =
        std::min<Clock::duration>(parts_.renewal.slice, (begun - renewal_.slice_end) / kShareMax);
    const auto growth = static_cast<int64_t>(std::pow(std::max(1.0, weight_), 3));
    TARN_TRY(last, renew_until(begun + share * growth));
    if (last) TARN_CHECK_OK(end_renewal());
    renewal_.slice_end = Clock::now();
    return ok_status();
}

void IndexTable::begin_renewal() {
    renewal_.number = record_.number;
    renewal_.next = prefix_of(record_.number);
    renewal_.gone.clear();
    renewal_.entries = 0;
    for (const auto& [number, file] : files_)
        if (file.moved && !file.live) renewal_.gone.push_back(number);
}

/// Whether the last entry was reached.
Result<bool> IndexTable::renew_until(Clock::time_point end) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = 256 << 10;
    const std::string prefix = prefix_of(record_.number), behind = prefix_of(record_.number + 1);
    const rocksdb::Slice bound(behind);
    options.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> rows(parts_.db.NewIterator(options));
    rocksdb::WriteBatch batch;
    uint64_t seen = 0;
    for (rows->Seek(renewal_.next); rows->Valid(); rows->Next()) {
        if (++seen % kEntriesPerLook == 0 && Clock::now() >= end) {
            renewal_.next = rows->key().ToString();
            TARN_CHECK_OK(write(batch));
            return false;
        }
        const auto named = place_of(rows->value());
        if (!named) return note(Error(Code::corrupted, "key index: an entry")).error();
        const auto place = place_now(*named);
        if (place == named) continue;
        if (place)
            batch.Put(rows->key(), place_text(*place));
        else
            batch.Delete(rows->key());
        ++renewal_.entries;
        if (batch.GetDataSize() < kBatchBytes) continue;
        TARN_CHECK_OK(write(batch));
        batch.Clear();
    }
    TARN_CHECK_OK(note(status_of(rows->status())));
    TARN_CHECK_OK(write(batch));
    return true;
}

/// No entry names a file any more that was gone when the renewal began.
Status IndexTable::end_renewal() {
    rocksdb::WriteBatch batch;
    for (const uint32_t number : renewal_.gone) {
        const auto file = files_.find(number);
        // A table that was set back to an older snapshot has it again.
        if (file == files_.end() || file->second.live) continue;
        forget_moved(batch, number);
        files_.erase(file);
    }
    TARN_CHECK_OK(write(batch));
    log_info("ingest", "entries of the key index name the files of now",
             {{"table", parts_.uuid},
              {"entries", renewal_.entries},
              {"files_gone", renewal_.gone.size()}});
    renewal_.number.reset();
    weigh();
    return ok_status();
}

}  // namespace tarn::ingest
