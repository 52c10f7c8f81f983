#include "protocols/mqtt/internal/retained.h"

#include "base/bytes.h"
#include "meta/keys.h"
#include "protocols/mqtt/internal/topics.h"

namespace tarn::mqtt {
namespace {

constexpr char kFormat = 1;
constexpr std::string_view kKind = "mr";

Result<SharedMessage> decode(std::string_view topic, const meta::Record& record) {
    ByteReader reader(record.value);
    const auto format = reader.take_le<char>();
    const auto qos = reader.take_le<uint8_t>();
    const auto expires = reader.take_le<int64_t>();
    if (!expires || *format != kFormat || *qos > 1 || topic.empty() || !record.body)
        return Error(Code::corrupted, "a retained message does not decode");
    auto message = std::make_shared<Message>();
    message->topic = topic;
    message->qos = *qos;
    message->retain = true;
    if (*expires != 0) message->expires = Timestamp{*expires};
    message->forwarded = reader.rest();
    TARN_TRY(payload, record.body->read(0, record.body->size()));
    message->payload = std::move(payload);
    return SharedMessage(std::move(message));
}

}  // namespace

Status Retained::load(const meta::Store& store) {
    const std::string all = meta::Key(kKind).str();
    auto walk = store.scan({all, meta::prefix_end(all), false});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_TRY(message, decode(walk->key().substr(all.size()), record));
        apply(std::move(message));
    }
    return walk->status();
}

Status Retained::check_room(const std::string& topic, size_t bytes) const {
    MutexLock lock(mutex_);
    const auto known = messages_.find(topic);
    const size_t others = bytes_ - (known == messages_.end() ? 0 : known->second->bytes());
    if (others + bytes <= bytes_max_ &&
        (known != messages_.end() || messages_.size() < messages_max_))
        return ok_status();
    return Error(Code::exhausted, "there is no room for another retained message");
}

void Retained::stage(meta::Batch& batch, const Message& message) {
    std::string key = meta::Key(kKind).rest(message.topic);
    if (message.payload.empty()) {
        batch.erase(std::move(key));
        return;
    }
    std::string value(1, kFormat);
    value.push_back(static_cast<char>(message.qos));
    append_le<int64_t>(value, message.expires ? message.expires->micros : 0);
    value += message.forwarded;
    batch.put(std::move(key), std::move(value), message.payload);
}

void Retained::apply(SharedMessage message) {
    MutexLock lock(mutex_);
    const auto known = messages_.find(message->topic);
    if (known != messages_.end()) {
        bytes_ -= known->second->bytes();
        messages_.erase(known);
    }
    if (message->payload.empty()) return;
    bytes_ += message->bytes();
    const std::string& topic = message->topic;
    messages_.emplace(topic, std::move(message));
}

std::vector<SharedMessage> Retained::match(std::string_view filter, Timestamp now) const {
    std::vector<SharedMessage> found;
    const auto alive = [&](const SharedMessage& message) {
        return !message->expires || *message->expires > now;
    };
    const size_t wildcard = filter.find_first_of("+#");
    MutexLock lock(mutex_);
    if (wildcard == filter.npos) {
        const auto one = messages_.find(filter);
        if (one != messages_.end() && alive(one->second)) found.push_back(one->second);
        return found;
    }
    // "a/#" matches "a" too: the walk begins before the slash.
    const std::string_view prefix = filter.substr(0, wildcard == 0 ? 0 : wildcard - 1);
    for (auto one = messages_.lower_bound(prefix);
         one != messages_.end() && one->first.starts_with(prefix); ++one)
        if (matches(filter, one->first) && alive(one->second)) found.push_back(one->second);
    return found;
}

size_t Retained::size() const {
    MutexLock lock(mutex_);
    return messages_.size();
}

}  // namespace tarn::mqtt
