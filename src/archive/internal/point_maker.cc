#include "archive/internal/point_maker.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::archive {
namespace {

constexpr uint64_t kSegmentHeaderBytes = 4096;  // docs/formats/wal.md
constexpr std::string_view kIndexFolder = "state/index/";

/// Behind the kind's word: the order in which points of a history were made.
std::string_view order_of(std::string_view id) {
    return id.substr(std::min(id.find('-'), id.size()));
}

void append_extent(std::string& out, uint64_t offset, uint64_t length, uint32_t check) {
    append_le(out, offset);
    append_le(out, length);
    append_le(out, check);
}

/// The ranges that hold exactly [offset, offset + bytes) of a file under this check.
std::vector<Range> find_ranges(const std::vector<Range>& known, uint64_t offset, uint64_t bytes,
                               uint32_t check) {
    std::vector<Range> found;
    auto at =
        std::lower_bound(known.begin(), known.end(), offset,
                         [](const Range& range, uint64_t wanted) { return range.offset < wanted; });
    uint64_t end = offset;
    for (; at != known.end() && end < offset + bytes; ++at) {
        if (at->offset != end || at->check != check) return {};
        end += at->length;
        found.push_back(*at);
    }
    return end == offset + bytes ? found : std::vector<Range>();
}

}  // namespace

struct PointMaker::Work {
    Sender sender;
    Files files;
    std::map<std::string, std::string> extent_sets;
    std::vector<std::string> damage;
    const SentExtents* sent = nullptr;
    uint64_t bytes = 0;
};

PointMaker::PointMaker(const Source& source, Destination& destination, Identity identity,
                       Progress& progress, const std::atomic<bool>& cancel)
    : source_(source),
      destination_(destination),
      identity_(std::move(identity)),
      progress_(progress),
      cancel_(cancel) {}

Status PointMaker::may_go_on() const {
    if (cancel_) return Error(Code::cancelled, "the copy was given up: the server stops");
    TARN_TRY(free, source_.disk.free_bytes(source_.data));
    if (free < source_.free_bytes_min)
        return Error(Code::exhausted,
                     "the data folder's disk is nearly full, and a copy under way keeps bytes from "
                     "being freed: it was given up; free space and try again",
                     "disk_full");
    return ok_status();
}

Status PointMaker::find_previous(bool trusted) {
    if (looked_) return ok_status();
    TARN_TRY(points, list_point_objects(destination_, identity_.history));
    if (!points.empty()) newest_ = point_time(points.back().name);
    for (auto at = points.rbegin(); at != points.rend() && trusted && !previous_; ++at) {
        auto point = load_point(destination_, identity_.history, at->name);
        if (point.ok())
            previous_ = std::move(point).value();
        else if (point.error().code != Code::corrupted)
            return std::move(point).error();
        else
            log_warning("archive", "a point is damaged, a new one does not lean on it",
                        {{"point", at->name}, {"why", point.error().message}});
    }
    looked_ = true;
    return ok_status();
}

const FileEntry* PointMaker::previous(const std::string& path) const {
    if (!previous_) return nullptr;
    const auto& files = previous_->files;
    const auto found = std::lower_bound(
        files.begin(), files.end(), path,
        [](const FileEntry& file, const std::string& wanted) { return file.path < wanted; });
    return found != files.end() && found->path == path ? &*found : nullptr;
}

Result<PointMaker::Made> PointMaker::make(const Options& options) {
    if (options.full) previous_.reset();
    TARN_CHECK_OK(find_previous(!options.full));
    auto& store = meta::copying(source_.store);
    auto all_segments = store.hold_segments(0);
    const auto space = objects::hold_space(source_.bytes);
    // The index before the cut: replaying the cut's log from there gives the cut's state.
    TARN_TRY(index, store.hold_index());
    Made made;
    made.manifest.time = source_.clock.now();
    TARN_TRY(cut, store.cut());
    made.cut = std::move(cut);

    const bool look_first = !options.full && (failed_ || previous_);
    failed_ = true;
    Work work{Sender(destination_, identity_.history, look_first, progress_,
                     [this] { return may_go_on(); }),
              {},
              {},
              {},
              options.sent,
              0};
    TARN_CHECK_OK(pack_file(work, "state/lake-id", source_.store.lake_id() + "\n"));
    TARN_CHECK_OK(add_index(work, index));
    TARN_CHECK_OK(add_segments(work, made.cut));
    TARN_CHECK_OK(work.sender.flush());
    TARN_CHECK_OK(add_extents(work, *made.cut.state));

    auto& manifest = made.manifest;
    manifest.kind = options.kind;
    manifest.history = identity_.history;
    // A clock that went back does not make the newest point look like an old one.
    manifest.point =
        make_point_id(options.kind == Kind::archive,
                      std::max(manifest.time, newest_.plus(std::chrono::microseconds(1))));
    manifest.lake_id = source_.store.lake_id();
    manifest.sequence = made.cut.state->version();
    manifest.key_check = identity_.key_check;
    manifest.sealed_key = identity_.sealed_key;
    manifest.bytes = work.bytes;
    manifest.sent_bytes = work.sender.sent_bytes();
    manifest.damage = std::move(work.damage);
    for (auto& file : work.files) manifest.files.push_back(std::move(file.second));
    TARN_CHECK_OK(
        destination_.put(point_name(identity_.history, manifest.point), encode_manifest(manifest)));
    failed_ = false;
    newest_ = point_time(manifest.point);
    previous_ = manifest;
    previous_here_ = true;
    extent_sets_ = std::move(work.extent_sets);
    made.segments = store.hold_segments(made.cut.segments.back().id);
    return made;
}

