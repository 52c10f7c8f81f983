#include "security/internal/audit_record.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "codec/json.h"
#include "meta/keys.h"
#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

using Json = nlohmann::json;

constexpr size_t kUserAgentBytesMax = 256;
constexpr size_t kResourceBytesMax = 2048;
constexpr size_t kTextBytesMax = 256;

// At a character's boundary, so that the cut text is still UTF-8.
std::string cut(std::string_view text, size_t bytes_max) {
    if (text.size() <= bytes_max) return std::string(text);
    while (bytes_max > 0 && (static_cast<uint8_t>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
    return std::string(text.substr(0, bytes_max));
}

AuditOutcome outcome_of(std::string_view word) {
    return word == "allowed"  ? AuditOutcome::allowed
           : word == "denied" ? AuditOutcome::denied
                              : AuditOutcome::failed;
}

AuditRecord decode_record(const Json& json) {
    AuditRecord record;
    record.at = {json.at("at").get<int64_t>()};
    const auto text = [&](const char* name) { return json.value(name, std::string()); };
    record.request_id = text("request_id");
    record.principal = text("principal");
    record.access_key_id = text("access_key_id");
    record.door = text("door");
    record.source_ip = text("source_ip");
    record.user_agent = text("user_agent");
    record.action = text("action");
    record.resource = text("resource");
    record.outcome = outcome_of(text("outcome"));
    record.error_code = text("error");
    record.bytes = json.value("bytes", uint64_t{0});
    record.count = json.value("count", uint64_t{1});
    return record;
}

/// The members of an object of texts without escapes and whole numbers, in one pass; nothing when
/// the line holds anything else. Most records are of that kind.
class PlainMembers {
 public:
    explicit PlainMembers(std::string_view line) : rest_(line) {
        plain_ = rest_.find('\\') == rest_.npos && take("{");
    }
    /// False at the end; plain() says whether it is the line's.
    bool next(std::string_view& name, std::string_view& value) {
        if (!plain_ || take("}")) {
            plain_ = plain_ && rest_.empty();
            return false;
        }
        plain_ = (first_ || take(",")) && take_text(name) && take(":") &&
                 (take_text(value) || take_number(value));
        first_ = false;
        return plain_;
    }
    bool plain() const { return plain_; }

 private:
    bool take(std::string_view token) {
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }
    bool take_text(std::string_view& text) {
        if (!rest_.starts_with('"')) return false;
        const size_t end = rest_.find('"', 1);
        if (end == rest_.npos) return false;
        text = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return true;
    }
    bool take_number(std::string_view& digits) {
        const size_t end = rest_.find_first_of(",}");
        if (end == rest_.npos) return false;
        digits = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return true;
    }

    std::string_view rest_;
    bool plain_ = false, first_ = true;
};

template <typename Number>
bool read_number(std::string_view digits, Number& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && end == digits.data() + digits.size();
}

/// False: a member of a record is of another type than it should be.
bool set_member(AuditRecord& record, std::string_view name, std::string_view value) {
    if (name == "at") return read_number(value, record.at.micros);
    if (name == "bytes") return read_number(value, record.bytes);
    if (name == "count") return read_number(value, record.count);
    const std::pair<std::string_view, std::string*> texts[] = {
        {"principal", &record.principal},
        {"access_key_id", &record.access_key_id},
        {"door", &record.door},
        {"source_ip", &record.source_ip},
        {"user_agent", &record.user_agent},
        {"action", &record.action},
        {"resource", &record.resource},
        {"error", &record.error_code},
        {"request_id", &record.request_id}};
    for (const auto& [known, text] : texts)
        if (name == known) *text = value;
    if (name == "outcome") record.outcome = outcome_of(value);
    return true;
}

}  // namespace

std::string audit_sequence() {
    return meta::Key("a");
}

std::string_view to_string(AuditOutcome outcome) {
    switch (outcome) {
        case AuditOutcome::allowed:
            return "allowed";
        case AuditOutcome::denied:
            return "denied";
        case AuditOutcome::failed:
            return "failed";
    }
    return "failed";
}

AuditResult AuditResult::of(const Status& status, uint64_t bytes) {
    if (status.ok()) return {AuditOutcome::allowed, {}, bytes};
    const Error& error = status.error();
    const bool denied =
        error.code == Code::permission_denied || error.code == Code::unauthenticated;
    return {denied ? AuditOutcome::denied : AuditOutcome::failed,
            error.reason.empty() ? std::string(tarn::to_string(error.code)) : error.reason, bytes};
}

AuditRecord make_record(const Caller& caller, const AuditResult& result, uint64_t count) {
    AuditRecord record;
    record.at = caller.at;
    record.request_id = cut(caller.request_id, kTextBytesMax);
    record.principal = cut(caller.principal.arn, kTextBytesMax);
    record.access_key_id = cut(caller.principal.access_key_id, kTextBytesMax);
    record.door = cut(caller.door, kTextBytesMax);
    record.source_ip = cut(caller.source_ip, kTextBytesMax);
    record.user_agent = cut(caller.user_agent, kUserAgentBytesMax);
    record.action = cut(caller.action, kTextBytesMax);
    record.resource = cut(caller.resource, kResourceBytesMax);
    record.outcome = result.outcome;
    record.error_code = cut(result.error_code, kTextBytesMax);
    record.bytes = result.bytes;
    record.count = count;
    return record;
}

std::string AuditRecord::to_json() const {
    codec::JsonWriter json;
    json.begin_object();
    json.member("time", format_iso8601(at)).member("at", at.micros);
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) json.member(name, std::string_view(value));
    };
    text("request_id", request_id);
    text("principal", principal);
    text("access_key_id", access_key_id);
    text("door", door);
    text("source_ip", source_ip);
    text("user_agent", user_agent);
    text("action", action);
    text("resource", resource);
    json.member("outcome", to_string(outcome));
    text("error", error_code);
    if (bytes != 0) json.member("bytes", static_cast<int64_t>(bytes));
    if (count != 1) json.member("count", static_cast<int64_t>(count));
    json.end_object();
    return json.take();
}

Result<std::vector<AuditRecord>> decode_block(std::string_view block, uint64_t first) {
    std::vector<AuditRecord> records;
    try {
        for (const std::string_view line : split(block, '\n')) {
            records.push_back(decode_record(Json::parse(line)));
            records.back().offset = first++;
        }
    } catch (const Json::exception&) {
        return Error(Code::corrupted,
                     "the audit record " + std::to_string(first) + " can't be read");
    }
    return records;
}

Result<std::optional<AuditRecord>> decode_if(std::string_view line,
                                             bool (*wanted)(std::string_view)) {
    std::string_view action, name, value;
    PlainMembers members(line);
    while (members.next(name, value))
        if (name == "action") action = value;
    if (members.plain() && !wanted(action)) return std::optional<AuditRecord>();
    AuditRecord record;
    bool plain = members.plain();
    for (PlainMembers again(line); plain && again.next(name, value);)
        plain = set_member(record, name, value);
    if (!plain) {
        TARN_TRY(decoded, decode_block(line, 0));
        record = std::move(decoded.front());
        record.offset = 0;
    }
    if (!wanted(record.action)) return std::optional<AuditRecord>();
    return std::optional(std::move(record));
}

}  // namespace tarn::security
