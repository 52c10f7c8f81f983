// Reading the whole log again: headers, frames, the chain of hashes, bodies.
#include <fmt/format.h>

#include "codec/checksum.h"
#include "wal/internal/log_impl.h"

namespace tarn::wal {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

/// One segment, from its header to the end of what was acknowledged.
class SegmentCheck {
 public:
    SegmentCheck(const SegmentFile& file, const Log::SegmentInfo& info, std::string lake_id,
                 Findings& findings)
        : file_(file.file()), info_(info), lake_id_(std::move(lake_id)), findings_(findings) {}

    Status run() {
        TARN_TRY(bytes, file_.read(0, kSegmentHeaderBytes));
        TARN_TRY(header, parse_segment_header(bytes));
        if (header.segment != info_.id || header.lake_id != lake_id_ || header.first != info_.first)
            return Error(Code::corrupted, "its header is that of another segment");
        seed_ = frame_seed(header);
        chain_ = header.chain;
        next_ = header.first;
        // What a sealed segment had reserved may still follow when a crash came before the cut.
        for (uint64_t at = kSegmentHeaderBytes; next_ <= info_.last && !findings_.stopped();) {
            auto frame_bytes = check_frame(at);
            if (!frame_bytes.ok())
                return std::move(frame_bytes).error().within(fmt::format("at offset {}", at));
            at += *frame_bytes;
        }
        if (findings_.stopped() || info_.last == 0 || next_ == info_.last + 1) return ok_status();
        return Error(Code::corrupted,
                     fmt::format("it ends with change {}, not {}", next_ - 1, info_.last));
    }

 private:
    Result<uint64_t> check_frame(uint64_t at) {
        TARN_TRY(start, file_.read(at, kFrameHeaderBytes));
        TARN_TRY(header, parse_frame_header(start, seed_));
        if (header.first != next_ || header.chain != chain_)
            return Error(Code::corrupted, "the frame does not follow the one before");
        if (at > info_.bytes || header.frame_bytes() > info_.bytes - at)
            return Error(Code::corrupted, "the frame is cut off");
        TARN_TRY(head, file_.read(at, kFrameHeaderBytes + header.records_bytes));
        TARN_TRY(changes, parse_records(std::string_view(head).substr(kFrameHeaderBytes), header,
                                        seed_, info_.id, at + head.size()));
        for (const auto& change : changes)
            for (const auto& body : change.bodies) TARN_CHECK_OK(check_body(body));
        chain_ = chain_after(head);
        next_ = header.last() + 1;
        return header.frame_bytes();
    }

    Status check_body(const BodyRef& body) const {
        uint32_t crc = 0;
        for (uint64_t done = 0; done < body.length; done += kPieceBytes) {
            TARN_TRY(piece, file_.read(body.offset + done,
                                       std::min<uint64_t>(kPieceBytes, body.length - done)));
            crc = codec::crc32c(piece, crc);
        }
        if (crc == body.crc32c) return ok_status();
        return Error(Code::corrupted,
                     fmt::format("the body at offset {} does not match its checksum", body.offset));
    }

    const io::File& file_;
    const Log::SegmentInfo info_;
    const std::string lake_id_;
    Findings& findings_;
    uint32_t seed_ = 0;
    ChainHash chain_{};
    Sequence next_ = 0;
};

}  // namespace

void LogImpl::verify(Findings& findings) const {
    for (const auto& info : segments()) {
        if (findings.stopped()) return;
        const auto file = pin(info.id);
        if (file == nullptr) {
            const auto now = segments();
            const bool removed = std::none_of(now.begin(), now.end(),
                                              [&](const auto& each) { return each.id == info.id; });
            if (!removed) findings.damage(path_of(info.id), "it cannot be opened");
            continue;
        }
        const Status fits = SegmentCheck(*file, info, options_.lake_id, findings).run();
        if (!fits.ok()) findings.damage(path_of(info.id), fits.error().message);
        findings.looked_at("log segments", info.bytes);
    }
}

}  // namespace tarn::wal