Status PointMaker::pack_file(Work& work, const std::string& path, std::string_view bytes) {
    auto& file = work.files[path];
    file.path = path;
    for (size_t at = 0; at < bytes.size(); at += kPieceBytesMax) {
        Range range;
        range.offset = at;
        TARN_CHECK_OK(work.sender.pack(file.ranges, range, bytes.substr(at, kPieceBytesMax)));
    }
    work.bytes += bytes.size();
    progress_.bytes_done += bytes.size();
    return ok_status();
}

Status PointMaker::send_file(Work& work, const std::string& path, uint64_t from, uint64_t to,
                             std::vector<Range>& out) {
    TARN_TRY(file, source_.disk.open(source_.data + "/" + path, io::OpenMode::read));
    for (uint64_t at = from; at < to; at += kPieceBytesMax) {
        const uint64_t length = std::min(kPieceBytesMax, to - at);
        TARN_TRY(bytes, file->read(at, length));
        if (bytes.size() != length)
            return Error(Code::corrupted, path + " ends at " + std::to_string(at + bytes.size()) +
                                              ", before its own end");
        TARN_TRY(piece, work.sender.send(bytes));
        out.push_back({at, length, piece, 0, 0});
    }
    return ok_status();
}

Status PointMaker::add_index(Work& work, const meta::HeldIndex& index) {
    for (const auto& file : index.files) {
        const auto path = std::string(kIndexFolder) + file.name;
        if (!file.content.empty() || file.bytes == 0) {
            TARN_CHECK_OK(pack_file(work, path, file.content));
            continue;
        }
        auto& entry = work.files[path];
        entry.path = path;
        const auto* before = previous_here_ && file.fixed ? previous(path) : nullptr;
        if (before != nullptr)
            entry = *before;
        else
            TARN_CHECK_OK(send_file(work, path, 0, file.bytes, entry.ranges));
        work.bytes += file.bytes;
        progress_.bytes_done += file.bytes;
    }
    return ok_status();
}

/// What a sealed segment holds is told by the chain hash in the header of the next one.
Status PointMaker::add_segments(Work& work, const meta::Cut& cut) {
    for (size_t i = 0; i < cut.segments.size(); ++i) {
        std::string token;
        if (i + 1 < cut.segments.size()) {
            const auto next = segment_path(cut.segments[i + 1].id);
            TARN_TRY(file, source_.disk.open(source_.data + "/" + next, io::OpenMode::read));
            TARN_TRY(header, file->read(0, kSegmentHeaderBytes));
            append_le(header, cut.segments[i].bytes);
            token = codec::hex_encode(codec::sha256(header));
        }
        TARN_CHECK_OK(add_segment(work, cut.segments[i], token));
    }
    return ok_status();
}

Status PointMaker::add_segment(Work& work, const wal::Log::SegmentInfo& segment,
                               const std::string& token) {
    const auto path = segment_path(segment.id);
    auto& entry = work.files[path];
    entry.path = path;
    entry.token = token;
    const auto* before = previous(path);
    if (before != nullptr && !token.empty() && before->token == token) {
        entry.ranges = before->ranges;
    } else {
        // A block that was full is not written again.
        if (before != nullptr && previous_here_)
            for (const auto& range : before->ranges)
                if (range.length == kPieceBytesMax && range.offset + range.length <= segment.bytes)
                    entry.ranges.push_back(range);
        const uint64_t from =
            entry.ranges.empty() ? 0 : entry.ranges.back().offset + entry.ranges.back().length;
        TARN_CHECK_OK(send_file(work, path, from, segment.bytes, entry.ranges));
    }
    work.bytes += segment.bytes;
    progress_.bytes_done += segment.bytes;
    return ok_status();
}

