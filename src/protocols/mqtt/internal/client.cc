#include "protocols/mqtt/internal/client.h"

#include <algorithm>

#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

bool in_flight(const std::deque<Delivery>& flights, uint16_t packet_id) {
    return std::any_of(flights.begin(), flights.end(),
                       [&](const Delivery& one) { return one.packet_id == packet_id; });
}

}  // namespace

Client::Client(std::string id, std::string owner, QueueLimits& limits)
    : id_(std::move(id)), owner_(std::move(owner)), limits_(limits) {}

Client::~Client() {
    limits_.bytes_total -= bytes_;
}

Client::Link Client::attach(Link link, uint16_t inflight_max, uint64_t& epoch) {
    MutexLock lock(mutex_);
    std::swap(link_, link);
    epoch = ++epoch_;
    inflight_max_ = inflight_max;
    resend_ = 0;
    for (Delivery& sent : inflight_) sent.dup = true;
    // The session pumps once it has said CONNACK.
    woken_ = true;
    return link;
}

bool Client::detach(uint64_t epoch) {
    MutexLock lock(mutex_);
    if (epoch != epoch_) return false;
    link_ = {};
    ++epoch_;
    drop_lossy();
    return true;
}

bool Client::attached() const {
    MutexLock lock(mutex_);
    return link_.wire != nullptr;
}

void Client::deliver(Delivery delivery) {
    const size_t bytes = delivery.message->bytes();
    Link wake;
    {
        MutexLock lock(mutex_);
        const bool lossy = delivery.qos == 0;
        const bool lags =
            lossy && (!link_.wire || link_.wire->unsent_bytes() > limits_.unsent_bytes_max);
        const size_t waiting = lossy ? lossy_.size() : waiting_.size() + inflight_.size();
        if (lags || waiting >= limits_.messages_max || bytes_ + bytes > limits_.bytes_max ||
            limits_.bytes_total + bytes > limits_.bytes_total_max)
            return limits_.dropped.add();
        bytes_ += bytes;
        limits_.bytes_total += bytes;
        (lossy ? lossy_ : waiting_).push_back(std::move(delivery));
        if (!woken_ && link_.wire) {
            woken_ = true;
            wake = link_;
        }
    }
    if (wake.wire) wake.wire->post([session = wake.session] { session->pump(); });
}

std::vector<Delivery> Client::take(size_t count) {
    std::vector<Delivery> taken;
    MutexLock lock(mutex_);
    for (; resend_ < inflight_.size() && resend_ < inflight_max_ && taken.size() < count; ++resend_)
        taken.push_back(inflight_[resend_]);
    while (resend_ == inflight_.size() && !waiting_.empty() && inflight_.size() < inflight_max_ &&
           taken.size() < count) {
        waiting_.front().packet_id = free_packet_id();
        inflight_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
        taken.push_back(inflight_.back());
        resend_ = inflight_.size();
    }
    while (!lossy_.empty() && taken.size() < count) {
        release(lossy_.front());
        taken.push_back(std::move(lossy_.front()));
        lossy_.pop_front();
    }
    if (taken.empty()) woken_ = false;
    return taken;
}

bool Client::acknowledge(uint16_t packet_id) {
    MutexLock lock(mutex_);
    const auto sent = std::find_if(inflight_.begin(), inflight_.end(),
                                   [&](const Delivery& one) { return one.packet_id == packet_id; });
    if (sent == inflight_.end()) return false;
    if (static_cast<size_t>(sent - inflight_.begin()) < resend_) --resend_;
    release(*sent);
    inflight_.erase(sent);
    return true;
}

Client::Added Client::add_filter(const std::string& filter, size_t count_max) {
    MutexLock lock(mutex_);
    if (filters_.contains(filter)) return Added::replaced;
    if (filters_.size() >= count_max) return Added::refused;
    filters_.insert(filter);
    return Added::added;
}

bool Client::remove_filter(const std::string& filter) {
    MutexLock lock(mutex_);
    return filters_.erase(filter) > 0;
}

std::vector<std::string> Client::filters() const {
    MutexLock lock(mutex_);
    return {filters_.begin(), filters_.end()};
}

void Client::release(const Delivery& delivery) {
    const size_t bytes = delivery.message->bytes();
    bytes_ -= bytes;
    limits_.bytes_total -= bytes;
}

uint16_t Client::free_packet_id() {
    // Flights end roughly in order, so the next number is free nearly always.
    do {
        last_packet_id_ = last_packet_id_ == 65535 ? 1 : static_cast<uint16_t>(last_packet_id_ + 1);
    } while (in_flight(inflight_, last_packet_id_));
    return last_packet_id_;
}

void Client::drop_lossy() {
    for (const Delivery& delivery : lossy_) release(delivery);
    limits_.dropped.add(static_cast<double>(lossy_.size()));
    lossy_.clear();
}

}  // namespace tarn::mqtt
