#include "archive/internal/sender.h"

#include <utility>

namespace tarn::archive {

Sender::Sender(Destination& destination, std::string history, bool look_first, Progress& progress,
               std::function<Status()> may_go_on)
    : destination_(destination),
      history_(std::move(history)),
      look_first_(look_first),
      progress_(progress),
      may_go_on_(std::move(may_go_on)) {}

Result<PieceId> Sender::send(std::string_view piece) {
    TARN_ASSERT(!piece.empty());
    TARN_CHECK_OK(may_go_on_());
    const auto id = piece_id(piece);
    const auto name = piece_name(history_, id);
    if (look_first_) {
        TARN_TRY(there, destination_.size_of(name));
        if (there == piece.size()) return id;
    }
    TARN_CHECK_OK(destination_.put(name, piece));
    sent_bytes_ += piece.size();
    progress_.bytes_sent += piece.size();
    ++progress_.pieces_sent;
    return id;
}

Status Sender::pack(std::vector<Range>& out, const Range& where, std::string_view bytes) {
    TARN_ASSERT(!bytes.empty() && bytes.size() <= kPieceBytesMax);
    if (packed_.size() + bytes.size() > kPieceBytesMax) TARN_CHECK_OK(flush());
    Range range = where;
    range.length = bytes.size();
    range.at = packed_.size();
    packed_ += bytes;
    open_.push_back({&out, out.size()});
    out.push_back(range);
    return ok_status();
}

Status Sender::flush() {
    if (packed_.empty()) return ok_status();
    TARN_TRY(id, send(packed_));
    for (const auto& [out, index] : open_) (*out)[index].piece = id;
    open_.clear();
    packed_.clear();
    return ok_status();
}

}  // namespace tarn::archive
