#include <iterator>

#include "base/bytes.h"
#include "meta/keys.h"
#include "meta/store.h"

namespace tarn::meta {

namespace {
using Condition = Batch::Condition;
using Operation = Batch::Operation;
}  // namespace

Batch& Batch::require_absent(std::string key, Error otherwise) {
    conditions_.push_back(
        {Condition::Kind::absent, std::move(key), {}, 0, false, std::move(otherwise)});
    return *this;
}

Batch& Batch::require_present(std::string key, Error otherwise) {
    conditions_.push_back(
        {Condition::Kind::present, std::move(key), {}, 0, false, std::move(otherwise)});
    return *this;
}

Batch& Batch::require_version(std::string key, Version version, Error otherwise) {
    conditions_.push_back(
        {Condition::Kind::version, std::move(key), {}, version, false, std::move(otherwise)});
    return *this;
}

Batch& Batch::require_value(std::string key, std::optional<std::string> value, Error otherwise) {
    const bool has_operand = value.has_value();
    conditions_.push_back({Condition::Kind::value, std::move(key),
                           has_operand ? std::move(*value) : std::string(), 0, has_operand,
                           std::move(otherwise)});
    return *this;
}

Batch& Batch::require_empty(std::string from, std::string to, Error otherwise) {
    conditions_.push_back({Condition::Kind::empty_range, std::move(from), std::move(to), 0, true,
                           std::move(otherwise)});
    return *this;
}

Batch& Batch::put(std::string key, std::string value) {
    operations_.push_back({Operation::Kind::put, std::move(key), std::move(value), 0, false, {}});
    return *this;
}

Batch& Batch::put(std::string key, std::string value, std::string body) {
    operations_.push_back(
        {Operation::Kind::put, std::move(key), std::move(value), 0, true, std::move(body)});
    return *this;
}

Batch& Batch::put_keep_body(std::string key, std::string value) {
    operations_.push_back(
        {Operation::Kind::put_keep_body, std::move(key), std::move(value), 0, false, {}});
    return *this;
}

Batch& Batch::erase(std::string key) {
    operations_.push_back({Operation::Kind::erase, std::move(key), {}, 0, false, {}});
    return *this;
}

Batch& Batch::erase_range(std::string from, std::string to) {
    operations_.push_back(
        {Operation::Kind::erase_range, std::move(from), std::move(to), 0, false, {}});
    return *this;
}

Batch& Batch::add(std::string key, int64_t delta) {
    operations_.push_back({Operation::Kind::add, std::move(key), {}, delta, false, {}});
    return *this;
}

Batch& Batch::append(std::string sequence, uint32_t count, std::string value, std::string body) {
    const bool has_body = !body.empty();
    operations_.push_back({Operation::Kind::append, std::move(sequence), std::move(value), count,
                           has_body, std::move(body)});
    return *this;
}

Batch& Batch::merge(Batch other) {
    conditions_.insert(conditions_.end(), std::make_move_iterator(other.conditions_.begin()),
                       std::make_move_iterator(other.conditions_.end()));
    operations_.insert(operations_.end(), std::make_move_iterator(other.operations_.begin()),
                       std::make_move_iterator(other.operations_.end()));
    urgent_ = urgent_ || other.urgent_;
    return *this;
}

Batch& Batch::frees_space() {
    urgent_ = true;
    return *this;
}

int64_t decode_counter(std::string_view value) {
    return value.size() == sizeof(int64_t) ? load_le<int64_t>(value.data()) : 0;
}

std::string sequence_key(std::string_view sequence, uint64_t offset) {
    std::string key(sequence);
    append_be(key, offset);
    return key;
}

std::string next_offset_key(std::string_view sequence) {
    return Key("#").rest(sequence).str();
}

}  // namespace tarn::meta
