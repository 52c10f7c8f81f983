#include "wal/log.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/lane.h"
#include "base/log.h"
#include "codec/checksum.h"
#include "codec/text.h"
#include "wal/internal/log_impl.h"

namespace tarn::wal {
namespace {

constexpr size_t kChangeOverheadBytes = 64;
constexpr uint64_t kFullDivisor = 8;
constexpr int kGatherFraction = 4;
constexpr std::chrono::microseconds kGatherTimeMax(500);

Error broken_log() {
    return Error(Code::io,
                 "the log could not be written and nobody knows what is on disk; check the disk, "
                 "then restart the server");
}

/// Of a change that came after the failure: it is certain that nothing was written of it.
Error failed_log() {
    return Error(Code::unavailable,
                 "the log has failed and takes nothing until a restart; check the disk, then restart "
                 "the server");
}

Status check_options(const LogOptions& options) {
    const auto lake = codec::hex_decode(options.lake_id);
    if (!lake.ok() || lake->size() != 16 || codec::hex_encode(*lake) != options.lake_id)
        return Error(Code::invalid_argument, "a lake id is 32 lower-case hexadecimal digits");
    if (options.segment_bytes < 2 * kSegmentHeaderBytes)
        return Error(Code::invalid_argument, "segment_bytes is too small: at least 8192");
    if (options.queue_bytes_max > kRecordsBytesMax / 2)
        return Error(Code::invalid_argument, "queue_bytes_max is too large: at most 512 MiB");
    return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(io::Disk& disk, Index& index, const Clock& clock,
                                       Metrics& metrics, LogOptions options) {
    TARN_CHECK_OK(check_options(options));
    TARN_TRY(recovered, recover(disk, index, options));
    auto log = std::make_unique<LogImpl>(disk, index, clock, metrics, std::move(options),
                                         std::move(recovered));
    TARN_CHECK_OK(log->start());
    return std::unique_ptr<Log>(std::move(log));
}

LogImpl::LogImpl(io::Disk& disk, Index& index, const Clock& clock, Metrics& metrics,
                 LogOptions options, Recovered recovered)
    : disk_(disk),
      index_(index),
      clock_(clock),
      options_(std::move(options)),
      meters_{metrics.counter("tarn_wal_commits_total", "Changes made durable."),
              metrics.counter("tarn_wal_bytes_total", "Bytes appended to the log."),
              metrics.histogram("tarn_wal_group_changes", "Changes that shared one sync.",
                                {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384}),
              metrics.histogram("tarn_wal_fsync_seconds", "Duration of the log's syncs.",
                                latency_bounds()),
              metrics.gauge("tarn_wal_segments", "Segment files of the log.")},
      chain_head_(recovered.chain),
      next_(recovered.last + 1),
      chain_(recovered.chain),
      maker_(disk, options_, recovered.next_segment),
      last_applied_(recovered.last) {
    for (auto& segment : recovered.segments) {
        const bool sealed = &segment != &recovered.segments.back();
        const SegmentId id = segment.header.segment;
        segments_[id] = {{id, segment.header.first, segment.last, segment.end, sealed},
                         segment.file};
        if (!sealed) {
            seed_ = frame_seed(segment.header);
            current_ = std::move(segment);
        }
    }
}

Status LogImpl::start() {
    if (current_.file == nullptr) TARN_CHECK_OK(rotate(0));
    {
        MutexLock lock(segments_mutex_);
        meters_.segments.set(static_cast<double>(segments_.size()));
    }
    committer_ = std::thread([this] { run(); });
    return {};
}

LogImpl::~LogImpl() {
    {
        MutexLock lock(queue_mutex_);
        stopping_ = true;
    }
    queue_changed_.notify_all();
    if (committer_.joinable()) committer_.join();
    // Only saves the next start a look at the reserved space.
    if (current_.file != nullptr && healthy()) maker_.trim(current_.file, current_.end);
}

uint32_t LogImpl::queue(Change change, Done done, bool urgent, Change* back) {
    Waiting waiting;
    waiting.back = back;
    waiting.bytes = kChangeOverheadBytes + change.intent.size();
    for (const auto& body : change.bodies) {
        waiting.bytes += body.size();
        waiting.stamps.push_back({static_cast<uint32_t>(body.size()), codec::crc32c(body)});
    }
    waiting.change = std::move(change);
    waiting.urgent = urgent;
    std::optional<Error> refusal;
    uint32_t group = 0;
    bool wake = false;
    if (waiting.bytes > options_.queue_bytes_max) {
        refusal = Error(Code::invalid_argument,
                        fmt::format("the change has {} bytes, more than one may have ({})",
                                    waiting.bytes, options_.queue_bytes_max));
    } else if (!healthy()) {
        refusal = failed_log();
    } else {
        MutexLock lock(queue_mutex_);
        if (stopping_) {
            refusal = Error(Code::unavailable, "the server is shutting down");
        } else if (unanswered_changes_ >= options_.queue_changes_max ||
                   unanswered_bytes_ + waiting.bytes > options_.queue_bytes_max) {
            refusal = Error(Code::exhausted, "too many changes wait for the disk; try again soon");
        } else {
            ++unanswered_changes_;
            unanswered_bytes_ += waiting.bytes;
            waiting.done = std::move(done);
            waiting.group = group = next_group_;
            queue_.push_back(std::move(waiting));
            wake = queue_.size() >= queue_wanted_;
        }
    }
    if (refusal) done(*std::move(refusal));
    if (wake) queue_changed_.notify_one();
    return group;
}

Result<Committed> LogImpl::commit(Change change, bool urgent) {
    assert_may_block();
    struct {
        Result<Committed> value = Error();
        std::atomic<bool> done = false;
    } answer;
    const uint32_t group = queue(
        std::move(change),
        [&answer](Result<Committed> result) {
            answer.value = std::move(result);
            answer.done.store(true, std::memory_order_release);
        },
        urgent, &change);
    answers_.wait(answer.done, group);
    return std::move(answer.value);
}

void LogImpl::run() {
    name_thread("wal-committer");
    while (true) {
        Group group = take_group();
        if (group.empty()) return;
        commit_group(group);
    }
}

/// Empty when the log ends.
Group LogImpl::take_group() {
    MutexLock lock(queue_mutex_);
    gather();
    ++next_group_;
    Group group;
    group.reserve(queue_.size());
    size_t bytes = 0;
    while (!queue_.empty()) {
        bytes += queue_.front().bytes;
        if (!group.empty() && bytes > options_.group_bytes_max) break;
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return group;
}

/// Waits for changes. Callers who were just answered often come back at once: giving them a
/// fraction of a sync's time to do so puts them into this sync instead of the next one, which
/// halves the syncs when they fall into two camps. A lone caller never waits.
void LogImpl::gather() {
    if (last_group_changes_ > 1) {
        queue_wanted_ = std::min(queue_.size() + last_group_changes_, options_.queue_changes_max);
        const auto until = std::chrono::steady_clock::now() + gather_time_;
        while (queue_.size() < queue_wanted_ && !stopping_)
            if (!queue_changed_.wait_until(queue_mutex_, until)) break;
    }
    queue_wanted_ = 1;
    while (queue_.empty() && !stopping_) queue_changed_.wait(queue_mutex_);
}

void LogImpl::commit_group(Group& group) {
    last_group_changes_ = group.size();
    const Sequence first = next_;
    if (healthy()) {
        resolve_group(group);
        if (!frame_.empty()) {
            const uint64_t bodies_bytes = frame_.bodies_bytes();
            Status durable = make_durable(group);
            if (durable.ok()) {
                durable = apply_group(group, current_.end - bodies_bytes);
                if (!durable.ok()) fail(durable.error());
            } else {
                index_.abandon();
                next_ = first;
                // Without room nothing has been written: the callers are refused and the log goes
                // on.
                if (durable.error().code != Code::exhausted) fail(durable.error());
            }
            if (!durable.ok())
                for (auto& waiting : group)
                    if (waiting.sequence != 0)
                        waiting.answer = healthy() ? durable.error() : broken_log();
        }
    }
    // What was decided against changes that then failed is as unknown as they are.
    if (!healthy())
        for (auto& waiting : group) waiting.answer = broken_log();
    answer_group(group);
}

void LogImpl::resolve_group(Group& group) {
    frame_.clear();
    const bool low = space_is_low();
    for (auto& waiting : group) {
        if (low && space_full_) {
            waiting.answer = Error(Code::exhausted,
                                   "the disk is full, even for deletions: free space on the data "
                                   "folder's disk or give it more",
                                   "disk_full");
            continue;
        }
        if (low && !waiting.urgent) {
            waiting.answer = Error(Code::exhausted,
                                   "the disk is nearly full: only deletions are accepted; delete "
                                   "data or give the data folder more space",
                                   "disk_full");
            continue;
        }
        auto resolved = index_.resolve(waiting.change, next_);
        if (!resolved.ok()) {
            waiting.answer = std::move(resolved).error();
            continue;
        }
        waiting.resolved = std::move(resolved).value();
        if (waiting.resolved.record.empty()) {
            waiting.answer = Committed{next_ - 1, std::move(waiting.resolved.offsets)};
            continue;
        }
        waiting.sequence = next_++;
        frame_.add(waiting.resolved.record, waiting.stamps);
    }
}

Status LogImpl::make_durable(Group& group) {
    const uint64_t frame_bytes = frame_.head_bytes() + frame_.bodies_bytes();
    TARN_CHECK_OK(ensure_room(frame_bytes));
    const Sequence first = next_ - frame_.change_count();
    std::vector<std::string_view> pieces;
    pieces.reserve(group.size() + 1);
    pieces.push_back(frame_.finish(seed_, first, chain_));
    for (const auto& waiting : group)
        if (waiting.sequence != 0)
            pieces.insert(pieces.end(), waiting.change.bodies.begin(), waiting.change.bodies.end());
    io::File& file = current_.file->file();
    if (Status written = file.write(current_.end, pieces); !written.ok())
        return Error(Code::io, std::move(written).error().message);
    const auto before = clock_.steady();
    if (Status synced = file.sync(); !synced.ok())
        return Error(Code::io, std::move(synced).error().message);
    const auto took = clock_.steady() - before;
    gather_time_ =
        std::min<std::chrono::steady_clock::duration>(took / kGatherFraction, kGatherTimeMax);
    meters_.fsync_seconds.observe(std::chrono::duration<double>(took).count());
    meters_.bytes.add(static_cast<double>(frame_bytes));
    meters_.commits.add(frame_.change_count());
    meters_.group_changes.observe(frame_.change_count());
    chain_ = chain_after(pieces.front());
    current_.end += frame_bytes;
    current_.last = next_ - 1;
    written_bytes_ += frame_bytes;
    if (current_.end > current_.reserved / 2) maker_.prepare();
    return {};
}

/// After it `frame_bytes` can be written without the disk having to find space. exhausted: nothing
/// has happened.
Status LogImpl::ensure_room(uint64_t frame_bytes) {
    if (current_.end + frame_bytes <= current_.reserved) return {};
    if (current_.last != 0) return rotate(frame_bytes);
    TARN_CHECK_OK(current_.file->file().preallocate(current_.end + frame_bytes));
    current_.reserved = current_.end + frame_bytes;
    return {};
}

Status LogImpl::rotate(uint64_t frame_bytes) {
    TARN_TRY(file, maker_.take(kSegmentHeaderBytes + frame_bytes));
    Segment next;
    next.header = {options_.lake_id, file->id(), next_ - frame_.change_count(), chain_};
    TARN_TRY(reserved, file->file().size());
    next.reserved = reserved;
    if (Status begun = begin_segment(*file, next.header); !begun.ok())
        return Error(Code::io, std::move(begun).error().message);
    next.file = file;
    if (current_.file != nullptr) maker_.trim(current_.file, current_.end);
    {
        MutexLock lock(segments_mutex_);
        if (current_.file != nullptr) segments_[current_.header.segment].info.sealed = true;
        const SegmentId id = file->id();
        segments_[id] = {{id, next.header.first, 0, next.end, false}, next.file};
        meters_.segments.set(static_cast<double>(segments_.size()));
    }
    seed_ = frame_seed(next.header);
    current_ = std::move(next);
    return {};
}

Status LogImpl::apply_group(const Group& group, uint64_t bodies_offset) {
    std::vector<Logged> logged;
    logged.reserve(group.size());
    for (const auto& waiting : group) {
        if (waiting.sequence == 0) continue;
        Logged change{waiting.sequence, waiting.resolved.record, {}};
        for (const auto& stamp : waiting.stamps) {
            change.bodies.push_back(
                {current_.header.segment, bodies_offset, stamp.length, stamp.crc32c});
            bodies_offset += stamp.length;
        }
        logged.push_back(std::move(change));
    }
    {
        // Before the index shows the bodies, they can be read.
        MutexLock lock(segments_mutex_);
        auto& info = segments_[current_.header.segment].info;
        info.last = current_.last;
        info.bytes = current_.end;
        chain_head_ = chain_;
    }
    TARN_CHECK_OK(index_.apply(logged));
    last_applied_.store(current_.last, std::memory_order_release);
    return {};
}

void LogImpl::answer_group(Group& group) {
    size_t bytes = 0;
    for (const auto& waiting : group) bytes += waiting.bytes;
    {
        MutexLock lock(queue_mutex_);
        unanswered_changes_ -= group.size();
        unanswered_bytes_ -= bytes;
    }
    for (auto& waiting : group) {
        if (waiting.back != nullptr) *waiting.back = std::move(waiting.change);
        if (waiting.answer) {
            waiting.done(*std::move(waiting.answer));
        } else {
            waiting.done(Committed{waiting.sequence, std::move(waiting.resolved.offsets)});
        }
    }
    // Mostly one number: a change is late only where a group had become too large for it.
    bool told[2] = {};
    for (const auto& waiting : group)
        if (!std::exchange(told[waiting.group % 2], true)) answers_.tell(waiting.group);
}

void LogImpl::fail(const Error& error) {
    healthy_.store(false, std::memory_order_release);
    log_error("wal", "the log has failed, nothing is accepted until a restart: " + error.message);
}

/// Asks the disk at most every 100 ms or 16 MiB.
bool LogImpl::space_is_low() {
    const auto now = clock_.steady();
    if (space_known_ && now - space_checked_ < std::chrono::milliseconds(100) &&
        written_bytes_ - space_checked_bytes_ < 16u << 20)
        return space_low_;
    const auto free = disk_.free_bytes(options_.directory);
    space_known_ = true;
    space_checked_ = now;
    space_checked_bytes_ = written_bytes_;
    space_low_ = free.ok() && *free < options_.free_bytes_min;
    space_full_ = free.ok() && *free < options_.free_bytes_min / kFullDivisor;
    return space_low_;
}

std::string LogImpl::path_of(SegmentId segment) const {
    return options_.directory + "/" + segment_name(segment);
}

Result<std::string> LogImpl::read(const BodyRef& body, uint64_t offset, uint64_t length) const {
    const auto file = pin(body.segment);
    if (file == nullptr)
        return Error(Code::not_found, fmt::format("log segment {} is gone", body.segment));
    return read(*file, body, offset, length);
}

std::shared_ptr<const SegmentFile> LogImpl::pin(SegmentId segment) const {
    {
        MutexLock lock(segments_mutex_);
        const auto found = segments_.find(segment);
        if (found == segments_.end()) return nullptr;
        if (found->second.file != nullptr) return found->second.file;
    }
    auto opened = disk_.open(path_of(segment), io::OpenMode::read);
    if (!opened.ok()) {
        if (opened.error().code != Code::not_found) log_warning("wal", opened.error().message);
        return nullptr;
    }
    auto file = std::make_shared<SegmentFile>(segment, std::move(opened).value());
    MutexLock lock(segments_mutex_);
    const auto found = segments_.find(segment);
    if (found == segments_.end()) return file;
    if (found->second.file == nullptr) found->second.file = std::move(file);
    return found->second.file;
}

Result<std::string> LogImpl::read(const SegmentFile& file, const BodyRef& body, uint64_t offset,
                                  uint64_t length) const {
    if (offset > body.length)
        return Error(Code::out_of_range, fmt::format("offset {} is beyond the end of a body of {}",
                                                     offset, body.length));
    length = std::min(length, body.length - offset);
    TARN_TRY(bytes, file.file().read(body.offset + offset, length));
    if (bytes.size() != length || (length == body.length && codec::crc32c(bytes) != body.crc32c))
        return Error(
            Code::corrupted,
            fmt::format("a body in log segment {} at offset {} does not match its checksum",
                        segment_name(body.segment), body.offset));
    return bytes;
}

std::vector<Log::SegmentInfo> LogImpl::segments() const {
    MutexLock lock(segments_mutex_);
    std::vector<SegmentInfo> all;
    all.reserve(segments_.size());
    for (const auto& [id, entry] : segments_) all.push_back(entry.info);
    return all;
}

Status LogImpl::remove(SegmentId segment) {
    {
        MutexLock lock(segments_mutex_);
        const auto found = segments_.find(segment);
        if (found == segments_.end())
            return Error(Code::not_found, fmt::format("there is no log segment {}", segment));
        if (!found->second.info.sealed)
            return Error(Code::invalid_argument,
                         fmt::format("log segment {} is still appended to", segment));
    }
    TARN_CHECK_OK(disk_.remove(path_of(segment)));
    {
        MutexLock lock(segments_mutex_);
        segments_.erase(segment);
        meters_.segments.set(static_cast<double>(segments_.size()));
    }
    return disk_.sync_directory(options_.directory);
}

std::string LogImpl::chain_head() const {
    MutexLock lock(segments_mutex_);
    return codec::hex_encode(std::string_view(chain_head_.data(), chain_head_.size()));
}

}  // namespace tarn::wal
