#include "ingest/internal/transaction_spool.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tarn::ingest {

namespace {

constexpr uint32_t kMessageMax = 1u << 30;  // PostgreSQL's own limit

/// Before each message. Written and read by one process: the machine's byte order.
struct Frame {
    uint32_t length = 0, sub_xid = 0;
    uint64_t ordinal = 0;
};

}  // namespace

Result<TransactionSpool> TransactionSpool::open(const std::string& folder, uint64_t bytes_max) {
    std::error_code problem;
    std::filesystem::remove_all(folder, problem);
    if (!problem) std::filesystem::create_directories(folder, problem);
    if (problem)
        return Error(Code::io, fmt::format("cannot make the folder {} for transactions that are "
                                           "not whole yet: {}",
                                           folder, problem.message()));
    return TransactionSpool(folder, bytes_max);
}

TransactionSpool::~TransactionSpool() {
    while (!open_.empty()) forget(open_.begin()->first);
}

std::string TransactionSpool::path(uint32_t xid) const {
    return fmt::format("{}/{}", folder_, xid);
}

Error TransactionSpool::trouble(const std::string& what, uint32_t xid) const {
    return Error(Code::io, fmt::format("{} {}: {}: is the disk full?", what, path(xid),
                                       std::strerror(errno)));
}

Result<std::FILE*> TransactionSpool::writer(uint32_t xid) {
    auto& kept = open_[xid];
    if (kept.file) return kept.file.get();
    const auto before = open_.find(writing_);
    if (before != open_.end() && before->second.file) {
        if (std::fflush(before->second.file.get()) != 0) return trouble("writing", writing_);
        before->second.file.reset();
    }
    kept.file.reset(std::fopen(path(xid).c_str(), "ab"));
    if (!kept.file) return trouble("opening", xid);
    writing_ = xid;
    return kept.file.get();
}

Status TransactionSpool::add(uint32_t xid, uint32_t sub_xid, uint64_t ordinal,
                             std::string_view message) {
    const uint64_t more = sizeof(Frame) + message.size();
    if (bytes_max_ != 0 && bytes_ + more > bytes_max_)
        return Error(Code::exhausted,
                     fmt::format("transactions that are not committed yet are above {} MB: commit "
                                 "in smaller steps, or give them more room",
                                 bytes_max_ >> 20));
    TARN_TRY(file, writer(xid));
    const Frame frame{static_cast<uint32_t>(message.size()), sub_xid, ordinal};
    if (std::fwrite(&frame, sizeof(frame), 1, file) != 1 ||
        std::fwrite(message.data(), 1, message.size(), file) != message.size())
        return trouble("writing", xid);
    open_[xid].bytes += more;
    bytes_ += more;
    return ok_status();
}

Status TransactionSpool::abort(uint32_t xid, uint32_t sub_xid) {
    if (xid == sub_xid) {
        forget(xid);
        return ok_status();
    }
    const auto found = open_.find(xid);
    if (found != open_.end()) found->second.aborted.insert(sub_xid);
    return ok_status();
}

Status TransactionSpool::replay(uint32_t xid,
                                const std::function<Status(uint64_t, std::string_view)>& each) {
    const auto found = open_.find(xid);
    if (found == open_.end()) return ok_status();  // nothing of it was published
    auto& kept = found->second;
    if (kept.file && std::fflush(kept.file.get()) != 0) return trouble("writing", xid);
    kept.file.reset();
    const std::unique_ptr<std::FILE, Closer> file(std::fopen(path(xid).c_str(), "rb"));
    if (!file) return trouble("opening", xid);
    std::string message;
    uint64_t left = kept.bytes;
    while (left > 0) {
        Frame frame;
        if (std::fread(&frame, sizeof(frame), 1, file.get()) != 1 || frame.length > kMessageMax)
            return Error(Code::corrupted, path(xid) + " was cut: the source sends it again");
        message.resize(frame.length);
        if (std::fread(message.data(), 1, message.size(), file.get()) != message.size())
            return Error(Code::corrupted, path(xid) + " was cut: the source sends it again");
        left -= std::min<uint64_t>(left, sizeof(frame) + message.size());
        if (kept.aborted.count(frame.sub_xid) != 0) continue;
        TARN_CHECK_OK(each(frame.ordinal, message));
    }
    return ok_status();
}

void TransactionSpool::forget(uint32_t xid) {
    const auto found = open_.find(xid);
    if (found == open_.end()) return;
    bytes_ -= found->second.bytes;
    open_.erase(found);
    std::error_code ignored;
    std::filesystem::remove(path(xid), ignored);
}

}  // namespace tarn::ingest
