#include "archive/internal/retention.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "archive/internal/manifest.h"
#include "archive/internal/point_maker.h"

namespace tarn::archive {
namespace {

/// Half of a piece's name: enough to tell pieces apart, and a lake has many.
using Mark = std::array<char, 16>;

Mark mark_of(const PieceId& piece) {
    Mark mark{};
    std::memcpy(mark.data(), piece.data(), mark.size());
    return mark;
}

bool is_archive(const Listed& point) {
    return point.name.starts_with("archive-");
}

class Expiry {
 public:
    Expiry(Destination& destination, const std::string& history, const std::atomic<bool>& cancel)
        : destination_(destination), history_(history), cancel_(cancel) {}

    Status run(const Retention& rule, Timestamp now) {
        TARN_TRY(points, list_point_objects(destination_, history_));
        std::vector<Listed> backups;
        std::vector<Listed> bases;
        for (auto& point : points) (is_archive(point) ? bases : backups).push_back(point);
        const size_t spare = rule.keep_backups == 0 || backups.size() <= rule.keep_backups
                                 ? 0
                                 : backups.size() - rule.keep_backups;
        for (size_t i = 0; i < backups.size(); ++i)
            if (i < spare)
                TARN_CHECK_OK(remove_point(backups[i]));
            else
                kept_.push_back(backups[i]);
        for (size_t i = 0; i < bases.size(); ++i) {
            // A point and its tails are over when the next one has taken over for so long.
            const bool last = i + 1 == bases.size();
            const auto over =
                last ? std::chrono::microseconds(0) : now.since(point_time(bases[i + 1].name));
            if (!last && over > rule.keep_archive) {
                TARN_CHECK_OK(remove_point(bases[i]));
                continue;
            }
            kept_.push_back(bases[i]);
            if (!last && over > rule.keep_tails)
                TARN_CHECK_OK(remove_tails(bases[i]));
            else
                with_tails_.push_back(bases[i]);
        }
        return ok_status();
    }

    Status sweep() {
        if (kept_.empty()) return ok_status();
        for (const auto& point : kept_) TARN_CHECK_OK(mark(point));
        std::sort(marks_.begin(), marks_.end());
        // Tails are not read: what they name is younger than their point.
        Timestamp young = kept_.front().modified;
        for (const auto& point : kept_) young = std::max(young, point.modified);
        for (const auto& point : with_tails_) young = std::min(young, point.modified);
        const auto folder = history_ + "/pieces/";
        return destination_.list(folder, [&](const Listed& listed) -> Status {
            if (cancel_) return Error(Code::cancelled, "given up");
            if (listed.modified >= young) return ok_status();
            const auto word = std::string_view(listed.name).substr(listed.name.rfind('/') + 1);
            const auto piece = parse_piece_text(word);
            if (piece && std::binary_search(marks_.begin(), marks_.end(), mark_of(*piece)))
                return ok_status();
            TARN_CHECK_OK(destination_.remove(listed.name));
            ++expired.pieces;
            expired.bytes += listed.bytes;
            return ok_status();
        });
    }

    Expired expired;

 private:
    Status remove_point(const Listed& point) {
        // First the manifest: a point is whole or not there.
        TARN_CHECK_OK(destination_.remove(point_name(history_, point.name)));
        ++expired.points;
        return is_archive(point) ? remove_tails(point) : ok_status();
    }

    /// From the last down, so that what is left goes without a gap.
    Status remove_tails(const Listed& point) {
        std::vector<std::string> names;
        TARN_CHECK_OK(destination_.list(tails_of(history_, point.name), [&](const Listed& tail) {
            names.push_back(tail.name);
            return ok_status();
        }));
        std::sort(names.rbegin(), names.rend());
        for (const auto& name : names) TARN_CHECK_OK(destination_.remove(name));
        if (!names.empty()) ++expired.tails;
        return ok_status();
    }

    Status mark(const Listed& point) {
        if (cancel_) return Error(Code::cancelled, "given up");
        TARN_TRY(manifest, load_point(destination_, history_, point.name));
        for (const auto& file : manifest.files) {
            for (const auto& range : file.ranges) marks_.push_back(mark_of(range.piece));
            if (!file.in_list || !lists_.insert(file.list).second) continue;
            marks_.push_back(mark_of(file.list));
            TARN_TRY(bytes, destination_.get(piece_name(history_, file.list), kListBytesMax));
            TARN_TRY(ranges, parse_list(bytes));
            for (const auto& range : ranges) marks_.push_back(mark_of(range.piece));
        }
        std::sort(marks_.begin(), marks_.end());
        marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
        return ok_status();
    }

    Destination& destination_;
    const std::string history_;
    const std::atomic<bool>& cancel_;
    std::vector<Listed> kept_;
    std::vector<Listed> with_tails_;
    std::vector<Mark> marks_;
    std::set<PieceId> lists_;
};

}  // namespace

Result<Expired> expire(Destination& destination, const std::string& history, const Retention& rule,
                       Timestamp now, bool sweep, const std::atomic<bool>& cancel) {
    Expiry expiry(destination, history, cancel);
    TARN_CHECK_OK(expiry.run(rule, now));
    if (sweep) TARN_CHECK_OK(expiry.sweep());
    return expiry.expired;
}

}  // namespace tarn::archive
