#include "wal/internal/replay.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "codec/checksum.h"

namespace tarn::wal {
namespace {

constexpr uint64_t kWindowBytes = 1 << 20;

Error corrupted_at(SegmentId segment, uint64_t offset, std::string_view what) {
    return Error(Code::corrupted,
                 fmt::format("the log is damaged: segment {} at offset {}: {}; restore the data "
                             "folder from a backup",
                             segment_name(segment), offset, what));
}

bool all_zero(std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// Reads a file front to back through one buffer.
class Window {
 public:
    explicit Window(const io::File& file) : file_(file) {}

    /// Fewer bytes only at the end of the file. Valid until the next call.
    Result<std::string_view> view(uint64_t offset, uint64_t length) {
        if (offset < begin_ || offset + length > begin_ + bytes_.size()) {
            TARN_TRY(bytes, file_.read(offset, std::max(length, kWindowBytes)));
            bytes_ = std::move(bytes);
            begin_ = offset;
        }
        return std::string_view(bytes_).substr(offset - begin_, length);
    }

 private:
    const io::File& file_;
    std::string bytes_;
    uint64_t begin_ = 0;
};

class Recovery {
 public:
    Recovery(io::Disk& disk, Index& index, const LogOptions& options)
        : disk_(disk), index_(index), options_(options), durable_(index.durable_sequence()) {}

    Result<Recovered> run() {
        TARN_CHECK_OK(find_segments());
        auto& segments = found_.segments;
        if (segments.empty()) {
            if (durable_ == 0) return std::move(found_);
            return Error(Code::corrupted,
                         fmt::format("the index holds {} changes, but the log in {} is gone; "
                                     "restore the data folder from a backup",
                                     durable_, options_.directory));
        }
        TARN_TRY(first, first_to_walk());
        for (size_t i = 0; i < first; ++i) {
            segments[i].last = segments[i + 1].header.first - 1;
            segments[i].file = nullptr;
        }
        found_.chain = segments[first].header.chain;
        found_.last = segments[first].header.first - 1;
        for (size_t i = first; i < segments.size(); ++i)
            TARN_CHECK_OK(walk(segments[i], i + 1 < segments.size()));
        if (found_.last < durable_)
            return corrupted_at(segments.back().header.segment, segments.back().end,
                                fmt::format("the log ends with change {}, but the index holds {} "
                                            "({})",
                                            found_.last, durable_, why_not_));
        TARN_CHECK_OK(settle_tail(segments.back()));
        TARN_CHECK_OK(apply_held());
        return std::move(found_);
    }

 private:
    Status find_segments();
    Status add_segment(SegmentId id);
    Result<size_t> first_to_walk() const;
    Status walk(Segment& segment, bool sealed);
    Result<bool> take_frame(Segment& segment, Window& window);
    Result<std::string> verify_frame(const Segment& segment, Window& window,
                                     std::vector<Logged>& changes);
    Status check_end(const Segment& segment, std::string_view what);
    Status settle_tail(Segment& segment);
    Status apply_held();

    /// A frame for the index. The changes borrow from the bytes of the head, which keep their place
    /// when it is moved.
    struct Held {
        std::string head;
        std::vector<Logged> changes;
        uint64_t begin = 0;
        uint64_t end = 0;
    };

    io::Disk& disk_;
    Index& index_;
    const LogOptions& options_;
    const Sequence durable_;
    Recovered found_;
    // Header and records of the last frame, while its hash is not computed: frames that the index
    // holds are hopped over.
    std::optional<std::string> unhashed_;
    // The newest frame waits until it is known to be durable.
    std::optional<Held> held_;
    std::string why_not_;  // why the last frame looked at did not verify
};

Status Recovery::find_segments() {
    TARN_CHECK_OK(disk_.make_directories(options_.directory));
    TARN_TRY(entries, disk_.list(options_.directory));
    std::vector<SegmentId> ids;
    for (const auto& entry : entries)
        if (const SegmentId id = parse_segment_name(entry.name); id != 0) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    for (const SegmentId id : ids) TARN_CHECK_OK(add_segment(id));
    return {};
}

Status Recovery::add_segment(SegmentId id) {
    const std::string path = options_.directory + "/" + segment_name(id);
    TARN_TRY(file, disk_.open(path, io::OpenMode::read_write));
    TARN_TRY(bytes, file->read(0, kSegmentHeaderBytes));
    auto header = parse_segment_header(bytes);
    if (!header.ok() && header.error().code != Code::corrupted)
        return std::move(header).error().within(path);
    if (!header.ok()) {
        // Prepared, and not begun before the end, or begun by a write that failed midway: the
        // header is durable before a frame is written.
        TARN_TRY(after, file->read(kSegmentHeaderBytes, kWindowBytes));
        if (all_zero(after)) return disk_.remove(path);
        return corrupted_at(id, 0, all_zero(bytes) ? "the header is gone" : header.error().message);
    }
    if (!found_.segments.empty() && found_.next_segment > id)
        return corrupted_at(id, 0, "a segment has an earlier number than the one before");
    if (header->segment != id)
        return corrupted_at(id, 0, "the file belongs to another segment: was it renamed?");
    if (header->lake_id != options_.lake_id)
        return corrupted_at(id, 0, "the segment belongs to another lake, " + header->lake_id);
    TARN_TRY(size, file->size());
    Segment segment;
    segment.header = *header;
    segment.end = size;
    segment.reserved = size;
    segment.file = std::make_shared<SegmentFile>(id, std::move(file));
    found_.segments.push_back(std::move(segment));
    found_.next_segment = id + 1;
    return {};
}

Result<size_t> Recovery::first_to_walk() const {
    const auto& segments = found_.segments;
    const auto after = std::find_if(segments.begin(), segments.end(), [&](const Segment& segment) {
        return segment.header.first > durable_ + 1;
    });
    if (after == segments.begin())
        return corrupted_at(after->header.segment, 0,
                            fmt::format("the log begins with change {}, but the index needs {}",
                                        after->header.first, durable_ + 1));
    return static_cast<size_t>(after - segments.begin()) - 1;
}

Status Recovery::walk(Segment& segment, bool sealed) {
    const auto& header = segment.header;
    if (unhashed_) found_.chain = chain_after(*std::exchange(unhashed_, std::nullopt));
    if (header.first != found_.last + 1 || header.chain != found_.chain)
        return corrupted_at(header.segment, 0,
                            fmt::format("it does not continue the segment before, which ends with "
                                        "change {}",
                                        found_.last));
    const uint64_t file_end = segment.end;
    segment.end = kSegmentHeaderBytes;
    segment.last = 0;
    Window window(segment.file->file());
    while (true) {
        TARN_TRY(taken, take_frame(segment, window));
        if (!taken) break;
    }
    segment.reserved = file_end;
    if (unhashed_) found_.chain = chain_after(*std::exchange(unhashed_, std::nullopt));
    // The next segment's header says whether a sealed one is whole; only the last may end in a
    // frame that was never finished.
    if (sealed) {
        const Segment* next = &segment + 1;
        if (next->header.first == found_.last + 1) return apply_held();
        return corrupted_at(header.segment, segment.end, why_not_);
    }
    return check_end(segment, why_not_);
}

/// False where no frame verifies; then why_not_ says why.
Result<bool> Recovery::take_frame(Segment& segment, Window& window) {
    Held frame;
    auto verified = verify_frame(segment, window, frame.changes);
    if (!verified.ok()) {
        if (verified.error().code != Code::corrupted) return std::move(verified).error();
        why_not_ = std::move(verified).error().message;
        return false;
    }
    frame.head = std::move(verified).value();
    frame.begin = frame.end = segment.end;
    frame.end += frame.head.size();
    for (const auto& change : frame.changes)
        for (const auto& body : change.bodies) frame.end += body.length;
    segment.end = frame.end;
    segment.last = found_.last = found_.last + frame.changes.size();
    if (segment.last <= durable_) {
        unhashed_ = std::move(frame.head);
        return true;
    }
    found_.chain = chain_after(frame.head);
    // This one was written, so the one before had become durable.
    TARN_CHECK_OK(apply_held());
    held_ = std::move(frame);
    return true;
}

Status Recovery::apply_held() {
    if (!held_) return {};
    std::erase_if(held_->changes,
                  [&](const Logged& change) { return change.sequence <= durable_; });
    TARN_CHECK_OK(index_.apply(held_->changes));
    held_.reset();
    return {};
}

/// Header and records of the frame at the segment's end. `changes` borrow from them: a string of
/// this length keeps its bytes in place when it is moved.
Result<std::string> Recovery::verify_frame(const Segment& segment, Window& window,
                                           std::vector<Logged>& changes) {
    const uint32_t seed = frame_seed(segment.header);
    const uint64_t at = segment.end;
    TARN_TRY(start, window.view(at, kFrameHeaderBytes));
    TARN_TRY(header, parse_frame_header(start, seed));
    if (header.first != found_.last + 1)
        return Error(Code::corrupted, "the frame has the wrong sequence");
    TARN_TRY(file_bytes, segment.file->file().size());
    if (header.frame_bytes() > file_bytes - at)
        return Error(Code::corrupted, "the frame is cut off");
    TARN_TRY(view, window.view(at, kFrameHeaderBytes + header.records_bytes));
    std::string head(view);
    const uint64_t bodies_offset = at + head.size();
    TARN_TRY(parsed, parse_records(std::string_view(head).substr(kFrameHeaderBytes), header, seed,
                                   segment.header.segment, bodies_offset));
    if (unhashed_ && header.last() > durable_)
        found_.chain = chain_after(*std::exchange(unhashed_, std::nullopt));
    if (!unhashed_ && header.chain != found_.chain)
        return Error(Code::corrupted, "the frame does not continue the chain of hashes");
    if (header.last() > durable_) {
        for (const auto& change : parsed) {
            for (const auto& body : change.bodies) {
                uint32_t crc = 0;
                for (uint64_t done = 0; done < body.length; done += kWindowBytes) {
                    TARN_TRY(piece, window.view(body.offset + done,
                                                std::min(kWindowBytes, body.length - done)));
                    crc = codec::crc32c(piece, crc);
                }
                if (crc != body.crc32c)
                    return Error(Code::corrupted, "the checksum of a body does not match");
            }
        }
    }
    changes = std::move(parsed);
    return head;
}

/// A group is written only after the one before is durable. So behind a group that the crash cut
/// off there is nothing; a frame that verifies there shows that something durable has been damaged.
Status Recovery::check_end(const Segment& segment, std::string_view what) {
    const io::File& file = segment.file->file();
    const uint32_t seed = frame_seed(segment.header);
    char magic[sizeof kFrameMagic];
    std::memcpy(magic, &kFrameMagic, sizeof magic);
    const std::string_view wanted(magic, sizeof magic);
    TARN_TRY(size, file.size());
    uint64_t at = segment.end;
    while (at + kFrameHeaderBytes <= size) {
        TARN_TRY(data, file.next_data(at));
        at = std::max(at, data);
        TARN_TRY(bytes, file.read(at, kWindowBytes));
        if (bytes.size() < kFrameHeaderBytes) break;
        for (size_t hit = bytes.find(wanted); hit != std::string::npos;
             hit = bytes.find(wanted, hit + 1)) {
            const auto header = parse_frame_header(std::string_view(bytes).substr(hit), seed);
            if (header.ok() && header->first > found_.last + 1)
                return corrupted_at(segment.header.segment, segment.end, what);
        }
        at += bytes.size() - (kFrameHeaderBytes - 1);
    }
    return {};
}

/// Cuts off what the crash left and reserves the space again, so that nothing old lies behind what
/// comes next. The header and the last frame are written once more: if their sync failed before
/// this start, the kernel shows them but may have given up writing them.
Status Recovery::settle_tail(Segment& segment) {
    io::File& file = segment.file->file();
    if (segment.reserved > segment.end) {
        TARN_CHECK_OK(file.truncate(segment.end));
        segment.reserved = segment.end;
    }
    const uint64_t missing = options_.segment_bytes - std::min(options_.segment_bytes, segment.end);
    const auto free = disk_.free_bytes(options_.directory);
    Status reserved = ok_status();
    // A reserve that takes the last space would leave none for the index.
    if (free.ok() && *free < missing + options_.free_bytes_min)
        reserved = Error(Code::exhausted, "the disk is nearly full");
    else if (missing > 0)
        reserved = file.preallocate(options_.segment_bytes);
    if (reserved.ok()) {
        segment.reserved = std::max(segment.end, options_.segment_bytes);
    } else if (reserved.error().code == Code::exhausted) {
        log_warning("wal", "starting without reserved space: " + reserved.error().message);
    } else {
        return reserved;
    }
    TARN_CHECK_OK(file.write(0, encode_segment_header(segment.header)));
    if (held_ && held_->end == segment.end) {
        for (uint64_t at = held_->begin; at < held_->end; at += kWindowBytes) {
            TARN_TRY(bytes, file.read(at, std::min(kWindowBytes, held_->end - at)));
            TARN_CHECK_OK(file.write(at, bytes));
        }
    }
    TARN_CHECK_OK(file.sync());
    return disk_.sync_directory(options_.directory);
}

}  // namespace

Result<Recovered> recover(io::Disk& disk, Index& index, const LogOptions& options) {
    return Recovery(disk, index, options).run();
}

}  // namespace tarn::wal
