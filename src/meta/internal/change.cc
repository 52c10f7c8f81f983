#include "meta/internal/change.h"

#include "meta/internal/record.h"

namespace tarn::meta {

namespace {

constexpr uint8_t kRecordVersion = 1;
constexpr size_t kKeyBytesMax = 16 << 10;
constexpr uint64_t kBodyBytesMax = UINT32_MAX;

using Kind = ChangeOp::Kind;

void append_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
}

std::optional<uint64_t> take_varint(ByteReader& bytes) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const auto byte = bytes.take_le<uint8_t>();
        if (!byte) return std::nullopt;
        value |= static_cast<uint64_t>(*byte & 0x7f) << shift;
        if (*byte < 0x80) return value;
    }
    return std::nullopt;
}

void append_text(std::string& out, std::string_view text) {
    append_varint(out, text.size());
    out.append(text);
}

std::optional<std::string_view> take_text(ByteReader& bytes) {
    const auto size = take_varint(bytes);
    return size ? bytes.take(*size) : std::nullopt;
}

bool has_value(Kind kind) {
    return kind != Kind::erase && kind != Kind::relocate && kind != Kind::add;
}

bool has_number(Kind kind) {
    return kind == Kind::add || kind == Kind::append || kind == Kind::append_body;
}

bool is_kind(uint8_t byte) {
    return (byte >= static_cast<uint8_t>(Kind::put) &&
            byte <= static_cast<uint8_t>(Kind::relocate)) ||
           (byte >= static_cast<uint8_t>(Kind::add) &&
            byte <= static_cast<uint8_t>(Kind::append_body));
}

void append_condition(std::string& out, const Batch::Condition& condition) {
    append_le(out, static_cast<uint8_t>(condition.kind));
    append_text(out, condition.key);
    append_varint(out, condition.version);
    append_le(out, static_cast<uint8_t>(condition.has_operand));
    append_text(out, condition.operand);
    append_le(out, static_cast<uint8_t>(condition.otherwise.code));
    append_text(out, condition.otherwise.message);
    append_text(out, condition.otherwise.reason);
}

Kind kind_of(const Batch::Operation& operation) {
    using From = Batch::Operation::Kind;
    switch (operation.kind) {
        case From::put:
            return operation.has_body ? Kind::put_body : Kind::put;
        case From::put_keep_body:
            return Kind::put_keep_body;
        case From::erase:
            return Kind::erase;
        case From::erase_range:
            return Kind::erase_range;
        case From::add:
            return Kind::add;
        case From::append:
            return operation.has_body ? Kind::append_body : Kind::append;
    }
    TARN_ASSERT(false);
    return Kind::put;
}

Status check_key(std::string_view key) {
    if (key.empty()) return Error(Code::invalid_argument, "a key is empty");
    if (key.front() == kInternal)
        return Error(Code::invalid_argument, "a key begins with the reserved byte 0");
    if (key.size() > kKeyBytesMax)
        return Error(Code::invalid_argument, "a key has " + std::to_string(key.size()) +
                                                 " bytes; at most " + std::to_string(kKeyBytesMax) +
                                                 " are possible");
    return ok_status();
}

Status check_operation(const Batch::Operation& operation) {
    TARN_CHECK_OK(check_key(operation.key));
    if (operation.kind == Batch::Operation::Kind::append && operation.number < 1)
        return Error(Code::invalid_argument, "an append takes at least one offset");
    if (operation.kind == Batch::Operation::Kind::erase_range && operation.value.empty())
        return Error(Code::invalid_argument, "a range to erase has no end");
    if (operation.body.size() > kBodyBytesMax)
        return Error(Code::invalid_argument, "a body has more than 4 GiB");
    return ok_status();
}

size_t intent_bytes(const Batch& batch) {
    constexpr size_t kFieldsBytes = 48;  // of each, at most: kinds, lengths, numbers
    size_t bytes = kFieldsBytes;
    for (const auto& c : batch.conditions())
        bytes += kFieldsBytes + c.key.size() + c.operand.size() + c.otherwise.message.size() +
                 c.otherwise.reason.size();
    for (const auto& operation : batch.operations())
        bytes += kFieldsBytes + operation.key.size() + operation.value.size();
    return bytes;
}

}  // namespace

