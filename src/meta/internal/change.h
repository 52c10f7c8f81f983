// A batch on its way into the log. The *intent* is what a caller asked for (conditions, counters to
// add to, appends without offsets); it lives in memory only. The *record* is what the index made of
// it and what the log keeps: writes and erasures, nothing left to decide. Both list operations in
// the same encoding; docs/formats/meta.md describes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {

/// One operation, borrowing from the bytes it was read from.
struct ChangeOp {
    enum class Kind : uint8_t {
        put = 1,            // key, value
        put_body = 2,       // key, value; takes the change's next body
        put_keep_body = 3,  // key, value
        erase = 4,          // key
        erase_range = 5,    // key, value = the end
        relocate = 6,       // key, from; takes the change's next body
        add = 16,           // intent only: key, number = delta
        append = 17,        // intent only: key = sequence, value, number = count
        append_body = 18,   // the same; takes the change's next body
    };
    Kind kind = Kind::put;
    std::string_view key;
    std::string_view value;
    int64_t number = 0;
    wal::BodyRef from;

    bool takes_body() const {
        return kind == Kind::put_body || kind == Kind::append_body || kind == Kind::relocate;
    }
    bool intent_only() const { return kind >= Kind::add; }
};

/// A condition, borrowing likewise.
struct ChangeCondition {
    Batch::Condition::Kind kind = Batch::Condition::Kind::absent;
    std::string_view key;
    Version version = 0;
    std::optional<std::string_view> operand;
    Code code = Code::conflict;
    std::string_view message;
    std::string_view reason;

    Error error() const { return Error(code, std::string(message), std::string(reason)); }
};

void append_op(std::string& out, const ChangeOp& op);

/// invalid_argument: an empty, reserved or overlong key, an append of nothing. Moves the bodies out
/// of `batch`.
Result<wal::Change> encode_intent(Batch batch);
wal::Change encode_relocation(std::string_view key, const wal::BodyRef& from, std::string body);

/// Begins a record: its version byte.
std::string begin_record();

/// Walks the operations of a record. ok() is false after bytes that are none.
class RecordReader {
 public:
    explicit RecordReader(std::string_view record);
    std::optional<ChangeOp> next();
    bool ok() const { return ok_; }

 private:
    friend class IntentReader;
    std::optional<ChangeOp> take_op();

    ByteReader bytes_;
    bool ok_ = true;
};

/// Walks an intent: first all conditions, then all operations.
class IntentReader {
 public:
    explicit IntentReader(std::string_view intent);
    std::optional<ChangeCondition> next_condition();
    std::optional<ChangeOp> next_op();
    bool ok() const { return reader_.ok_; }

 private:
    RecordReader reader_;
    uint64_t conditions_left_ = 0;
};

}  // namespace tarn::meta
