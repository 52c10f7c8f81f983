#include "protocols/mqtt/internal/batcher.h"

#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

constexpr size_t kBatchBytesMax = 1u << 20;

}  // namespace

Batcher::Batcher(streams::Streams& streams, Broker& broker, std::shared_ptr<void> keep_alive,
                 std::atomic<size_t>& flight_bytes)
    : streams_(streams),
      broker_(broker),
      keep_alive_(std::move(keep_alive)),
      flight_bytes_(flight_bytes) {}

uint64_t Batcher::enter(MqttSession& session, std::shared_ptr<net::Wire> wire) {
    members_[++last_session_] = {&session, std::move(wire)};
    return last_session_;
}

void Batcher::leave(uint64_t session) {
    flush();
    members_.erase(session);
    finish();
}

uint64_t Batcher::add(uint64_t session, const std::string& stream, Item item) {
    Batch& batch = open_[stream];
    if (batch.records.empty()) batch.number = ++last_batch_;
    if (batch.parts.empty() || batch.parts.back().session != session)
        batch.parts.push_back({session, members_.at(session).wire, 0, 0});
    Part& part = batch.parts.back();
    const size_t bytes = item.record.key.size() + item.record.payload.size();
    part.bytes += bytes;
    part.acks += item.wants_ack ? 1 : 0;
    batch.bytes += bytes;
    flight_bytes_ += bytes;
    batch.records.push_back(std::move(item.record));
    if (item.message) {
        if (item.message->retain) Retained::stage(batch.with, *item.message);
        batch.messages.push_back(std::move(item.message));
    }
    const uint64_t number = batch.number;
    if (batch.bytes >= kBatchBytesMax) {
        Batch full = std::move(batch);
        open_.erase(stream);
        append(stream, std::move(full));
    } else if (!flush_posted_) {
        flush_posted_ =
            members_.at(session).wire->post([self = shared_from_this()] { self->flush(); });
    }
    return number;
}

void Batcher::flush() {
    flush_posted_ = false;
    for (auto& [stream, batch] : std::exchange(open_, {})) append(stream, std::move(batch));
}

void Batcher::append(const std::string& stream, Batch batch) {
    auto completed = std::make_shared<Completed>();
    completed->number = batch.number;
    completed->parts = std::move(batch.parts);
    completed->messages = std::move(batch.messages);
    streams_.append(
        stream, std::move(batch.records),
        [self = shared_from_this(), completed](Result<uint64_t> first) {
            if (!first.ok()) completed->status = std::move(first).error();
            self->complete(std::move(*completed));
        },
        std::move(batch.with));
}

/// Retained messages change here, in the order of the commits; the rest is the loop's.
void Batcher::complete(Completed completed) {
    if (completed.status.ok()) {
        for (const SharedMessage& message : completed.messages)
            if (message->retain) broker_.retained().apply(message);
    }
    for (const Part& part : completed.parts) flight_bytes_ -= part.bytes;
    {
        MutexLock lock(mutex_);
        completed_.push_back(std::move(completed));
        if (finish_posted_) return;
        finish_posted_ = true;
    }
    post_finish();
}

/// Has the loop run finish, by any connection that lives; one that closes before the function runs
/// does the work in leave. Without any nobody waits for an acknowledgement.
void Batcher::post_finish() {
    for (;;) {
        std::vector<std::shared_ptr<net::Wire>> wires;
        size_t seen = 0;
        {
            MutexLock lock(mutex_);
            seen = completed_.size();
            for (const Completed& one : completed_)
                for (const Part& part : one.parts) wires.push_back(part.wire);
        }
        for (const auto& wire : wires)
            if (wire->post([self = shared_from_this()] { self->finish(); })) return;
        std::vector<Completed> orphans;
        {
            MutexLock lock(mutex_);
            if (completed_.size() > seen) continue;
            finish_posted_ = false;
            orphans.swap(completed_);
        }
        for (Completed& orphan : orphans)
            if (orphan.status.ok()) broker_.route_later(std::move(orphan.messages));
        return;
    }
}

void Batcher::finish() {
    std::vector<Completed> completed;
    {
        MutexLock lock(mutex_);
        finish_posted_ = false;
        completed.swap(completed_);
    }
    for (Completed& one : completed) {
        for (const Part& part : one.parts) {
            const auto member = members_.find(part.session);
            if (member != members_.end())
                member->second.session->on_appended(one.number, part.acks, part.bytes, one.status);
        }
        if (one.status.ok()) broker_.route(one.messages);
    }
}

}  // namespace tarn::mqtt
