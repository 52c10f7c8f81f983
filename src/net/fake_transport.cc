#include "net/fake_transport.h"

namespace tarn::net {

bool FakeTransport::send(std::string bytes) {
    return send(std::move(bytes), {});
}

bool FakeTransport::send(std::string first, std::string second) {
    MutexLock lock(mutex_);
    if (closing_) return false;
    sent_ += first;
    sent_ += second;
    return true;
}

size_t FakeTransport::unsent_bytes() const {
    MutexLock lock(mutex_);
    return hold_sends ? sent_.size() : 0;
}

bool FakeTransport::post(std::function<void()> fn) {
    MutexLock lock(mutex_);
    if (closed_) return false;
    posted_.push_back(std::move(fn));
    return true;
}

void FakeTransport::close_after_send() {
    MutexLock lock(mutex_);
    closing_ = true;
}

void FakeTransport::abort() {
    MutexLock lock(mutex_);
    closing_ = closed_ = true;
    posted_.clear();
}

bool FakeTransport::closed() const {
    MutexLock lock(mutex_);
    return closed_;
}

bool FakeTransport::closing() const {
    MutexLock lock(mutex_);
    return closing_;
}

void FakeTransport::set_deadline(std::chrono::milliseconds from_now) {
    MutexLock lock(mutex_);
    deadline_ = from_now;
}

std::chrono::milliseconds FakeTransport::deadline() const {
    MutexLock lock(mutex_);
    return deadline_;
}

TimerId FakeTransport::after(std::chrono::milliseconds from_now, std::function<void()> fn) {
    timers_[next_timer_] = {from_now, std::move(fn)};
    return next_timer_++;
}

Status FakeTransport::start_tls() {
    if (!has_certificate) return Error(Code::invalid_argument, "this listener has no certificate");
    if (tls_) return Error(Code::invalid_argument, "the connection is encrypted already");
    tls_ = true;
    return {};
}

std::string FakeTransport::take_sent() {
    MutexLock lock(mutex_);
    return std::exchange(sent_, {});
}

void FakeTransport::run_posted() {
    for (;;) {
        std::function<void()> fn;
        {
            MutexLock lock(mutex_);
            if (posted_.empty()) return;
            fn = std::move(posted_.front());
            posted_.pop_front();
        }
        fn();
    }
}

bool FakeTransport::fire_timer() {
    if (timers_.empty()) return false;
    auto earliest = timers_.begin();
    for (auto timer = timers_.begin(); timer != timers_.end(); ++timer)
        if (timer->second.at < earliest->second.at) earliest = timer;
    auto fn = std::move(earliest->second.fn);
    timers_.erase(earliest);
    fn();
    return true;
}

}  // namespace tarn::net
