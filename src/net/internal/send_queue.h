// Bytes that wait for the kernel, in pieces as they were handed over, written by gathering.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tarn::net {

/// Costs nothing while empty: most connections are idle. Lane: guarded by its owner's mutex.
class SendQueue {
 public:
    enum class Outcome { emptied, would_block, failed };

    void push(std::string piece) {
        if (piece.empty()) return;
        bytes_ += piece.size();
        pieces_.push_back(std::move(piece));
    }
    bool empty() const { return bytes_ == 0; }
    size_t bytes() const { return bytes_; }
    /// The foremost piece, whole. Precondition: none was written from this queue, and it is not
    /// empty.
    std::string pop();
    /// Writes to a non-blocking socket until it takes no more. `written` is what it took.
    Outcome write_to(int descriptor, size_t& written);
    void clear();

 private:
    void consume(size_t size);
    void drop_first();

    std::vector<std::string> pieces_;
    size_t first_ = 0;     // pieces before it are done with
    size_t first_at_ = 0;  // written bytes of the first piece
    size_t bytes_ = 0;
};

}  // namespace tarn::net