Status PointMaker::add_extents(Work& work, const meta::Snapshot& state) {
    TARN_TRY(files, objects::extent_files(state));
    uint64_t total = work.bytes;
    for (const auto& file : files) {
        TARN_TRY(extents, objects::extents_of_file(state, file.id));
        for (const auto& extent : extents) total += objects::copied_bytes(extent);
    }
    progress_.bytes_total = total;
    for (const auto& file : files) TARN_CHECK_OK(add_extent_file(work, state, file.id));
    return ok_status();
}

Status PointMaker::add_extent_file(Work& work, const meta::Snapshot& state, uint64_t id) {
    TARN_TRY(extents, objects::extents_of_file(state, id));
    if (extents.empty()) return ok_status();
    const auto path = extent_path(id);
    std::string set;
    uint64_t bytes = 0;
    for (const auto& extent : extents) {
        append_extent(set, extent.offset, extent.length, 0);
        bytes += objects::copied_bytes(extent);
    }
    set = codec::sha256(set);
    work.extent_sets[path] = set;
    work.bytes += bytes;
    auto& entry = work.files[path];
    entry.path = path;
    const auto* before = previous(path);
    const auto known_set = extent_sets_.find(path);
    if (before != nullptr && previous_here_ && known_set != extent_sets_.end() &&
        known_set->second == set) {
        entry = *before;
        progress_.bytes_done += bytes;
        return ok_status();
    }

    TARN_TRY(reader, ExtentFileReader::open(source_, id));
    if (reader.missing()) {
        note_damage(work.damage, path + " is missing");
        work.files.erase(path);
        return ok_status();
    }
    // A place may have been written again since, by another start: the checksums tell.
    std::string named;
    for (auto& extent : extents) {
        const auto opened = objects::ExtentReader::open(reader.file(), extent);
        if (opened.ok()) extent.check = opened->check();
        append_extent(named, extent.offset, extent.length, extent.check);
    }
    entry.token = codec::hex_encode(codec::sha256(named));
    if (before != nullptr && before->token == entry.token) {
        entry = *before;
        progress_.bytes_done += bytes;
        return ok_status();
    }
    TARN_TRY(known, known_ranges(work, path, id));
    std::vector<Range> ranges;
    TARN_CHECK_OK(reader.send_header(work.sender, ranges));
    for (const auto& extent : extents) {
        const uint64_t length = objects::copied_bytes(extent);
        const auto found = find_ranges(known, extent.offset, length, extent.check);
        if (found.empty())
            TARN_CHECK_OK(reader.send(work.sender, extent, ranges, work.damage));
        else
            ranges.insert(ranges.end(), found.begin(), found.end());
        progress_.bytes_done += length;
    }
    TARN_CHECK_OK(work.sender.flush());
    TARN_TRY(list, work.sender.send(encode_list(ranges)));
    entry.in_list = true;
    entry.list = list;
    return ok_status();
}

/// What is at the destination of an extent file: in the previous point, and sent by tails since.
Result<std::vector<Range>> PointMaker::known_ranges(const Work& work, const std::string& path,
                                                    uint64_t id) {
    std::map<uint64_t, Range> by_offset;
    if (const auto* before = previous(path); before != nullptr && before->in_list) {
        auto bytes = destination_.get(piece_name(identity_.history, before->list), kListBytesMax);
        auto ranges = bytes.ok() && piece_id(*bytes) == before->list
                          ? parse_list(*bytes)
                          : Result<std::vector<Range>>(Error(Code::corrupted, "no list"));
        // Without it everything is sent again.
        if (ranges.ok())
            for (const auto& range : *ranges) by_offset[range.offset] = range;
    }
    if (work.sent != nullptr)
        if (const auto sent = work.sent->find(id); sent != work.sent->end())
            for (const auto& range : sent->second) by_offset[range.offset] = range;
    std::vector<Range> known;
    for (const auto& [offset, range] : by_offset) known.push_back(range);
    return known;
}

Result<std::vector<Listed>> list_point_objects(Destination& destination,
                                               const std::string& history) {
    const auto folder = point_name(history, "");
    std::vector<Listed> points;
    TARN_CHECK_OK(destination.list(folder, [&](const Listed& listed) {
        Listed point = listed;
        point.name.erase(0, folder.size());
        if (is_point_id(point.name)) points.push_back(std::move(point));
        return ok_status();
    }));
    std::sort(points.begin(), points.end(),
              [](const Listed& a, const Listed& b) { return order_of(a.name) < order_of(b.name); });
    return points;
}

Result<Manifest> load_point(Destination& destination, const std::string& history,
                            const std::string& id) {
    const auto name = point_name(history, id);
    TARN_TRY(bytes, destination.get(name, kManifestBytesMax));
    auto parsed = parse_manifest(bytes);
    if (!parsed.ok()) return std::move(parsed).error().within(name);
    if (parsed->kind == Kind::tail || parsed->point != id || parsed->history != history)
        return Error(Code::corrupted, name + " says that it is another point");
    return parsed;
}

}  // namespace tarn::archive
