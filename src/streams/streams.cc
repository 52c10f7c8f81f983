#include "streams/streams.h"

#include "base/bytes.h"
#include "base/lane.h"
#include "meta/keys.h"
#include "streams/internal/block.h"

namespace tarn::streams {
namespace {

// "sr" sequence of blocks; docs/formats/keys.md.
std::string sequence_of(const std::string& stream) {
    return meta::Key("sr").text(stream).str();
}

std::string count_value(size_t records) {
    std::string value;
    append_le<uint32_t>(value, static_cast<uint32_t>(records));
    return value;
}

/// A block's place: first offset and number of records.
struct Place {
    uint64_t first = 0;
    uint32_t count = 0;
};

Result<Place> place_of(std::string_view key, const meta::Record& record, size_t sequence_size) {
    if (key.size() != sequence_size + 8 || record.value.size() != 4)
        return Error(Code::corrupted, "a stream's index record does not decode");
    return Place{load_be<uint64_t>(key.data() + sequence_size),
                 load_le<uint32_t>(record.value.data())};
}

Status check(const std::vector<NewRecord>& records) {
    if (records.empty())
        return Error(Code::invalid_argument, "an append needs at least one record");
    for (const auto& record : records)
        if (record.key.size() + record.payload.size() > kRecordBytesMax)
            return Error(Code::invalid_argument, "a record has at most " +
                                                     std::to_string(kRecordBytesMax) +
                                                     " bytes of key and payload");
    return ok_status();
}

}  // namespace

Streams::Streams(meta::Store& store, const Clock& clock, Metrics& metrics)
    : store_(store),
      clock_(clock),
      records_(metrics.counter("tarn_stream_records_total", "Records taken into streams")),
      bytes_(metrics.counter("tarn_stream_bytes_total", "Bytes of records taken into streams")) {}

Streams::~Streams() {
    stop();
}

void Streams::append(const std::string& stream, std::vector<NewRecord> records, Done done,
                     meta::Batch with) {
    if (Status valid = check(records); !valid.ok()) return done(std::move(valid).error());
    const size_t count = records.size();
    std::string block = encode_block(records, clock_.now());
    const size_t bytes = block.size();
    meta::Batch batch;
    batch.append(sequence_of(stream), static_cast<uint32_t>(count), count_value(count),
                 std::move(block));
    batch.merge(std::move(with));
    store_.commit(std::move(batch),
                  [progress = progress_, &taken = records_, &taken_bytes = bytes_, stream, count,
                   bytes, done = std::move(done)](Result<meta::Commit> made) {
                      if (!made.ok()) return done(std::move(made).error());
                      taken.add(static_cast<double>(count));
                      taken_bytes.add(static_cast<double>(bytes));
                      progress->note_end(stream, made->offsets.front() + count);
                      done(made->offsets.front());
                  });
}

Result<uint64_t> Streams::append(const std::string& stream, std::vector<NewRecord> records,
                                 meta::Batch with) {
    assert_may_block();
    struct Wait {
        Mutex mutex;
        Condition wake;
        std::optional<Result<uint64_t>> outcome;
    };
    auto wait = std::make_shared<Wait>();
    append(
        stream, std::move(records),
        [wait](Result<uint64_t> outcome) {
            MutexLock lock(wait->mutex);
            wait->outcome = std::move(outcome);
            wait->wake.notify_one();
        },
        std::move(with));
    MutexLock lock(wait->mutex);
    while (!wait->outcome) wait->wake.wait(wait->mutex);
    return std::move(*wait->outcome);
}

Result<Page> Streams::read(const std::string& stream, uint64_t offset, size_t bytes_max) const {
    const std::string sequence = sequence_of(stream);
    Page page;
    page.next = offset;
    // The block that holds `offset` is the last that begins at or before it.
    auto before = store_.scan({sequence, meta::sequence_key(sequence, offset) + '\0', true});
    std::string from = meta::sequence_key(sequence, offset);
    if (before->valid()) {
        TARN_TRY(record, before->record());
        TARN_TRY(place, place_of(before->key(), record, sequence.size()));
        if (place.first + place.count > offset) from = std::string(before->key());
    }
    TARN_CHECK_OK(before->status());
    size_t bytes = 0;
    auto walk = store_.scan({from, meta::prefix_end(sequence), false});
    for (; walk->valid() && (page.records.empty() || bytes < bytes_max); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_TRY(place, place_of(walk->key(), record, sequence.size()));
        if (record.body == nullptr)
            return Error(Code::corrupted, "a block of stream '" + stream + "' has no bytes");
        TARN_TRY(block, record.body->read(0, record.body->size()));
        TARN_TRY(records, decode_block(block, place.first));
        for (auto& one : records) {
            if (one.offset < offset) continue;
            if (!page.records.empty() && bytes >= bytes_max) break;
            bytes += one.key.size() + one.payload.size();
            page.next = one.offset + 1;
            page.records.push_back(std::move(one));
        }
    }
    TARN_CHECK_OK(walk->status());
    return page;
}

Result<uint64_t> Streams::end(const std::string& stream) const {
    {
        MutexLock lock(progress_->mutex);
        const auto known = progress_->ends.find(stream);
        if (known != progress_->ends.end()) return known->second;
    }
    const std::string sequence = sequence_of(stream);
    auto last = store_.scan({sequence, meta::prefix_end(sequence), true});
    TARN_CHECK_OK(last->status());
    if (!last->valid()) return uint64_t{0};
    TARN_TRY(record, last->record());
    TARN_TRY(place, place_of(last->key(), record, sequence.size()));
    return place.first + place.count;
}

Result<uint64_t> Streams::begin(const std::string& stream) const {
    const std::string sequence = sequence_of(stream);
    auto first = store_.scan({sequence, meta::prefix_end(sequence), false});
    TARN_CHECK_OK(first->status());
    if (!first->valid()) return end(stream);
    TARN_TRY(record, first->record());
    TARN_TRY(place, place_of(first->key(), record, sequence.size()));
    return place.first;
}

std::vector<std::string> Streams::list() const {
    std::vector<std::string> names;
    const std::string all = meta::Key("sr").str();
    auto walk = store_.scan({all, meta::prefix_end(all), false});
    while (walk->valid()) {
        meta::KeyReader reader(walk->key(), "sr");
        auto name = reader.take_text();
        if (!name) break;
        const std::string past = meta::prefix_end(sequence_of(*name));
        names.push_back(std::move(*name));
        walk->seek(past);
    }
    return names;
}

Status Streams::stage_trim(meta::Batch& batch, const std::string& stream, uint64_t offset) const {
    const std::string sequence = sequence_of(stream);
    // The newest block stays: it tells where the stream ends.
    auto last = store_.scan({sequence, meta::prefix_end(sequence), true});
    TARN_CHECK_OK(last->status());
    if (!last->valid()) return ok_status();
    TARN_TRY(newest_record, last->record());
    TARN_TRY(newest, place_of(last->key(), newest_record, sequence.size()));
    // Blocks below the one that holds `offset` lie wholly below it.
    auto holding = store_.scan({sequence, meta::sequence_key(sequence, offset) + '\0', true});
    TARN_CHECK_OK(holding->status());
    if (!holding->valid()) return ok_status();
    TARN_TRY(record, holding->record());
    TARN_TRY(place, place_of(holding->key(), record, sequence.size()));
    const uint64_t keep_from =
        std::min(place.first + place.count <= offset ? place.first + place.count : place.first,
                 newest.first);
    batch.erase_range(sequence, meta::sequence_key(sequence, keep_from)).frees_space();
    return ok_status();
}

bool Streams::wait_for(const std::string& stream, uint64_t offset,
                       std::chrono::milliseconds at_most) const {
    assert_may_block();
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    const auto stored = end(stream);
    if (stored.ok() && *stored > offset) return true;
    auto& progress = *progress_;
    MutexLock lock(progress.mutex);
    for (;;) {
        const auto known = progress.ends.find(stream);
        if (known != progress.ends.end() && known->second > offset) return true;
        if (progress.stopped || !progress.grown.wait_until(progress.mutex, deadline)) return false;
    }
}

void Streams::stop() {
    MutexLock lock(progress_->mutex);
    progress_->stopped = true;
    progress_->grown.notify_all();
}

void Streams::Progress::note_end(const std::string& stream, uint64_t end) {
    MutexLock lock(mutex);
    auto& known = ends[stream];
    known = std::max(known, end);
    grown.notify_all();
}

}  // namespace tarn::streams
