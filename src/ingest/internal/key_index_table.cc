#include "ingest/internal/key_index_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"

namespace tarn::ingest {

namespace {

// First bytes of the keys in the database. Entries begin with their table's number, which is never
// that small.
constexpr char kTableKind = '\x02';
constexpr char kFileKind = '\x03';
constexpr char kMovedKind = '\x04';
constexpr uint32_t kNumberMin = 0x10000000;
// Entries that a crash may cost are read again from the table; older than this they are on disk.
constexpr std::chrono::seconds kFlushAfter{60};
// From here on a sorted file of their own costs less than a way through the memtable.
constexpr size_t kIngestMoves = 20'000;

std::string table_key(const std::string& uuid) {
    return std::string(1, kTableKind) + uuid;
}

std::string file_key(uint32_t number, uint32_t file, char kind = kFileKind) {
    std::string key(1, kind);
    append_be(key, number);
    append_be(key, file);
    return key;
}

constexpr size_t kRecordBytes = 4 + 1 + 8 + 4;

}  // namespace

Status status_of(const rocksdb::Status& status) {
    if (status.ok()) return ok_status();
    const Code code = status.IsCorruption() ? Code::corrupted : Code::io;
    return Error(code, "key index: " + status.ToString());
}

rocksdb::WriteOptions without_log() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return options;
}

std::string prefix_of(uint32_t number) {
    std::string out;
    append_be(out, number);
    return out;
}

std::optional<RowPlace> place_of(const rocksdb::Slice& text) {
    if (text.size() < 4 || text.size() > 12) return std::nullopt;
    RowPlace place;
    place.file = load_le<uint32_t>(text.data());
    for (size_t i = text.size(); i > 4; --i)
        place.position = place.position << 8 | static_cast<uint8_t>(text[i - 1]);
    return place;
}

std::string place_text(const RowPlace& place) {
    std::string out;
    append_le(out, place.file);
    for (uint64_t rest = place.position; rest > 0; rest >>= 8)
        out.push_back(static_cast<char>(rest & 0xff));
    return out;
}

Status drop_index_number(rocksdb::DB& db, uint32_t number) {
    rocksdb::WriteBatch batch;
    batch.DeleteRange(prefix_of(number), prefix_of(number + 1));
    for (const char kind : {kFileKind, kMovedKind})
        batch.DeleteRange(file_key(number, 0, kind), file_key(number + 1, 0, kind));
    return status_of(db.Write(without_log(), &batch));
}

Status sweep_index(rocksdb::DB& db) {
    std::set<uint32_t> named;
    const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator({}));
    for (rows->Seek(std::string(1, kTableKind)); rows->Valid() && rows->key()[0] == kTableKind;
         rows->Next())
        if (rows->value().size() >= kRecordBytes)
            named.insert(load_le<uint32_t>(rows->value().data()));
    for (rows->Seek(prefix_of(kNumberMin)); rows->Valid() && rows->key().size() >= 4;) {
        const auto number = load_be<uint32_t>(rows->key().data());
        if (!named.contains(number)) TARN_CHECK_OK(drop_index_number(db, number));
        rows->Seek(prefix_of(number + 1));
    }
    return status_of(rows->status());
}

Status drop_index_table(rocksdb::DB& db, const std::string& uuid) {
    std::string text;
    const auto found = db.Get({}, table_key(uuid), &text);
    if (found.IsNotFound()) return ok_status();
    TARN_CHECK_OK(status_of(found));
    TARN_CHECK_OK(status_of(db.Delete(without_log(), table_key(uuid))));
    if (text.size() < kRecordBytes) return ok_status();
    return drop_index_number(db, load_le<uint32_t>(text.data()));
}

Result<std::unique_ptr<KeyIndex::Table>> IndexTable::open(Parts parts, KeyIndex::KeyOf key) {
    std::unique_ptr<IndexTable> made(new IndexTable(std::move(parts), std::move(key)));
    TARN_CHECK_OK(made->load());
    return std::unique_ptr<KeyIndex::Table>(std::move(made));
}

