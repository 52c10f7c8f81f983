// How an index follows its table: built from its key columns, or caught up with by what the files
// of two snapshots differ in.
#include <fmt/format.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/random.h"
#include "ingest/internal/key_index_table.h"
#include "query/row_places.h"

namespace tarn::ingest {

namespace {

constexpr size_t kRunEntries = 1 << 20;   // sorted in memory at once: 32 MiB
constexpr size_t kBatchEntries = 50'000;  // fewer go the way of ordinary writes

}  // namespace

/// Entries on their way into the index: few as one batch, many as sorted files that RocksDB takes
/// over whole, past its memtables.
class IndexTable::Runs {
 public:
    Runs(IndexTable& table, uint32_t number) : table_(table), number_(number) {}

    Status add(const RowKey& key, const RowPlace& place) {
        entries_.push_back({key, place});
        return entries_.size() < kRunEntries ? ok_status() : ingest();
    }
    /// What is left goes into the batch, or into a last file.
    Status finish(rocksdb::WriteBatch& batch) {
        if (entries_.size() > kBatchEntries) return ingest();
        for (const auto& [key, place] : entries_) table_.put(batch, {key, std::nullopt, place});
        entries_.clear();
        return ok_status();
    }
    bool ingested() const { return ingested_; }

 private:
    struct Entry {
        RowKey key;
        RowPlace place;
    };

    Status ingest() {
        if (!ingested_) {
            // A file is on disk at once; what says that entries are ahead must be there before.
            TARN_CHECK_OK(table_.mark_torn());
            ingested_ = true;
        }
        std::stable_sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
            if (a.key == b.key) return table_.key_.many && a.place < b.place;
            return a.key.view() < b.key.view();
        });
        const std::string path = table_.run_path();
        Status done = write_file(path);
        entries_.clear();
        if (done.ok()) return table_.ingest({path});
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        return done;
    }

    Status write_file(const std::string& path) {
        rocksdb::SstFileWriter file(rocksdb::EnvOptions(), table_.parts_.db.GetOptions());
        TARN_CHECK_OK(status_of(file.Open(path)));
        for (size_t i = 0; i < entries_.size(); ++i) {
            const auto& [key, place] = entries_[i];
            std::string entry = table_.entry_of(number_, key);
            if (table_.key_.many) {
                append_be(entry, place.file);
                append_be(entry, place.position);
                TARN_CHECK_OK(status_of(file.Put(entry, "")));
                continue;
            }
            // Of several rows with one key the last one read counts.
            if (i + 1 < entries_.size() && entries_[i + 1].key == key) continue;
            TARN_CHECK_OK(status_of(file.Put(entry, place_text(place))));
        }
        return status_of(file.Finish());
    }

    IndexTable& table_;
    const uint32_t number_;
    std::vector<Entry> entries_;
    bool ingested_ = false;
};

std::string IndexTable::run_path() const {
    return fmt::format("{}/run-{}.sst", parts_.folder, random_hex(8));
}

/// All of the files or none; they are gone afterwards.
Status IndexTable::ingest(const std::vector<std::string>& paths) {
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    const auto taken = parts_.db.IngestExternalFile(paths, options);
    std::error_code ignored;
    for (const auto& path : paths) std::filesystem::remove(path, ignored);
    return status_of(taken);
}

