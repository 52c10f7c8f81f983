#include "net/internal/send_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "base/assert.h"

namespace tarn::net {

std::string SendQueue::pop() {
    TARN_ASSERT(first_ < pieces_.size() && first_at_ == 0);
    std::string piece = std::move(pieces_[first_]);
    bytes_ -= piece.size();
    drop_first();
    return piece;
}

SendQueue::Outcome SendQueue::write_to(int descriptor, size_t& written) {
    written = 0;
    while (bytes_ > 0) {
        iovec parts[64];
        size_t count = 0;
        for (size_t at = first_; at < pieces_.size() && count < 64; ++at, ++count) {
            const size_t skip = at == first_ ? first_at_ : 0;
            parts[count] = {pieces_[at].data() + skip, pieces_[at].size() - skip};
        }
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        const ssize_t taken = ::sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return Outcome::would_block;
            return Outcome::failed;
        }
        consume(static_cast<size_t>(taken));
        written += static_cast<size_t>(taken);
    }
    return Outcome::emptied;
}

void SendQueue::consume(size_t size) {
    bytes_ -= size;
    while (size > 0) {
        const size_t left = pieces_[first_].size() - first_at_;
        if (size < left) {
            first_at_ += size;
            return;
        }
        size -= left;
        drop_first();
    }
}

void SendQueue::drop_first() {
    constexpr size_t kKeepMax = 64;
    pieces_[first_++] = std::string();
    first_at_ = 0;
    if (first_ == pieces_.size()) {
        if (pieces_.capacity() > kKeepMax)
            clear();
        else
            pieces_.clear();
        first_ = 0;
    } else if (first_ > kKeepMax && first_ > pieces_.size() / 2) {
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(first_));
        first_ = 0;
    }
}

void SendQueue::clear() {
    pieces_ = {};
    first_ = first_at_ = bytes_ = 0;
}

}  // namespace tarn::net