Status IndexTable::load() {
    std::string text;
    const auto found = parts_.db.Get({}, table_key(parts_.uuid), &text);
    if (found.IsNotFound()) return ok_status();
    TARN_CHECK_OK(status_of(found));
    if (text.size() < kRecordBytes) return Error(Code::corrupted, "key index: a table's record");
    record_.number = load_le<uint32_t>(text.data());
    record_.torn = text[4] != 0;
    record_.snapshot = load_le<int64_t>(text.data() + 5);
    record_.next_file = load_le<uint32_t>(text.data() + 13);
    record_.key = text.substr(kRecordBytes);
    found_ = true;
    const std::unique_ptr<rocksdb::Iterator> rows(parts_.db.NewIterator({}));
    const std::string end = file_key(record_.number + 1, 0);
    for (rows->Seek(file_key(record_.number, 0)); rows->Valid() && rows->key().compare(end) < 0;
         rows->Next()) {
        const auto file = load_be<uint32_t>(rows->key().data() + 5);
        record_.next_file = std::max(record_.next_file, file + 1);
        files_[file].path = rows->value().ToString();
        files_[file].saved = true;
        numbers_[files_[file].path] = file;
    }
    const std::string moved_end = file_key(record_.number + 1, 0, kMovedKind);
    for (rows->Seek(file_key(record_.number, 0, kMovedKind));
         rows->Valid() && rows->key().compare(moved_end) < 0; rows->Next()) {
        const auto file = load_be<uint32_t>(rows->key().data() + 5);
        TARN_TRY(moved, MovedRows::decode(rows->value().ToStringView()));
        record_.next_file = std::max(record_.next_file, file + 1);
        files_[file].moved = std::make_shared<const MovedRows>(std::move(moved));
        files_[file].moved_saved = true;
    }
    weigh();
    return status_of(rows->status());
}

/// A number that nothing in the database begins with: also no entries that a crash left.
Result<uint32_t> IndexTable::fresh_number() {
    for (;;) {
        const std::string bytes = random_bytes(4);
        const auto number = load_le<uint32_t>(bytes.data());
        if (number < kNumberMin || number == UINT32_MAX) continue;
        const std::unique_ptr<rocksdb::Iterator> rows(parts_.db.NewIterator({}));
        rows->Seek(prefix_of(number));
        TARN_CHECK_OK(status_of(rows->status()));
        if (!rows->Valid() || !rows->key().starts_with(prefix_of(number))) return number;
    }
}

/// What keys are made of: when it changes, entries mean nothing any more. Integers of any width
/// give the same keys.
std::string IndexTable::key_text(const tables::TableState& state) const {
    std::string out = key_.many ? "many" : "one";
    for (const int id : key_.field_ids) {
        const auto* field = state.schema().find(id);
        std::string type = field ? tables::type_name(field->type) : "gone";
        if (type == "int") type = "long";
        if (type == "float") type = "double";
        out += fmt::format(" {}:{}", id, type);
    }
    return out;
}

std::string IndexTable::entry_of(uint32_t number, const RowKey& key) const {
    std::string out;
    out.reserve(4 + RowKey::kBytesMax + 12);
    append_be(out, number);
    out.append(key.view());
    return out;
}

void IndexTable::put(rocksdb::WriteBatch& batch, const KeyIndex::Move& move) const {
    const std::string entry = entry_of(cleared_.value_or(record_.number), move.key);
    if (!key_.many) {
        if (move.to)
            batch.Put(entry, place_text(*move.to));
        else
            batch.Delete(entry);
        return;
    }
    const auto with = [&](const RowPlace& place) {
        std::string out = entry;
        append_be(out, place.file);
        append_be(out, place.position);
        return out;
    };
    if (move.from) batch.Delete(with(*move.from));
    if (move.to) batch.Put(with(*move.to), "");
}

/// The table's record and what changed of its files' names.
void IndexTable::collect_facts(Facts& facts) {
    for (auto file = files_.begin(); file != files_.end();) {
        auto& known = file->second;
        if (known.moved && !known.moved_saved) {
            facts[file_key(record_.number, file->first, kMovedKind)] = known.moved->encode();
            known.moved_saved = true;
        }
        if (known.saved != known.live) {
            auto& fact = facts[file_key(record_.number, file->first)];
            if (known.live) fact = known.path;
            known.saved = known.live;
        }
        if (!known.live && !known.path.empty()) {
            numbers_.erase(known.path);
            std::string().swap(known.path);
        }
        file = known.live || known.moved ? std::next(file) : files_.erase(file);
    }
    facts[table_key(parts_.uuid)] = record_text();
}

std::string IndexTable::record_text() const {
    std::string out;
    append_le(out, record_.number);
    append_le(out, static_cast<uint8_t>(record_.torn));
    append_le(out, record_.snapshot);
    append_le(out, record_.next_file);
    return out + record_.key;
}

void IndexTable::save(rocksdb::WriteBatch& batch) {
    Facts facts;
    collect_facts(facts);
    for (const auto& [key, value] : facts)
        if (value)
            batch.Put(key, *value);
        else
            batch.Delete(key);
}

