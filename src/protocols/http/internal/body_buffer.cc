#include "protocols/http/internal/body_buffer.h"

#include <algorithm>

#include "base/lane.h"

namespace tarn::http {
namespace {
constexpr size_t kPieceBytes = 64 * 1024;  // small pieces are joined up to this
constexpr std::chrono::milliseconds kMoment{
    2};  // in which a quick body brings all that is asked for
}  // namespace

void BodyBuffer::reserve(size_t size) {
    MutexLock lock(mutex_);
    pieces_.emplace_back().reserve(size);
}

bool BodyBuffer::push(std::string_view bytes) {
    MutexLock lock(mutex_);
    if (discarded_ || bytes.empty()) return false;
    if (first_ < pieces_.size() && pieces_.back().size() + bytes.size() <= kPieceBytes)
        pieces_.back() += bytes;
    else
        pieces_.emplace_back(bytes);
    bytes_ += bytes.size();
    full_ = full_ || bytes_ >= bytes_max_;
    if (has(awaited_)) changed_.notify_all();
    return full_;
}

void BodyBuffer::finish(Headers trailers) {
    MutexLock lock(mutex_);
    trailers_ = std::move(trailers);
    complete_ = true;
    changed_.notify_all();
}

void BodyBuffer::fail(Error error) {
    MutexLock lock(mutex_);
    if (complete_ || failed_) return;
    failed_ = true;
    error_ = std::move(error);
    changed_.notify_all();
}

bool BodyBuffer::wait_for(size_t bytes, std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    awaited_ = bytes;
    while (!has(bytes))
        if (!changed_.wait_until(mutex_, until)) return has(bytes);
    return true;
}

Result<std::string> BodyBuffer::read(size_t max, std::chrono::milliseconds patience, bool& resume) {
    resume = false;
    MutexLock lock(mutex_);
    if (!has(1)) {
        assert_may_block();
        if (!wait_for(max, std::min(kMoment, patience)) && !wait_for(1, patience))
            return Error(Code::timed_out, "the request's body stopped coming");
    }
    if (bytes_ > 0) {
        std::string piece = pop(max);
        if (full_ && bytes_ <= bytes_max_ / 2) {
            full_ = false;
            resume = true;
        }
        return piece;
    }
    if (failed_) return Error(error_);
    return std::string();
}

std::string BodyBuffer::pop(size_t max) {
    while (first_at_ == pieces_[first_].size()) {
        ++first_;
        first_at_ = 0;
    }
    std::string& front = pieces_[first_];
    std::string piece;
    if (first_at_ == 0 && front.size() <= max) {
        piece = std::move(front);
        front.clear();
        ++first_;
    } else {
        piece = front.substr(first_at_, max);
        first_at_ += piece.size();
    }
    bytes_ -= piece.size();
    if (bytes_ == 0) {
        pieces_.clear();
        first_ = first_at_ = 0;
    }
    return piece;
}

bool BodyBuffer::ready() const {
    MutexLock lock(mutex_);
    return bytes_ > 0 || complete_ || failed_;
}

void BodyBuffer::discard() {
    MutexLock lock(mutex_);
    discarded_ = true;
    full_ = false;
    pieces_.clear();
    first_ = first_at_ = bytes_ = 0;
}

bool BodyBuffer::complete() const {
    MutexLock lock(mutex_);
    return complete_;
}

}  // namespace tarn::http