/// One file with the entries, one with the record and the files' names: taken over together, so
/// that the record is what it says. Two, so that what lies in the memtable between the two ranges
/// need not be flushed for it.
Status IndexTable::ingest_moves(const std::vector<KeyIndex::Move>& moves, bool told) {
    std::vector<const KeyIndex::Move*> sorted;
    sorted.reserve(moves.size());
    for (const auto& move : moves) sorted.push_back(&move);
    const auto less = [](const KeyIndex::Move* a, const KeyIndex::Move* b) {
        return a->key < b->key;
    };
    if (!std::is_sorted(sorted.begin(), sorted.end(), less))
        std::stable_sort(sorted.begin(), sorted.end(), less);
    const uint32_t number = cleared_.value_or(record_.number);
    std::vector<std::string> paths = {run_path()};
    rocksdb::SstFileWriter entries(rocksdb::EnvOptions(), parts_.db.GetOptions());
    TARN_CHECK_OK(status_of(entries.Open(paths[0])));
    for (const auto* move : sorted) {
        const std::string entry = entry_of(number, move->key);
        TARN_CHECK_OK(status_of(move->to ? entries.Put(entry, place_text(*move->to))
                                         : entries.Delete(entry)));
    }
    TARN_CHECK_OK(status_of(entries.Finish()));
    if (told) {
        Facts facts;
        collect_facts(facts);
        paths.push_back(run_path());
        rocksdb::SstFileWriter file(rocksdb::EnvOptions(), parts_.db.GetOptions());
        TARN_CHECK_OK(status_of(file.Open(paths[1])));
        for (const auto& [key, value] : facts)
            TARN_CHECK_OK(status_of(value ? file.Put(key, *value) : file.Delete(key)));
        TARN_CHECK_OK(status_of(file.Finish()));
    }
    return ingest(paths);
}

Status IndexTable::mark_torn() {
    rocksdb::WriteBatch batch;
    if (found_ && !record_.torn) {
        record_.torn = true;
        save(batch);
    }
    TARN_CHECK_OK(status_of(parts_.db.Write(without_log(), &batch)));
    return status_of(parts_.db.Flush({}));
}

Status IndexTable::sync(const tables::TablePtr& state) {
    const auto snapshot = state->current_snapshot();
    const int64_t wanted = snapshot ? snapshot->snapshot_id : kNoSnapshot;
    if (!found_ || record_.torn || record_.key != key_text(*state)) return build(state);
    if (record_.snapshot != wanted) return catch_up(state);
    if (looked_) return ok_status();
    TARN_TRY(plan, tables::plan_scan(parts_.catalog, state));
    return set_live(plan);
}

Status IndexTable::set_live(const tables::ScanPlan& plan) {
    for (auto& [number, file] : files_) file.live = false;
    for (const auto& task : plan.tasks) number_of(task.file->path);
    looked_ = true;
    return ok_status();
}

Status IndexTable::build(const tables::TablePtr& state) {
    TARN_TRY(plan, tables::plan_scan(parts_.catalog, state));
    TARN_TRY(number, fresh_number());
    const bool again = found_;
    const auto old = record_.number;
    Record made;
    made.number = number;
    made.snapshot = plan.snapshot ? plan.snapshot->snapshot_id : kNoSnapshot;
    made.key = key_text(*state);
    files_.clear();
    numbers_.clear();
    renewal_.number.reset();
    weight_ = 0;
    looked_ = false;
    // The old record stays until the end, so that a crash leaves no half: entries of a number that
    // no record names are swept.
    if (again) TARN_CHECK_OK(mark_torn());
    record_ = made;
    found_ = false;
    rocksdb::WriteBatch batch;
    Runs runs(*this, number);
    for (const auto& task : plan.tasks) TARN_CHECK_OK(add_file(state, task, runs));
    TARN_CHECK_OK(runs.finish(batch));
    save(batch);
    TARN_CHECK_OK(write(batch));
    found_ = looked_ = true;
    if (again) TARN_CHECK_OK(drop_index_number(parts_.db, old));
    return ok_status();
}

Status IndexTable::add_file(const tables::TablePtr& state, const tables::ScanTask& task,
                            Runs& runs) {
    const uint32_t file = number_of(task.file->path);
    std::vector<size_t> key(key_.field_ids.size());
    for (size_t i = 0; i < key.size(); ++i) key[i] = i;
    return query::read_placed_rows(
        parts_.engine, state, task, key_.field_ids, nullptr,
        [&](const query::Chunk& rows, const std::vector<uint64_t>& positions) -> Status {
            for (size_t row = 0; row < positions.size(); ++row)
                if (const auto made = keys_.make(rows, key, row))
                    TARN_CHECK_OK(runs.add(*made, {file, positions[row]}));
            return ok_status();
        });
}

