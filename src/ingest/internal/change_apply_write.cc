// The second half of ChangeApply: pending rows become data files, keys are looked up, and all of it
// becomes one TableChange.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "ingest/internal/change_apply_impl.h"

namespace tarn::ingest {

using Mode = ChangeShape::Mode;
using Where = ChangedKeys::Where;

namespace {

/// The first bytes of a key decide nearly always, and need no look at the entry.
std::vector<uint32_t> in_order_of_keys(const std::vector<ChangedKeys::Entry>& entries) {
    struct Start {
        uint64_t bytes;
        uint32_t entry;
    };
    std::vector<Start> starts(entries.size());
    for (uint32_t i = 0; i < starts.size(); ++i)
        starts[i] = {load_be<uint64_t>(entries[i].key.bytes.data()), i};
    const auto less = [&](const Start& a, const Start& b) {
        return a.bytes != b.bytes ? a.bytes < b.bytes : entries[a.entry].key < entries[b.entry].key;
    };
    if (!std::is_sorted(starts.begin(), starts.end(), less))
        std::sort(starts.begin(), starts.end(), less);
    std::vector<uint32_t> order;
    order.reserve(starts.size());
    for (const auto& start : starts) order.push_back(start.entry);
    return order;
}

}  // namespace

Status ChangeApply::Impl::keep_bounded() {
    const uint64_t buffer_max = std::max<uint64_t>(parts_.memory_max / 4, 1 << 20);
    if (buffer_.rows() >= kBufferRows || buffer_.waiting().size() >= kWaitingMax ||
        buffer_bytes_ * (history_ ? 3 : 1) >= buffer_max ||
        (history_ && history_->before().rows() >= kWaitingMax))
        TARN_CHECK_OK(flush());
    if (keys_.bytes() + many_.size() * 160 >= parts_.memory_max / 2) TARN_CHECK_OK(spill());
    return ok_status();
}

/// The state of the table that places are looked up in. It is fixed from the first look on that
/// something pending depends on; `newest`: nothing does yet.
Status ChangeApply::Impl::load_base(bool newest) {
    if (base_ && (!newest || spilled_)) return ok_status();
    TARN_TRY(state, parts_.lake.catalog.snapshot().load_table(table_->info));
    if (base_ && base_->current_snapshot() == state->current_snapshot()) {
        base_ = std::move(state);
        return ok_status();
    }
    if (shape_.mode != Mode::append_only) {
        if (!index_) {
            KeyIndex::KeyOf key;
            for (const size_t column : key_) key.field_ids.push_back(kept_ids_[column]);
            key.many = shape_.mode == Mode::whole_rows;
            TARN_TRY(opened, parts_.index.open_table(state->info.uuid, std::move(key)));
            index_ = std::move(opened);
        }
        TARN_CHECK_OK(index_->sync(state));
    }
    TARN_TRY(plan, tables::plan_scan(parts_.lake.catalog, state));
    base_files_.clear();
    for (auto& task : plan.tasks) base_files_.emplace(task.file->path, std::move(task));
    base_ = std::move(state);
    return ok_status();
}

uint32_t ChangeApply::Impl::own_of(uint32_t writer_file) {
    const uint32_t own = writer_base_ + writer_file;
    while (own_paths_.size() <= own)
        own_paths_.push_back(
            writer_->path(static_cast<uint32_t>(own_paths_.size()) - writer_base_));
    return own | kOwn;
}

Status ChangeApply::Impl::close_writer() {
    if (!writer_) return ok_status();
    TARN_TRY(files, writer_->close());
    for (auto& file : files) own_files_.emplace(file.path, std::move(file));
    return ok_status();
}

Status ChangeApply::Impl::flush() {
    TARN_CHECK_OK(settle());
    if (history_) TARN_CHECK_OK(history_->flush());
    TARN_CHECK_OK(write_buffer());
    buffer_.clear();
    alive_.clear();
    entry_of_row_.clear();
    buffer_bytes_ = 0;
    return ok_status();
}

Status ChangeApply::Impl::write_buffer() {
    std::vector<uint32_t> chosen;
    for (uint32_t row = 0; row < alive_.size(); ++row)
        if (alive_[row]) chosen.push_back(row);
    if (chosen.empty()) return ok_status();
    if (!writer_) {
        TARN_TRY(opened, query::open_placed_writer(parts_.lake.engine, table_, kept_ids_));
        writer_ = std::move(opened);
        writer_base_ = static_cast<uint32_t>(own_paths_.size());
    }
    std::vector<query::PlacedRow> places;
    TARN_CHECK_OK(writer_->append(buffer_.chunk(), chosen, places));
    std::map<uint32_t, RowPlace> written;  // of rows that several may equal
    for (size_t i = 0; i < chosen.size(); ++i) {
        const uint32_t file = own_of(places[i].file);
        const uint32_t id = entry_of_row_[chosen[i]];
        if (id != ChangedKeys::kNone) {
            auto& entry = keys_.at(id);
            entry.where = Where::written;
            entry.file = file;
            entry.position = places[i].position;
        } else if (shape_.mode == Mode::whole_rows) {
            written[chosen[i]] = {file, places[i].position};
        }
    }
    if (written.empty()) return ok_status();
    for (auto& [key, many] : many_)
        for (auto& place : many.live)
            if (place.file == kBuffered) place = written.at(static_cast<uint32_t>(place.position));
    return ok_status();
}

Result<tables::ScanTask> ChangeApply::Impl::task_of(uint32_t file) {
    tables::ScanTask task;
    if (file & kOwn) {
        const auto found = own_files_.find(own_paths_[file & ~kOwn]);
        if (found == own_files_.end())
            return Error(Code::internal, "a file of this commit that is not closed");
        task.file = std::make_shared<const tables::DataFile>(found->second);
        return task;
    }
    TARN_TRY(path, index_->path_of(file));
    const auto found = base_files_.find(path);
    if (found == base_files_.end())
        return Error(Code::internal, fmt::format("key index: {} is no file of table {}", path,
                                                 table_->info.full_name()));
    return found->second;
}

/// A place as the index has it, with this commit's own numbers.
RowPlace ChangeApply::Impl::index_place(const RowPlace& place) const {
    const auto own = own_of_index_.find(place.file);
    return own == own_of_index_.end() ? place : RowPlace{own->second, place.position};
}

/// Finds what cells wait for, and puts it in place.
Status ChangeApply::Impl::settle() {
    std::vector<WaitingRows*> all = {&buffer_};
    if (history_) {
        all.push_back(&history_->before());
        all.push_back(&history_->after());
    }
    // Nobody will see what died in the buffer meanwhile.
    const auto dead = [&](size_t i, const WaitingRows::Waiting& waiting) {
        return i == 0 && !alive_[waiting.row];
    };
    std::vector<RowKey> keys;
    for (size_t i = 0; i < all.size(); ++i)
        for (const auto& waiting : all[i]->waiting())
            if (!waiting.source.place && !dead(i, waiting)) keys.push_back(waiting.source.key);
    std::vector<std::optional<RowPlace>> found;
    if (!keys.empty()) {
        TARN_CHECK_OK(load_base(false));
        TARN_TRY(places, index_->find(keys));
        found = std::move(places);
    }
    std::map<uint32_t, std::set<uint64_t>> wanted;
    std::vector<std::vector<std::optional<RowPlace>>> sources(all.size());
    size_t next = 0;
    for (size_t i = 0; i < all.size(); ++i)
        for (const auto& waiting : all[i]->waiting()) {
            if (dead(i, waiting)) {
                sources[i].push_back(std::nullopt);
                continue;
            }
            std::optional<RowPlace> at = waiting.source.place;
            if (!at) {
                if (found[next]) at = index_place(*found[next]);
                ++next;
            }
            if (!at && i == 0) return no_row(waiting.source.key);
            if (at && at->file != kBuffered) wanted[at->file].insert(at->position);
            sources[i].push_back(at);
        }
    TARN_CHECK_OK(fetch(wanted));
    for (size_t i = 0; i < all.size(); ++i) {
        std::vector<WaitingRows::Fetched> cells;
        for (size_t at = 0; at < sources[i].size(); ++at) {
            WaitingRows::Fetched cell;
            const auto& source = sources[i][at];
            if (source && source->file == kBuffered)
                cell = {&buffer_.chunk(), static_cast<size_t>(source->position)};
            else if (source) {
                const auto& key = all[i]->waiting()[at].source.key;
                const auto row = fetched_rows_.find(*source);
                if (row != fetched_rows_.end())
                    cell = row->second;
                else if (i == 0)
                    return no_row(key);
                if (cell.rows && keys_made_.make(*cell.rows, key_, cell.row) != key)
                    return Error(Code::corrupted,
                                 fmt::format("table {}: the key index points to another row than "
                                             "that of {}: remove its folder, it will be made anew",
                                             table_->info.full_name(), describe(key)));
            }
            cells.push_back(cell);
        }
        all[i]->settle(cells);
    }
    fetched_.clear();
    fetched_rows_.clear();
    return ok_status();
}

Status ChangeApply::Impl::fetch(const std::map<uint32_t, std::set<uint64_t>>& wanted) {
    if (wanted.empty()) return ok_status();
    if (wanted.rbegin()->first & kOwn) TARN_CHECK_OK(close_writer());
    // A row's history needs all of it, an update only what the log left out.
    std::vector<uint8_t> needed(kept_.size(), history_ != nullptr);
    for (const auto& waiting : buffer_.waiting()) needed[waiting.column] = 1;
    for (const size_t column : key_) needed[column] = 1;  // whether it is the row that was meant
    std::vector<int> ids;
    std::vector<size_t> columns;
    for (size_t i = 0; i < kept_.size(); ++i)
        if (needed[i]) {
            ids.push_back(kept_ids_[i]);
            columns.push_back(i);
        }
    for (const auto& [file, rows] : wanted) {
        TARN_TRY(task, task_of(file));
        const std::vector<uint64_t> only(rows.begin(), rows.end());
        const auto take = [&, number = file](const query::Chunk& chunk,
                                             const std::vector<uint64_t>& positions) -> Status {
            fetched_.push_back(std::make_unique<query::Chunk>());
            for (const size_t column : kept_)
                fetched_.back()->columns.emplace_back(shape_.columns[column].type);
            for (size_t i = 0; i < columns.size(); ++i)
                fetched_.back()->columns[columns[i]] = chunk.columns[i];
            for (size_t row = 0; row < positions.size(); ++row)
                fetched_rows_[{number, positions[row]}] = {fetched_.back().get(), row};
            return ok_status();
        };
        TARN_CHECK_OK(query::read_placed_rows(parts_.lake.engine, file & kOwn ? table_ : base_,
                                              task, ids, &only, take));
    }
    return ok_status();
}

Status ChangeApply::Impl::truncate(const TransactionInfo& transaction) {
    if (history_) {
        TARN_CHECK_OK(flush());
        TARN_CHECK_OK(tell_history('T', transaction, Before::none, {}, {}, {}));
    }
    ++counts_.truncated;
    TARN_CHECK_OK(close_writer());
    writer_.reset();
    std::vector<std::string> paths;
    for (const auto& [path, file] : own_files_) paths.push_back(path);
    if (!paths.empty()) TARN_CHECK_OK(parts_.lake.catalog.files().remove(paths));
    own_files_.clear();
    deleted_.clear();
    buffer_.clear();
    alive_.clear();
    entry_of_row_.clear();
    buffer_bytes_ = 0;
    keys_.clear();
    many_.clear();
    truncated_ = true;
    TARN_CHECK_OK(load_base(false));
    return index_ ? index_->clear() : ok_status();
}

void ChangeApply::Impl::delete_place(const RowPlace& place) {
    deleted_[place.file].add(place.position);
}

/// Looks up the rows that the changed keys have in the table, marks them as deleted, and says what
/// the index has to learn. Precondition: nothing is buffered.
Result<std::vector<KeyIndex::Move>> ChangeApply::Impl::resolve() {
    std::vector<KeyIndex::Move> moves;
    if (shape_.mode == Mode::whole_rows) {
        TARN_CHECK_OK(resolve_many(moves));
        return moves;
    }
    const auto& entries = keys_.entries();
    const auto order = in_order_of_keys(entries);
    std::vector<RowKey> keys;
    keys.reserve(order.size());
    for (const uint32_t i : order) keys.push_back(entries[i].key);
    TARN_TRY(found, index_->find(keys));
    moves.reserve(order.size());
    std::vector<std::optional<uint32_t>> numbers(own_paths_.size());
    for (size_t i = 0; i < order.size(); ++i) {
        const auto& entry = entries[order[i]];
        if (found[i]) delete_place(index_place(*found[i]));
        if (entry.where == Where::gone) {
            if (found[i]) moves.push_back({entry.key, found[i], std::nullopt});
            continue;
        }
        auto& number = numbers[entry.file & ~kOwn];
        if (!number) {
            TARN_TRY(given, index_->file_of(own_paths_[entry.file & ~kOwn]));
            number = given;
            own_of_index_[given] = entry.file;
        }
        moves.push_back({entry.key, std::nullopt, RowPlace{*number, entry.position}});
    }
    return moves;
}

Status ChangeApply::Impl::resolve_many(std::vector<KeyIndex::Move>& moves) {
    for (const auto& [key, many] : many_) {
        if (many.removed > 0) {
            TARN_TRY(found, index_->find_many(key, many.removed));
            for (const auto& place : found) {
                delete_place(index_place(place));
                moves.push_back({key, place, std::nullopt});
            }
        }
        for (const auto& place : many.live) {
            TARN_TRY(number, index_->file_of(own_paths_[place.file & ~kOwn]));
            own_of_index_[number] = place.file;
            moves.push_back({key, std::nullopt, RowPlace{number, place.position}});
        }
    }
    return ok_status();
}

/// Keys that are too many for memory: the index on disk takes them, ahead of the table.
Status ChangeApply::Impl::spill() {
    TARN_CHECK_OK(flush());
    TARN_CHECK_OK(load_base(false));
    TARN_TRY(moves, resolve());
    spilled_ = true;
    TARN_CHECK_OK(index_->moving(moves));
    keys_.clear();
    many_.clear();
    return ok_status();
}

Result<tables::TableChange> ChangeApply::Impl::change() {
    tables::TableChange out;
    out.table = base_;
    for (const auto& [path, file] : own_files_) out.append.push_back(file);
    if (truncated_)
        for (const auto& [path, task] : base_files_) out.remove_files.push_back(path);
    std::vector<query::DeletedRows> deleted;
    for (const auto& [file, rows] : deleted_) {
        if (truncated_ && !(file & kOwn)) continue;
        TARN_TRY(task, task_of(file));
        query::DeletedRows of{std::move(task), {}};
        of.positions.resize(rows.cardinality());
        rows.toUint64Array(of.positions.data());
        deleted.push_back(std::move(of));
    }
    const Status done = query::delete_placed_rows(parts_.lake.engine, deleted, out);
    for (const auto& file : out.position_deletes) written_.push_back(file.path);
    if (!done.ok()) return done.error();
    return out;
}

Result<std::vector<tables::TableChange>> ChangeApply::Impl::finish() {
    if (!broken_.ok()) return broken_.error();
    std::vector<tables::TableChange> out;
    const auto work = [&]() -> Status {
        TARN_CHECK_OK(flush());
        TARN_CHECK_OK(close_writer());
        TARN_CHECK_OK(load_base(!truncated_));
        if (shape_.mode != Mode::append_only) {
            TARN_TRY(moves, resolve());
            moves_ = std::move(moves);
        }
        TARN_TRY(made, change());
        if (made.makes_snapshot()) {
            changes_table_ = true;
            out.push_back(std::move(made));
        }
        if (!history_) return ok_status();
        TARN_TRY(told, history_->finish());
        if (!told) return ok_status();
        for (const auto& file : told->append) written_.push_back(file.path);
        out.push_back(std::move(*told));
        return ok_status();
    };
    const Status done = work();
    if (!done.ok()) {
        broken_ = done;
        return done.error();
    }
    finished_ = true;
    return out;
}

Status ChangeApply::Impl::committed(const tables::TablePtr& after,
                                    const tables::TablePtr& history_after) {
    if (!finished_) return Error(Code::precondition_failed, "committed() without finish()");
    Status done = ok_status();
    if (after) {
        table_ = after;
        if (index_) done = index_->moved(moves_, after);
        // What is in the lake is right; an index that lost its place is made anew.
        if (!done.ok() && index_) index_->forget();
    }
    if (history_) history_->committed(history_after);
    own_files_.clear();
    written_.clear();
    reset();
    return done;
}

void ChangeApply::Impl::discard(bool outcome_open) {
    std::vector<std::string> paths = std::exchange(written_, {});
    for (const auto& [path, file] : own_files_) paths.push_back(path);
    if (!paths.empty() && !outcome_open) {
        const Status removed = parts_.lake.catalog.files().remove(paths);
        if (!removed.ok())
            log_warning("ingest", "files of a commit that did not come to be stay behind",
                        {{"table", table_->info.full_name()}, {"error", removed.error().message}});
    }
    own_files_.clear();
    if (history_) history_->discard();
    if (index_) index_->forget();
    reset();
}

void ChangeApply::Impl::reset() {
    buffer_.clear();
    alive_.clear();
    entry_of_row_.clear();
    buffer_bytes_ = 0;
    clear_key_cells();
    keys_.clear();
    many_.clear();
    writer_.reset();
    writer_base_ = 0;
    own_paths_.clear();
    own_of_index_.clear();
    deleted_.clear();
    fetched_.clear();
    fetched_rows_.clear();
    moves_.clear();
    base_.reset();
    base_files_.clear();
    truncated_ = spilled_ = finished_ = changes_table_ = false;
    told_ = false;
    counts_ = {};
    broken_ = ok_status();
}

}  // namespace tarn::ingest