/// What is damaged is thrown away at the next open: here the error is told.
Status IndexTable::note(const Status& status) const {
    if (!status.ok() && status.error().code == Code::corrupted)
        std::ofstream(parts_.folder + "/" + kDamaged) << status.error().message;
    return status;
}

/// Where the rows of a file went is not needed any more.
void IndexTable::forget_moved(rocksdb::WriteBatch& batch, uint32_t file) const {
    batch.Delete(file_key(record_.number, file, kMovedKind));
}

Status IndexTable::write(rocksdb::WriteBatch& batch) {
    TARN_CHECK_OK(status_of(parts_.db.Write(without_log(), &batch)));
    const auto now = std::chrono::steady_clock::now();
    if (now - flushed_ < kFlushAfter) return ok_status();
    flushed_ = now;
    rocksdb::FlushOptions flush;
    flush.wait = false;
    return status_of(parts_.db.Flush(flush));
}

uint32_t IndexTable::number_of(const std::string& path) {
    const auto [found, fresh] = numbers_.emplace(path, record_.next_file);
    if (fresh) files_[record_.next_file++].path = path;
    files_[found->second].live = true;
    return found->second;
}

/// A lookup of many keys, in order.
struct IndexTable::Lookup {
    const std::vector<RowKey>& keys;
    std::vector<uint32_t> order;
    std::string prefix;
    std::vector<std::optional<RowPlace>> found;

    size_t left(size_t at) const { return order.size() - at; }
    const RowKey& key(size_t at) const { return keys[order[at]]; }
};

