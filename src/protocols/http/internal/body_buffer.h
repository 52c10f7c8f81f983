// A request's body between the loop that receives it and the handler that reads it: bounded,
// blocking on the reader's side.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "protocols/http/headers.h"

namespace tarn::http {

/// push, finish and fail are the loop's; read is the lane's.
class BodyBuffer {
 public:
    explicit BodyBuffer(size_t bytes_max) : bytes_max_(bytes_max) {}

    /// With a known length: one allocation for all of it.
    void reserve(size_t size);
    /// True when the bound is reached: pause the connection until read says so.
    bool push(std::string_view bytes);
    void finish(Headers trailers);
    /// What the reader gets once it has read what came before.
    void fail(Error error);

    /// At least a byte, at most `max`; empty at the end. Of a body that comes quickly the reader is
    /// woken when `max` bytes are there, not for each piece of them. `resume` tells that there is
    /// room again after push had reached the bound. timed_out when nothing comes within `patience`.
    Result<std::string> read(size_t max, std::chrono::milliseconds patience, bool& resume);
    /// read would not wait.
    bool ready() const;
    /// Throws away what waits; later bytes are not kept.
    void discard();
    bool complete() const;
    /// Complete once read has returned the end.
    const Headers& trailers() const { return trailers_; }

 private:
    std::string pop(size_t max) TARN_REQUIRES(mutex_);
    bool has(size_t bytes) const TARN_REQUIRES(mutex_) {
        return bytes_ >= bytes || full_ || complete_ || failed_;
    }
    bool wait_for(size_t bytes, std::chrono::milliseconds patience) TARN_REQUIRES(mutex_);

    const size_t bytes_max_;
    mutable Mutex mutex_;
    Condition changed_;
    std::vector<std::string> pieces_ TARN_GUARDED_BY(mutex_);
    size_t first_ TARN_GUARDED_BY(mutex_) = 0;
    size_t first_at_ TARN_GUARDED_BY(mutex_) = 0;
    size_t bytes_ TARN_GUARDED_BY(mutex_) = 0;
    size_t awaited_ TARN_GUARDED_BY(mutex_) = 1;  // so many wake the reader
    bool complete_ TARN_GUARDED_BY(mutex_) = false;
    bool failed_ TARN_GUARDED_BY(mutex_) = false;
    bool full_ TARN_GUARDED_BY(mutex_) = false;
    bool discarded_ TARN_GUARDED_BY(mutex_) = false;
    Error error_ TARN_GUARDED_BY(mutex_);
    Headers trailers_;  // written before complete_ is set, read after
};

}  // namespace tarn::http
