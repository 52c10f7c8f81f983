#include "archive/restore.h"

#include <algorithm>
#include <charconv>
#include <list>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "archive/internal/manifest.h"
#include "archive/internal/point_maker.h"

namespace tarn::archive {
namespace {

constexpr size_t kPiecesKept = 4;  // neighbours lie in one piece

Result<Manifest> load_tail(Destination& destination, const PointInfo& point, uint32_t number) {
    const auto name = tail_name(point.history, point.id, number);
    auto bytes = destination.get(name, kManifestBytesMax);
    if (!bytes.ok() && bytes.error().code == Code::not_found)
        return Error(Code::corrupted,
                     fmt::format("{} is missing: --at {}+{} takes what is before it", name,
                                 point.id, number - 1));
    if (!bytes.ok()) return std::move(bytes).error();
    auto parsed = parse_manifest(*bytes);
    if (!parsed.ok() && parsed.error().code == Code::corrupted)
        return Error(Code::corrupted,
                     fmt::format("{}: {}; --at {}+{} takes what is before it", name,
                                 parsed.error().message, point.id, number - 1));
    if (!parsed.ok()) return parsed;
    if (parsed->kind != Kind::tail || parsed->number != number || parsed->point != point.id ||
        parsed->history != point.history)
        return Error(Code::corrupted, name + " says that it is another one");
    return parsed;
}

/// The highest number: what is missing before it shows when it is read.
Result<uint32_t> count_tails(Destination& destination, const PointInfo& point) {
    const auto folder = tails_of(point.history, point.id);
    uint32_t highest = 0;
    TARN_CHECK_OK(destination.list(folder, [&](const Listed& listed) {
        const auto number = parse_tail_number(std::string_view(listed.name).substr(folder.size()));
        highest = std::max(highest, number.value_or(0));
        return ok_status();
    }));
    return highest;
}

Result<PointInfo> describe(Destination& destination, const std::string& history,
                           const std::string& id) {
    PointInfo info;
    info.history = history;
    info.id = id;
    info.archive = id.starts_with("archive-");
    auto point = load_point(destination, history, id);
    if (!point.ok()) {
        if (point.error().code != Code::corrupted && point.error().code != Code::unimplemented)
            return std::move(point).error();
        info.problem = std::move(point).error().message;
        return info;
    }
    info.lake_id = point->lake_id;
    info.time = info.latest = point->time;
    info.sequence = info.latest_sequence = point->sequence;
    info.bytes = point->bytes;
    info.sent_bytes = point->sent_bytes;
    info.damage = point->damage.size();
    info.has_key = !point->sealed_key.empty();
    if (!info.archive) return info;
    TARN_TRY(tails, count_tails(destination, info));
    info.tails = tails;
    if (tails == 0) return info;
    const auto last = load_tail(destination, info, tails);
    if (last.ok()) {
        info.latest = last->time;
        info.latest_sequence = last->sequence;
    }
    return info;
}

/// How many tails of the point end not after `time`.
Result<uint32_t> tails_until(Destination& destination, const PointInfo& point, Timestamp time) {
    uint32_t from = 0;
    uint32_t to = point.tails;
    while (from < to) {
        const uint32_t middle = from + (to - from + 1) / 2;
        TARN_TRY(tail, load_tail(destination, point, middle));
        if (tail.time <= time)
            from = middle;
        else
            to = middle - 1;
    }
    return from;
}

/// The newest state of a point that is not after a time.
struct Reached {
    const PointInfo* point;
    uint32_t tails;
    Timestamp time;
    uint64_t sequence;
};

Result<Reached> reach(Destination& destination, const PointInfo& point,
                      std::optional<Timestamp> until) {
    if (!until || *until >= point.latest)
        return Reached{&point, point.tails, point.latest, point.latest_sequence};
    TARN_TRY(tails, tails_until(destination, point, *until));
    if (tails == 0) return Reached{&point, 0, point.time, point.sequence};
    TARN_TRY(tail, load_tail(destination, point, tails));
    return Reached{&point, tails, tail.time, tail.sequence};
}

/// Gives the bytes of ranges, each of which was checked. One thread at a time.
class Pieces {
 public:
    Pieces(Destination& destination, std::string history)
        : destination_(destination), history_(std::move(history)) {}

