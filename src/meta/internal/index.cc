#include "meta/internal/index.h"

#include "base/log.h"
#include "meta/internal/group_writer.h"
#include "meta/internal/record.h"
#include "meta/keys.h"

namespace tarn::meta {

Index::Index(const IndexOptions& options, PinnedSegments& segments, Metrics& metrics,
             std::unique_ptr<Database> database)
    : options_(options),
      segments_(segments),
      live_gauge_(metrics.gauge("tarn_meta_live_body_bytes", "Bytes of bodies that records own")),
      database_(std::move(database)),
      records_(*database_) {}

Result<std::unique_ptr<Index>> Index::open(io::Disk& disk, const IndexOptions& options,
                                           PinnedSegments& segments, Metrics& metrics) {
    TARN_TRY(database, Database::open(disk, options.directory, options.block_cache_bytes));
    std::unique_ptr<Index> index(new Index(options, segments, metrics, std::move(database)));
    TARN_CHECK_OK(index->load());
    return index;
}

Status Index::load() {
    std::string bytes;
    TARN_TRY(present, database_->get(state_key(), bytes));
    if (present) {
        TARN_TRY(state, decode_state(bytes));
        applied_ = state.sequence;
        resolved_ = state.sequence;
    }
    uint64_t total = 0;
    Cursor cursor(*database_, live_prefix(), prefix_end(live_prefix()));
    for (cursor.first(); cursor.valid(); cursor.next()) {
        const auto segment = decode_live_key(cursor.key());
        if (!segment || cursor.value().size() != sizeof(uint64_t))
            return Error(Code::corrupted, "the index's live counts are damaged");
        const auto live = load_le<uint64_t>(cursor.value().data());
        total += live;
        MutexLock lock(mutex_);
        live_[*segment] = live;
    }
    live_gauge_.set(static_cast<double>(total));
    return cursor.status();
}

Result<wal::Resolved> Index::resolve(const wal::Change& change, wal::Sequence sequence) {
    if (records_.full()) records_.clear();
    IntentReader intent(change.intent);
    while (const auto condition = intent.next_condition()) TARN_CHECK_OK(check(*condition));
    wal::Resolved resolved;
    resolved.record = begin_record();
    resolved.record.reserve(change.intent.size() + 64);
    const auto nothing = resolved.record.size();
    while (const auto op = intent.next_op()) {
        auto done = resolve_op(*op, sequence, resolved);
        if (!done.ok()) {
            overlay_.undo();
            return std::move(done).error();
        }
    }
    TARN_ASSERT(intent.ok());
    overlay_.keep();
    resolved_ = sequence;
    if (resolved.record.size() == nothing) resolved.record.clear();
    return resolved;
}

Status Index::check(const ChangeCondition& condition) {
    using Kind = Batch::Condition::Kind;
    if (condition.kind == Kind::empty_range) {
        TARN_TRY(empty, is_empty(condition.key, *condition.operand));
        return empty ? ok_status() : condition.error();
    }
    TARN_TRY(now, current(condition.key));
    bool holds = false;
    switch (condition.kind) {
        case Kind::absent:
            holds = !now->present;
            break;
        case Kind::present:
            holds = now->present;
            break;
        case Kind::version:
            holds = now->present ? now->version == condition.version : condition.version == 0;
            break;
        case Kind::value:
            holds = now->present == condition.operand.has_value() &&
                    (!now->present || now->value == *condition.operand);
            break;
        case Kind::empty_range:
            break;
    }
    return holds ? ok_status() : condition.error();
}

Result<bool> Index::is_empty(std::string_view from, std::string_view to) const {
    bool empty = true;
    overlay_.each(from, to, [&](const std::string&, const Overlay::State& state) {
        empty = !state.present;
        return empty;
    });
    if (!empty) return false;
    Cursor cursor(*database_, std::string(from), std::string(to));
    for (cursor.first(); cursor.valid(); cursor.next())
        if (!overlay_.find(cursor.key())) return false;
    TARN_CHECK_OK(cursor.status());
    return true;
}

Status Index::resolve_op(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved) {
    switch (op.kind) {
        case ChangeOp::Kind::put:
        case ChangeOp::Kind::put_body:
        case ChangeOp::Kind::put_keep_body:
            write(op, sequence, resolved);
            return ok_status();
        case ChangeOp::Kind::erase:
            append_op(resolved.record, op);
            overlay_.erase(op.key);
            return ok_status();
        case ChangeOp::Kind::erase_range:
            append_op(resolved.record, op);
            overlay_.erase_range(op.key, op.value);
            return ok_status();
        case ChangeOp::Kind::relocate:
            return resolve_relocation(op, resolved);
        case ChangeOp::Kind::add:
            return resolve_add(op, sequence, resolved);
        case ChangeOp::Kind::append:
        case ChangeOp::Kind::append_body:
            return resolve_append(op, sequence, resolved);
    }
    TARN_ASSERT(false);
    return ok_status();
}

void Index::write(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved) {
    append_op(resolved.record, op);
    overlay_.put(op.key, {true, sequence, std::string(op.value), std::nullopt});
}

Status Index::resolve_add(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved) {
    TARN_TRY(now, current(op.key));
    if (now->present && now->value.size() != sizeof(int64_t))
        return Error(Code::invalid_argument, "the record to add to is not a counter");
    const auto before = now->present ? load_le<uint64_t>(now->value.data()) : 0;
    std::string sum;
    append_le(sum, before + static_cast<uint64_t>(op.number));
    write({ChangeOp::Kind::put, op.key, sum, 0, {}}, sequence, resolved);
    return ok_status();
}

Status Index::resolve_append(const ChangeOp& op, wal::Sequence sequence, wal::Resolved& resolved) {
    const auto counter = next_offset_key(op.key);
    TARN_TRY(now, current(counter));
    const auto offset = static_cast<uint64_t>(decode_counter(now->value));
    const auto kind = op.takes_body() ? ChangeOp::Kind::put_body : ChangeOp::Kind::put;
    const auto place = sequence_key(op.key, offset);
    records_.note_absent(place);
    write({kind, place, op.value, 0, {}}, sequence, resolved);
    std::string next;
    append_le(next, offset + static_cast<uint64_t>(op.number));
    write({ChangeOp::Kind::put, counter, next, 0, {}}, sequence, resolved);
    resolved.offsets.push_back(offset);
    return ok_status();
}

Status Index::resolve_relocation(const ChangeOp& op, wal::Resolved& resolved) {
    const Error moved(Code::conflict, "the record went on while its body was relocated");
    if (overlay_.find(op.key)) return moved;
    TARN_TRY(record, records_.get(op.key));
    if (record->body != op.from) return moved;
    append_op(resolved.record, op);
    return ok_status();
}

Result<const Overlay::State*> Index::current(std::string_view key) {
    if (const auto* state = overlay_.find(key)) return state;
    return records_.get(key);
}

void Index::abandon() {
    overlay_.clear();
    records_.clear();
    resolved_ = applied();
}

Status Index::apply(const std::vector<wal::Logged>& group) {
    GroupWriter writer(*database_, records_);
    auto sequence = applied();
    for (const auto& change : group) {
        if (change.sequence <= sequence) continue;
        if (change.sequence != sequence + 1)
            return Error(Code::corrupted, "the log goes from change " + std::to_string(sequence) +
                                              " to " + std::to_string(change.sequence) +
                                              ": the index or a part of the log is missing");
        TARN_CHECK_OK(writer.add(change));
        sequence = change.sequence;
    }
    const auto counts = count(writer.live_deltas());
    for (const auto& [segment, bytes] : counts) segments_.ensure(segment);
    const auto written = database_->write(writer.finish(counts, sequence));
    if (!written.ok()) records_.clear();
    TARN_CHECK_OK(written);
    writer.remember();
    {
        MutexLock lock(mutex_);
        for (const auto& [segment, bytes] : counts)
            bytes > 0 ? void(live_[segment] = bytes) : void(live_.erase(segment));
    }
    for (const auto& [segment, delta] : writer.live_deltas())
        live_gauge_.add(static_cast<double>(delta));
    applied_.store(sequence, std::memory_order_release);
    if (sequence >= resolved_) overlay_.clear();
    flush_at_distance(group);
    return ok_status();
}

std::map<wal::SegmentId, uint64_t> Index::count(
    const std::map<wal::SegmentId, int64_t>& deltas) const {
    std::map<wal::SegmentId, uint64_t> counts;
    MutexLock lock(mutex_);
    for (const auto& [segment, delta] : deltas) {
        const auto before = live_.find(segment);
        counts[segment] =
            (before == live_.end() ? 0 : before->second) + static_cast<uint64_t>(delta);
    }
    return counts;
}

void Index::flush_at_distance(const std::vector<wal::Logged>& group) {
    for (const auto& change : group) {
        log_bytes_since_flush_ += change.record.size();
        for (const auto& body : change.bodies) log_bytes_since_flush_ += body.length;
    }
    if (log_bytes_since_flush_ < options_.flush_log_bytes) return;
    log_bytes_since_flush_ = 0;
    const auto begun = database_->flush(false);
    if (!begun.ok())
        log_warning("meta", "flushing the index failed", {{"error", begun.error().message}});
}

wal::Sequence Index::durable_sequence() const {
    std::string bytes;
    const auto present = database_->get_flushed(state_key(), bytes);
    if (!present.ok() || !*present) return 0;
    const auto state = decode_state(bytes);
    return state.ok() ? state->sequence : 0;
}

uint64_t Index::live_bytes(wal::SegmentId segment) const {
    MutexLock lock(mutex_);
    const auto found = live_.find(segment);
    return found == live_.end() ? 0 : found->second;
}

Status Index::flush() {
    return database_->flush(true);
}

}  // namespace tarn::meta
