#include "archive/internal/tail_shipper.h"

#include <algorithm>
#include <utility>

namespace tarn::archive {

/// What one ship() sends; becomes the shipper's own when all of it is there.
struct TailShipper::Step {
    Sender sender;
    std::map<std::string, std::vector<Range>> files;
    std::map<uint64_t, uint64_t> open_files;
    uint64_t next_file = 0;
    uint64_t log_bytes = 0;
    std::vector<std::string> damage;
};

Result<std::unique_ptr<TailShipper>> TailShipper::begin(const Source& source,
                                                        Destination& destination,
                                                        PointMaker::Made made, Progress& progress,
                                                        const std::atomic<bool>& cancel) {
    std::unique_ptr<TailShipper> shipper(new TailShipper(source, destination, progress, cancel));
    shipper->history_ = made.manifest.history;
    shipper->point_ = made.manifest.point;
    shipper->lake_id_ = made.manifest.lake_id;
    shipper->begun_ = shipper->shipped_until_ = made.manifest.time;
    shipper->shipped_sequence_ = made.manifest.sequence;
    shipper->segments_ = std::move(made.segments);
    shipper->segment_ = made.cut.segments.back().id;
    shipper->segment_offset_ = made.cut.segments.back().bytes;
    TARN_TRY(files, objects::extent_files(*made.cut.state));
    for (const auto& file : files) {
        shipper->next_file_ = file.id + 1;
        if (!file.open) continue;
        TARN_TRY(extents, objects::extents_of_file(*made.cut.state, file.id));
        shipper->open_files_[file.id] = extents.empty() ? 0 : extents.back().offset + 1;
    }
    return shipper;
}

Status TailShipper::ship() {
    if (source_.store.last_version() == shipped_sequence_) {
        // Looked at before the time: what comes in between is later than it.
        const auto now = source_.clock.now();
        if (source_.store.last_version() == shipped_sequence_) shipped_until_ = now;
        return ok_status();
    }
    auto& store = meta::copying(source_.store);
    const auto space = objects::hold_space(source_.bytes);
    Manifest tail;
    tail.time = source_.clock.now();
    TARN_TRY(cut, store.cut());
    Step step{Sender(destination_, history_, false, progress_,
                     [this]() -> Status {
                         if (cancel_) return Error(Code::cancelled, "the server stops");
                         return ok_status();
                     }),
              {},
              {},
              next_file_,
              0,
              {}};
    // The log names the extents: they come first, and the manifest comes last.
    TARN_CHECK_OK(add_extents(step, *cut.state));
    TARN_CHECK_OK(add_log(step, cut));
    TARN_CHECK_OK(step.sender.flush());

    tail.kind = Kind::tail;
    tail.history = history_;
    tail.point = point_;
    tail.number = number_ + 1;
    tail.lake_id = lake_id_;
    tail.sequence = cut.state->version();
    tail.bytes = tail.sent_bytes = step.sender.sent_bytes();
    tail.damage = step.damage;
    for (const auto& [path, ranges] : step.files) {
        FileEntry file;
        file.path = path;
        file.ranges = ranges;
        tail.files.push_back(std::move(file));
    }
    TARN_CHECK_OK(
        destination_.put(tail_name(history_, point_, tail.number), encode_manifest(tail)));

    number_ = tail.number;
    shipped_until_ = tail.time;
    shipped_sequence_ = tail.sequence;
    log_bytes_ += step.log_bytes;
    segment_ = cut.segments.back().id;
    segment_offset_ = cut.segments.back().bytes;
    segments_ = store.hold_segments(segment_);
    open_files_ = std::move(step.open_files);
    next_file_ = step.next_file;
    for (auto& [path, ranges] : step.files)
        if (const auto file = parse_extent_path(path)) {
            auto& sent = sent_[*file];
            sent.insert(sent.end(), ranges.begin(), ranges.end());
        }
    return ok_status();
}

Status TailShipper::add_extents(Step& step, const meta::Snapshot& state) {
    for (const auto& [file, offset] : open_files_) {
        TARN_TRY(found, objects::extent_files(state, file));
        const bool there = !found.empty() && found.front().id == file;
        if (!there) continue;  // it went, with all that was in it
        TARN_CHECK_OK(add_extents_of(step, state, file, offset, found.front().open));
    }
    TARN_TRY(fresh, objects::extent_files(state, next_file_));
    for (const auto& file : fresh) {
        TARN_CHECK_OK(add_extents_of(step, state, file.id, 0, file.open));
        step.next_file = file.id + 1;
    }
    return ok_status();
}

Status TailShipper::add_extents_of(Step& step, const meta::Snapshot& state, uint64_t file,
                                   uint64_t offset, bool open) {
    TARN_TRY(extents, objects::extents_of_file(state, file, offset));
    if (open) step.open_files[file] = extents.empty() ? offset : extents.back().offset + 1;
    if (extents.empty()) return ok_status();
    TARN_TRY(reader, ExtentFileReader::open(source_, file));
    const auto path = extent_path(file);
    if (reader.missing()) {
        note_damage(step.damage, path + " is missing");
        return ok_status();
    }
    auto& ranges = step.files[path];
    if (offset == 0) TARN_CHECK_OK(reader.send_header(step.sender, ranges));
    for (const auto& extent : extents)
        TARN_CHECK_OK(reader.send(step.sender, extent, ranges, step.damage));
    return ok_status();
}

Status TailShipper::add_log(Step& step, const meta::Cut& cut) {
    for (const auto& segment : cut.segments) {
        if (segment.id < segment_) continue;
        const uint64_t from = segment.id == segment_ ? segment_offset_ : 0;
        if (from == segment.bytes) continue;
        const auto path = segment_path(segment.id);
        TARN_TRY(file, source_.disk.open(source_.data + "/" + path, io::OpenMode::read));
        auto& ranges = step.files[path];
        for (uint64_t at = from; at < segment.bytes; at += kPieceBytesMax) {
            const uint64_t length = std::min(kPieceBytesMax, segment.bytes - at);
            TARN_TRY(bytes, file->read(at, length));
            if (bytes.size() != length) return Error(Code::corrupted, path + " has become shorter");
            Range range;
            range.offset = at;
            TARN_CHECK_OK(step.sender.pack(ranges, range, bytes));
        }
        step.log_bytes += segment.bytes - from;
    }
    return ok_status();
}

Result<uint64_t> TailShipper::waiting_bytes() const {
    TARN_TRY(cut, meta::copying(source_.store).cut());
    uint64_t bytes = 0;
    for (const auto& segment : cut.segments)
        if (segment.id >= segment_)
            bytes += segment.bytes - (segment.id == segment_ ? segment_offset_ : 0);
    return bytes;
}

}  // namespace tarn::archive