    /// Valid until the next call. `path`: whose range it is.
    Result<std::string_view> read(const Range& range, const std::string& path) {
        TARN_TRY(piece, load(range.piece, path, kPieceBytesMax));
        if (range.at + range.length > piece->size())
            return Error(Code::corrupted, path + ": a range reaches behind the end of its piece " +
                                              piece_text(range.piece));
        return std::string_view(*piece).substr(range.at, range.length);
    }

    Result<std::vector<Range>> ranges_of(const FileEntry& file) {
        if (!file.in_list) return file.ranges;
        TARN_TRY(list, load(file.list, file.path, kListBytesMax));
        return parse_list(*list);
    }

 private:
    Result<const std::string*> load(const PieceId& id, const std::string& path,
                                    uint64_t bytes_max) {
        const auto known = std::find_if(kept_.begin(), kept_.end(),
                                        [&](const auto& kept) { return kept.first == id; });
        if (known != kept_.end()) {
            kept_.splice(kept_.begin(), kept_, known);
            return &kept_.front().second;
        }
        const auto name = piece_name(history_, id);
        auto bytes = destination_.get(name, bytes_max);
        if (!bytes.ok() && bytes.error().code == Code::not_found)
            return Error(Code::corrupted, "the piece " + name + " of " + path + " is missing");
        if (!bytes.ok() && bytes.error().code != Code::exhausted) return std::move(bytes).error();
        if (!bytes.ok() || piece_id(*bytes) != id)
            return Error(Code::corrupted, "the piece " + name + " of " + path +
                                              " is damaged: its bytes are not those of its name");
        kept_.emplace_front(id, std::move(bytes).value());
        if (kept_.size() > kPiecesKept) kept_.pop_back();
        return &kept_.front().second;
    }

    Destination& destination_;
    const std::string history_;
    std::list<std::pair<PieceId, std::string>> kept_;
};

/// Writes files of a lake. One thread at a time.
class Target {
 public:
    Target(io::Disk& disk, std::string folder, Pieces& pieces, Progress& progress)
        : disk_(disk), folder_(std::move(folder)), pieces_(pieces), progress_(progress) {}

    Status begin() {
        TARN_TRY(there, disk_.exists(folder_));
        if (there) {
            TARN_TRY(entries, disk_.list(folder_));
            if (!entries.empty())
                return Error(Code::already_exists,
                             folder_ + " is not empty: a lake is restored into an empty folder");
        }
        for (const char* folder : {"/state/wal", "/state/index", "/extents"})
            TARN_CHECK_OK(disk_.make_directories(folder_ + folder));
        return ok_status();
    }

    Status write(const FileEntry& file) {
        TARN_TRY(ranges, pieces_.ranges_of(file));
        TARN_TRY(out, disk_.open(folder_ + "/" + file.path, io::OpenMode::create));
        for (const auto& range : ranges) {
            TARN_TRY(bytes, pieces_.read(range, file.path));
            TARN_CHECK_OK(out->write(range.offset, bytes));
            progress_.bytes_done += bytes.size();
        }
        TARN_CHECK_OK(out->sync());
        written_.insert(file.path);
        return ok_status();
    }

    Status end() {
        for (const char* folder : {"/state/wal", "/state/index", "/extents", "/state", ""})
            TARN_CHECK_OK(disk_.sync_directory(folder_ + folder));
        return ok_status();
    }

    uint64_t files() const { return written_.size(); }