void append_op(std::string& out, const ChangeOp& op) {
    append_le(out, static_cast<uint8_t>(op.kind));
    append_text(out, op.key);
    if (has_value(op.kind)) append_text(out, op.value);
    if (has_number(op.kind)) append_le(out, op.number);
    if (op.kind == Kind::relocate) append_body_ref(out, op.from);
}

Result<wal::Change> encode_intent(Batch batch) {
    wal::Change change;
    change.intent.reserve(intent_bytes(batch));
    append_varint(change.intent, batch.conditions().size());
    for (const auto& condition : batch.conditions()) {
        TARN_CHECK_OK(check_key(condition.key));
        append_condition(change.intent, condition);
    }
    for (auto& operation : batch.operations()) {
        TARN_CHECK_OK(check_operation(operation));
        append_op(change.intent,
                  {kind_of(operation), operation.key, operation.value, operation.number, {}});
        if (operation.has_body) change.bodies.push_back(std::move(operation.body));
    }
    return change;
}

wal::Change encode_relocation(std::string_view key, const wal::BodyRef& from, std::string body) {
    wal::Change change;
    append_varint(change.intent, 0);
    append_op(change.intent, {Kind::relocate, key, {}, 0, from});
    change.bodies.push_back(std::move(body));
    return change;
}

std::string begin_record() {
    return std::string(1, static_cast<char>(kRecordVersion));
}

RecordReader::RecordReader(std::string_view record) : bytes_(record) {
    ok_ = bytes_.take_le<uint8_t>() == kRecordVersion;
}

std::optional<ChangeOp> RecordReader::next() {
    auto op = take_op();
    if (op && op->intent_only()) ok_ = false;
    return ok_ ? op : std::nullopt;
}

std::optional<ChangeOp> RecordReader::take_op() {
    if (!ok_ || bytes_.empty()) return std::nullopt;
    ok_ = false;
    ChangeOp op;
    const auto kind = bytes_.take_le<uint8_t>();
    if (!kind || !is_kind(*kind)) return std::nullopt;
    op.kind = static_cast<Kind>(*kind);
    const auto key = take_text(bytes_);
    if (!key) return std::nullopt;
    op.key = *key;
    if (has_value(op.kind)) {
        const auto value = take_text(bytes_);
        if (!value) return std::nullopt;
        op.value = *value;
    }
    if (has_number(op.kind)) {
        const auto number = bytes_.take_le<int64_t>();
        if (!number) return std::nullopt;
        op.number = *number;
    }
    if (op.kind == Kind::relocate) {
        const auto from = bytes_.take(kBodyRefBytes);
        if (!from) return std::nullopt;
        op.from = load_body_ref(*from);
    }
    ok_ = true;
    return op;
}

IntentReader::IntentReader(std::string_view intent) : reader_(begin_record()) {
    reader_.bytes_ = ByteReader(intent);
    const auto conditions = take_varint(reader_.bytes_);
    reader_.ok_ = conditions.has_value();
    conditions_left_ = conditions.value_or(0);
}

std::optional<ChangeCondition> IntentReader::next_condition() {
    if (conditions_left_ == 0 || !reader_.ok_) return std::nullopt;
    --conditions_left_;
    reader_.ok_ = false;
    auto& bytes = reader_.bytes_;
    const auto kind = bytes.take_le<uint8_t>();
    const auto key = take_text(bytes);
    const auto version = take_varint(bytes);
    const auto has_operand = bytes.take_le<uint8_t>();
    const auto operand = take_text(bytes);
    const auto code = bytes.take_le<uint8_t>();
    const auto message = take_text(bytes);
    const auto reason = take_text(bytes);
    if (!kind || !key || !version || !has_operand || !operand || !code || !message || !reason)
        return std::nullopt;
    reader_.ok_ = true;
    return ChangeCondition{static_cast<Batch::Condition::Kind>(*kind),
                           *key,
                           *version,
                           *has_operand ? operand : std::nullopt,
                           static_cast<Code>(*code),
                           *message,
                           *reason};
}

std::optional<ChangeOp> IntentReader::next_op() {
    TARN_ASSERT(conditions_left_ == 0 || !reader_.ok_);
    return reader_.take_op();
}

}  // namespace tarn::meta
