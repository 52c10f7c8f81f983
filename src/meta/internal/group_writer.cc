#include "meta/internal/group_writer.h"

#include <rocksdb/write_batch.h>

#include "meta/internal/slice.h"

namespace tarn::meta {

namespace {

/// From so many keys on, one range tombstone is cheaper than a tombstone for each.
constexpr size_t kRangeTombstoneKeys = 1024;

}  // namespace

GroupWriter::GroupWriter(const Database& database, RecordCache& records)
    : database_(database), records_(records), batch_(std::make_unique<rocksdb::WriteBatch>()) {}

GroupWriter::~GroupWriter() = default;

Status GroupWriter::add(const wal::Logged& change) {
    const auto damaged = [&] {
        return Error(Code::corrupted,
                     "the log record of change " + std::to_string(change.sequence) + " is damaged");
    };
    RecordReader reader(change.record);
    size_t bodies = 0;
    while (const auto op = reader.next()) {
        const wal::BodyRef* body = nullptr;
        if (op->takes_body()) {
            if (bodies == change.bodies.size()) return damaged();
            body = &change.bodies[bodies++];
        }
        TARN_CHECK_OK(add_op(*op, change.sequence, body));
    }
    if (!reader.ok() || bodies != change.bodies.size()) return damaged();
    written_.keep();
    return ok_status();
}

Status GroupWriter::add_op(const ChangeOp& op, Version version, const wal::BodyRef* body) {
    switch (op.kind) {
        case ChangeOp::Kind::put:
            return put(op.key, {true, version, std::string(op.value), std::nullopt});
        case ChangeOp::Kind::put_body:
            return put(op.key, {true, version, std::string(op.value), *body});
        case ChangeOp::Kind::put_keep_body: {
            TARN_TRY(before, current(op.key));
            return put(op.key, {true, version, std::string(op.value), before->body});
        }
        case ChangeOp::Kind::erase:
            return erase(op.key);
        case ChangeOp::Kind::erase_range:
            return erase_range(op.key, op.value);
        case ChangeOp::Kind::relocate:
            return relocate(op, *body);
        case ChangeOp::Kind::add:
        case ChangeOp::Kind::append:
        case ChangeOp::Kind::append_body:
            break;
    }
    return Error(Code::corrupted, "an operation in the log was never resolved");
}

Status GroupWriter::put(std::string_view key, Overlay::State state) {
    TARN_TRY(before, current(key));
    if (before->body != state.body) {
        disown(before->body);
        own(state.body, key);
    }
    written_.put(key, std::move(state));
    return ok_status();
}

Status GroupWriter::erase(std::string_view key) {
    TARN_TRY(before, current(key));
    if (!before->present) return ok_status();
    disown(before->body);
    written_.erase(key);
    return ok_status();
}

Status GroupWriter::erase_range(std::string_view from, std::string_view to) {
    std::vector<std::string> keys;
    size_t count = 0;
    Cursor cursor(database_, std::string(from), std::string(to));
    for (cursor.first(); cursor.valid(); cursor.next()) {
        if (written_.find(cursor.key())) continue;
        const auto record = decode_record(cursor.value());
        if (!record) return Error(Code::corrupted, "a record of the index is damaged");
        disown(record->body);
        if (++count <= kRangeTombstoneKeys) keys.emplace_back(cursor.key());
    }
    TARN_CHECK_OK(cursor.status());
    written_.each(from, to, [&](const std::string&, const Overlay::State& state) {
        if (state.present) disown(state.body);
        return true;
    });
    if (count > kRangeTombstoneKeys)
        batch_->DeleteRange(slice(from), slice(to));
    else
        for (const auto& key : keys) batch_->Delete(key);
    written_.erase_range(from, to);
    return ok_status();
}

Status GroupWriter::relocate(const ChangeOp& op, const wal::BodyRef& to) {
    TARN_TRY(now, current(op.key));
    if (now->body != op.from) return ok_status();  // the record went on: the copy is born dead
    auto moved = *now;
    moved.body = to;
    return put(op.key, std::move(moved));
}

Result<const Overlay::State*> GroupWriter::current(std::string_view key) const {
    if (const auto* state = written_.find(key)) return state;
    return records_.get(key);
}

void GroupWriter::own(const std::optional<wal::BodyRef>& body, std::string_view key) {
    if (!body || body->length == 0) return;
    live_deltas_[body->segment] += body->length;
    owners_[owner_key(body->segment, body->offset)] = key;
}

void GroupWriter::disown(const std::optional<wal::BodyRef>& body) {
    if (!body || body->length == 0) return;
    live_deltas_[body->segment] -= body->length;
    owners_[owner_key(body->segment, body->offset)].clear();
}

// Each key once, with what the group made of it, and in the order of the keys: a skip list finds
// the next place beside the last one. What ranges erase is in the batch already, before it.
rocksdb::WriteBatch& GroupWriter::finish(const std::map<wal::SegmentId, uint64_t>& live,
                                         wal::Sequence sequence) {
    for (const auto& [key, owner] : owners_)
        owner.empty() ? void(batch_->Delete(key)) : void(batch_->Put(key, owner));
    for (const auto& [key, state] : written_.keys()) {
        if (state.present)
            batch_->Put(key, encode_record({state.version, state.body, state.value}));
        else
            batch_->Delete(key);
    }
    for (const auto& [segment, bytes] : live) {
        std::string value;
        append_le(value, bytes);
        if (bytes > 0)
            batch_->Put(live_key(segment), value);
        else
            batch_->Delete(live_key(segment));
    }
    batch_->Put(state_key(), encode_state({sequence}));
    return *batch_;
}

void GroupWriter::remember() {
    if (written_.has_ranges()) return records_.clear();
    for (const auto& [key, state] : written_.keys()) records_.changed(key, state);
}

}  // namespace tarn::meta