Result<std::vector<std::optional<RowPlace>>> IndexTable::find(const std::vector<RowKey>& keys) {
    constexpr size_t kBatch = 512, kWalkMin = 64;
    Lookup lookup{
        keys, std::vector<uint32_t>(keys.size()), prefix_of(cleared_.value_or(record_.number)), {}};
    lookup.found.resize(keys.size());
    // Neighbours lie in one block: asked for in order they are read once.
    for (uint32_t i = 0; i < lookup.order.size(); ++i) lookup.order[i] = i;
    if (!std::is_sorted(keys.begin(), keys.end()))
        std::sort(lookup.order.begin(), lookup.order.end(),
                  [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
    std::unique_ptr<rocksdb::Iterator> rows;
    for (size_t at = 0; at < keys.size();) {
        if (lookup.left(at) >= kWalkMin) {
            rocksdb::ReadOptions options;
            options.fill_cache = false;
            if (!rows) rows.reset(parts_.db.NewIterator(options));
            TARN_TRY(walked, walk(lookup, at, *rows));
            at += walked;
        }
        const size_t count = std::min(kBatch, lookup.left(at));
        if (count > 0) TARN_CHECK_OK(look_up(lookup, at, count));
        at += count;
    }
    return std::move(lookup.found);
}

Status IndexTable::take(Lookup& lookup, size_t at, const rocksdb::Slice& value) const {
    const auto place = place_of(value);
    if (!place) return note(Error(Code::corrupted, "key index: an entry"));
    lookup.found[lookup.order[at]] = place_now(*place);
    return ok_status();
}

/// Keys that lie close together are met on the way: a step costs a tenth of a lookup. Ends where
/// they are too far apart; how many it got through.
Result<size_t> IndexTable::walk(Lookup& lookup, size_t from, rocksdb::Iterator& rows) const {
    constexpr size_t kStepsPerKey = 6, kStepsAhead = 32;
    size_t at = from, steps = 0;
    std::string wanted = lookup.prefix;
    for (rows.Seek(wanted.append(lookup.key(at).view())); at < lookup.order.size();) {
        if (!rows.Valid() || !rows.key().starts_with(lookup.prefix)) {
            TARN_CHECK_OK(note(status_of(rows.status())));
            return lookup.left(from);  // no more entries: none of the rest is there
        }
        const int order = rows.key().compare(wanted);
        if (order == 0) TARN_CHECK_OK(take(lookup, at, rows.value()));
        if (order >= 0) {  // the next key may be the same
            if (++at == lookup.order.size()) break;
            wanted.resize(lookup.prefix.size());
            wanted.append(lookup.key(at).view());
            continue;
        }
        rows.Next();
        if (++steps > kStepsPerKey * (at - from) + kStepsAhead) break;
    }
    return at - from;
}

Status IndexTable::look_up(Lookup& lookup, size_t from, size_t count) const {
    std::vector<std::array<char, 4 + RowKey::kBytesMax>> entries(count);
    std::vector<rocksdb::Slice> asked(count);
    std::vector<rocksdb::PinnableSlice> values(count);
    std::vector<rocksdb::Status> states(count);
    for (size_t i = 0; i < count; ++i) {
        const RowKey& key = lookup.key(from + i);
        std::memcpy(entries[i].data(), lookup.prefix.data(), 4);
        std::memcpy(entries[i].data() + 4, key.bytes.data(), key.size);
        asked[i] = rocksdb::Slice(entries[i].data(), 4u + key.size);
    }
    parts_.db.MultiGet({}, parts_.db.DefaultColumnFamily(), count, asked.data(), values.data(),
                       states.data(), true);
    for (size_t i = 0; i < count; ++i) {
        if (states[i].IsNotFound()) continue;
        TARN_CHECK_OK(note(status_of(states[i])));
        TARN_CHECK_OK(take(lookup, from + i, values[i]));
    }
    return ok_status();
}

Result<std::vector<RowPlace>> IndexTable::find_many(const RowKey& key, size_t count) {
    std::vector<RowPlace> out;
    const std::string prefix = entry_of(cleared_.value_or(record_.number), key);
    const std::unique_ptr<rocksdb::Iterator> rows(parts_.db.NewIterator({}));
    for (rows->Seek(prefix); out.size() < count && rows->Valid(); rows->Next()) {
        const auto entry = rows->key();
        if (!entry.starts_with(prefix)) break;
        if (entry.size() != prefix.size() + 12) continue;
        RowPlace place;
        place.file = load_be<uint32_t>(entry.data() + prefix.size());
        place.position = load_be<uint64_t>(entry.data() + prefix.size() + 4);
        const auto file = files_.find(place.file);
        if (file != files_.end() && file->second.live) out.push_back(place);
    }
    TARN_CHECK_OK(note(status_of(rows->status())));
    return out;
}

Result<std::string> IndexTable::path_of(uint32_t file) const {
    const auto found = files_.find(file);
    if (found == files_.end() || found->second.path.empty())
        return Error(Code::corrupted, "key index: a file without a name");
    return found->second.path;
}

Result<uint32_t> IndexTable::file_of(const std::string& path) {
    return number_of(path);
}

Status IndexTable::moved(const std::vector<KeyIndex::Move>& moves, const tables::TablePtr& after) {
    const auto old_number = record_.number;
    const auto snapshot = after->current_snapshot();
    const int64_t base =
        snapshot && snapshot->parent_snapshot_id ? *snapshot->parent_snapshot_id : kNoSnapshot;
    const bool alone = base == record_.snapshot || !snapshot;
    if (cleared_) {
        // The part of before and its files go; numbers of files go on.
        record_.number = *cleared_;
        for (auto& [number, file] : files_) {
            file.saved = false;
            file.moved.reset();
        }
        cleared_.reset();
        renewal_.number.reset();
        weight_ = 0;
    }
    if (alone) record_.snapshot = snapshot ? snapshot->snapshot_id : kNoSnapshot;
    // Somebody else's commit lies between: known by the difference to the old snapshot.
    record_.torn = false;
    if (const Status written = write_moves(moves, true); !written.ok()) {
        record_.torn = true;  // the table is ahead of what was written
        return note(written);
    }
    if (record_.number != old_number) TARN_CHECK_OK(drop_index_number(parts_.db, old_number));
    return alone ? renew_some() : sync(after);
}

Status IndexTable::moving(const std::vector<KeyIndex::Move>& moves) {
    // What goes past the memtables is on disk at once; what says so must be there before.
    if (!cleared_ && !record_.torn) TARN_CHECK_OK(mark_torn());
    return write_moves(moves, false);
}

/// `moves` and, with `told`, the table's record and files: all of it or nothing is there after a
/// crash.
Status IndexTable::write_moves(const std::vector<KeyIndex::Move>& moves, bool told) {
    if (moves.size() >= kIngestMoves && !key_.many) return ingest_moves(moves, told);
    rocksdb::WriteBatch batch;
    for (const auto& move : moves) put(batch, move);
    if (told) {
        save(batch);
    }
    return write(batch);
}

Status IndexTable::clear() {
    if (cleared_) TARN_CHECK_OK(drop_index_number(parts_.db, *cleared_));
    TARN_TRY(number, fresh_number());
    cleared_ = number;
    return ok_status();
}

void IndexTable::forget() {
    if (cleared_) {
        const Status dropped = drop_index_number(parts_.db, *cleared_);
        if (!dropped.ok())
            log_warning("ingest", "key index: entries stay behind",
                        {{"error", dropped.error().message}});
        cleared_.reset();
    }
    looked_ = false;  // files that were being written are not the table's
}

}  // namespace tarn::ingest