/// Entries of files that are gone stay where several rows may have one key, until the index is made
/// anew.
bool IndexTable::too_much_garbage(const Known& before, const tables::ScanPlan& plan) {
    for (const auto& task : plan.tasks)
        if (!before.contains(task.file->path))
            garbage_ += static_cast<uint64_t>(task.file->record_count);
    if (garbage_ <= static_cast<uint64_t>(plan.records)) return false;
    garbage_ = 0;
    return true;
}

Status IndexTable::catch_up(const tables::TablePtr& state) {
    Known before;
    if (record_.snapshot != kNoSnapshot) {
        tables::ScanOptions then;
        then.snapshot_id = record_.snapshot;
        auto plan = tables::plan_scan(parts_.catalog, state, then);
        if (!plan.ok()) {
            // Expired meanwhile, or the table's past was changed.
            if (plan.error().code == Code::not_found) return build(state);
            return std::move(plan).error();
        }
        for (auto& task : plan->tasks) before[task.file->path].task = std::move(task);
    }
    TARN_TRY(plan, tables::plan_scan(parts_.catalog, state));
    if (key_.many && too_much_garbage(before, plan)) return build(state);
    if (!key_.many) TARN_CHECK_OK(follow_rewrites(before));
    TARN_CHECK_OK(set_live(plan));
    rocksdb::WriteBatch batch;
    Runs runs(*this, record_.number);
    for (const auto& task : plan.tasks) {
        const auto known = before.find(task.file->path);
        if (known == before.end())
            TARN_CHECK_OK(add_file(state, task, runs));
        else
            TARN_CHECK_OK(forget_deleted(state, task, known->second, batch));
    }
    TARN_CHECK_OK(runs.finish(batch));
    record_.snapshot = plan.snapshot ? plan.snapshot->snapshot_id : kNoSnapshot;
    record_.torn = false;
    save(batch);
    TARN_CHECK_OK(write(batch));
    weigh();
    return renew_some();
}

/// Rows that delete files took away that came since: their keys are nowhere, unless an entry says
/// that they are elsewhere.
Status IndexTable::forget_deleted(const tables::TablePtr& state, const tables::ScanTask& task,
                                  KnownFile& known, rocksdb::WriteBatch& batch) {
    const auto same = [&] {
        return known.task.file && task.deletes.size() == known.task.deletes.size() &&
               std::equal(task.deletes.begin(), task.deletes.end(), known.task.deletes.begin(),
                          [](const auto& a, const auto& b) { return a->path == b->path; });
    };
    if (task.deletes.empty() || same()) return ok_status();
    TARN_TRY(deleted, deleted_rows(task));
    TARN_TRY(old, deleted_before(known));
    deleted -= *old;
    if (deleted.isEmpty()) return ok_status();
    std::vector<uint64_t> positions(deleted.cardinality());
    deleted.toUint64Array(positions.data());
    const uint32_t file = number_of(task.file->path);
    std::vector<size_t> key(key_.field_ids.size());
    for (size_t i = 0; i < key.size(); ++i) key[i] = i;
    const auto take = [&](const query::Chunk& rows, const std::vector<uint64_t>& places) -> Status {
        std::vector<RowKey> keys;
        std::vector<RowPlace> at;
        for (size_t row = 0; row < places.size(); ++row) {
            const auto made = keys_.make(rows, key, row);
            if (!made) continue;
            keys.push_back(*made);
            at.push_back({file, places[row]});
        }
        if (key_.many) {
            for (size_t i = 0; i < keys.size(); ++i) put(batch, {keys[i], at[i], std::nullopt});
            return ok_status();
        }
        TARN_TRY(found, find(keys));
        for (size_t i = 0; i < keys.size(); ++i)
            if (found[i] == at[i]) put(batch, {keys[i], at[i], std::nullopt});
        return ok_status();
    };
    return query::read_placed_rows(parts_.engine, state, {task.file, task.sequence_number, {}},
                                   key_.field_ids, &positions, take);
}

}  // namespace tarn::ingest