 private:
    io::Disk& disk_;
    const std::string folder_;
    Pieces& pieces_;
    Progress& progress_;
    std::set<std::string> written_;
};

}  // namespace

Result<std::vector<PointInfo>> list_points(Destination& destination) {
    TARN_TRY(histories, destination.list_folders(""));
    std::vector<PointInfo> points;
    for (const auto& history : histories) {
        if (!is_history(history)) continue;
        TARN_TRY(objects, list_point_objects(destination, history));
        for (const auto& object : objects) {
            auto info = describe(destination, history, object.name);
            if (!info.ok() && info.error().code == Code::not_found) continue;  // removed meanwhile
            if (!info.ok()) return std::move(info).error();
            points.push_back(std::move(info).value());
        }
    }
    if (points.empty())
        return Error(Code::not_found, destination.place() + " holds no copy of a lake");
    std::stable_sort(points.begin(), points.end(),
                     [](const PointInfo& a, const PointInfo& b) { return a.time < b.time; });
    return points;
}

Result<Wanted> choose(Destination& destination, const std::string& at) {
    TARN_TRY(points, list_points(destination));
    const size_t plus = at.find('+');
    const auto id = at.substr(0, plus);
    if (is_point_id(id)) {
        const auto found = std::find_if(points.begin(), points.end(),
                                        [&](const PointInfo& point) { return point.id == id; });
        if (found == points.end())
            return Error(Code::not_found, destination.place() + " has no point " + id);
        if (!found->problem.empty()) return Error(Code::corrupted, found->problem);
        uint32_t tails = found->tails;
        if (plus != std::string::npos) {
            const auto end = at.data() + at.size();
            if (std::from_chars(at.data() + plus + 1, end, tails).ptr != end ||
                tails > found->tails)
                return Error(Code::not_found, fmt::format("{} has {} tails, not '{}'", id,
                                                          found->tails, at.substr(plus + 1)));
        }
        return Wanted{*found, tails};
    }
    std::optional<Timestamp> until;
    if (!at.empty()) {
        const auto time = parse_time(at);
        if (!time.ok())
            return Error(Code::invalid_argument,
                         "'" + at +
                             "' is neither a point (tarn backups lists them), nor a time "
                             "such as 2026-11-21T22:45:00Z");
        until = *time;
    }
    std::map<std::string, Reached> newest;  // of each history
    for (const auto& point : points) {
        if (!point.problem.empty() || (until && point.time > *until)) continue;
        TARN_TRY(reached, reach(destination, point, until));
        const auto [best, first] = newest.try_emplace(point.history, reached);
        if (!first && !(std::tie(reached.sequence, reached.time) <
                        std::tie(best->second.sequence, best->second.time)))
            best->second = reached;
    }
    const auto best = std::max_element(
        newest.begin(), newest.end(),
        [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
    if (best == newest.end())
        return Error(Code::not_found, destination.place() + " has no point that is whole" +
                                          (until ? " and not after " + at : std::string()));
    return Wanted{*best->second.point, best->second.tails};
}

Result<KeyParts> key_parts(Destination& source, const Wanted& wanted) {
    TARN_TRY(point, load_point(source, wanted.point.history, wanted.point.id));
    return KeyParts{point.key_check, point.sealed_key};
}

Result<Restored> restore(Destination& destination, io::Disk& disk, const Wanted& wanted,
                         const std::string& folder, Progress& progress) {
    TARN_TRY(point, load_point(destination, wanted.point.history, wanted.point.id));
    progress.bytes_total = point.bytes;
    Pieces pieces(destination, wanted.point.history);
    Target target(disk, folder, pieces, progress);
    TARN_CHECK_OK(target.begin());
    Restored restored{point.time, point.sequence, 0, 0, point.damage};
    // Without its id no server takes the folder for a lake: it comes last.
    const FileEntry* last = nullptr;
    for (const auto& file : point.files) {
        if (file.path == "state/lake-id")
            last = &file;
        else
            TARN_CHECK_OK(target.write(file));
    }
    if (last == nullptr) return Error(Code::corrupted, point.point + " is without the lake's id");
    for (uint32_t number = 1; number <= wanted.tails; ++number) {
        TARN_TRY(tail, load_tail(destination, wanted.point, number));
        for (const auto& file : tail.files) TARN_CHECK_OK(target.write(file));
        restored.time = tail.time;
        restored.sequence = tail.sequence;
        restored.damage.insert(restored.damage.end(), tail.damage.begin(), tail.damage.end());
    }
    TARN_CHECK_OK(target.write(*last));
    TARN_CHECK_OK(target.end());
    restored.files = target.files();
    restored.bytes = progress.bytes_done;
    return restored;
}

}  // namespace tarn::archive
