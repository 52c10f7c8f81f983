#include "security/internal/audit_record.h"

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

}  // namespace tarn::security
