#include "events/internal/records.h"

#include <nlohmann/json.hpp>

#include "codec/hash.h"
#include "codec/json.h"
#include "codec/text.h"
#include "meta/keys.h"

namespace tarn::events {
namespace {

using Json = nlohmann::json;

constexpr size_t kPlainKeyBytesMax = 512;

Error corrupted(std::string_view what) {
    return Error(Code::corrupted, "a record of alerts (" + std::string(what) + ") can't be read");
}

/// The one place where the library that throws is called.
template <typename Read>
auto read_json(std::string_view text, std::string_view what, Read read)
    -> Result<decltype(read(std::declval<const Json&>()))> {
    try {
        const Json json = Json::parse(text);
        if (json.at("v").get<int>() != 1) return corrupted(what);
        return read(json);
    } catch (const Json::exception&) {
        return corrupted(what);
    }
}

std::optional<Timestamp> optional_time(const Json& json, const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return std::nullopt;
    return Timestamp{found->get<int64_t>()};
}

}  // namespace

std::string key_id_of(const std::string& key_json) {
    if (key_json.size() <= kPlainKeyBytesMax) return key_json;
    return "#" + codec::hex_encode(codec::sha256(key_json));
}

std::optional<std::string> canonical_key(const std::string& json,
                                         const std::vector<std::string>& one_per) {
    const Json key = Json::parse(json, nullptr, false);
    if (!key.is_object() || key.size() != one_per.size()) return std::nullopt;
    std::string out = "{";
    for (const auto& column : one_per) {
        const auto found = key.find(column);
        if (found == key.end()) return std::nullopt;
        if (out.size() > 1) out.push_back(',');
        codec::append_json_string(out, column);
        out += ":" + found->dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    return out + "}";
}

std::string rule_key(std::string_view rule) {
    return meta::Key("er").rest(rule);
}
std::string open_prefix(std::string_view rule) {
    return meta::Key("ea").text(rule);
}
std::string open_key(std::string_view rule, std::string_view key_id) {
    return meta::Key("ea").text(rule).rest(key_id);
}
std::string silence_prefix(std::string_view rule) {
    return meta::Key("es").text(rule);
}
std::string silence_key(std::string_view rule, std::string_view key_id) {
    return meta::Key("es").text(rule).rest(key_id);
}
std::string history_sequence(std::string_view rule) {
    return meta::Key("eh").text(rule);
}
std::string delivery_prefix(std::string_view rule) {
    return meta::Key("ed").text(rule);
}
std::string delivery_key(std::string_view rule, std::string_view id) {
    return meta::Key("ed").text(rule).rest(id);
}
std::string waiting_prefix() {
    return meta::Key("eq");
}
std::string waiting_key(std::string_view id) {
    return meta::Key("eq").rest(id);
}
std::string target_key(std::string_view target) {
    return meta::Key("et").rest(target);
}

std::string webhooks_key(std::string_view rule) {
    return meta::Key("ew").rest(rule);
}

std::string to_json(const OpenRecord& record) {
    codec::JsonWriter out;
    out.begin_object().member("v", 1).member("id", record.id).member("since", record.since.micros);
    if (record.told) out.member("told", record.told->micros);
    out.member("key", record.key).member("row", record.row).end_object();
    return out.take();
}

Result<OpenRecord> parse_open(std::string_view json, std::string key_id) {
    return read_json(json, "open alert", [&](const Json& in) {
        OpenRecord out;
        out.key_id = std::move(key_id);
        out.id = in.at("id").get<std::string>();
        out.since = {in.at("since").get<int64_t>()};
        out.told = optional_time(in, "told");
        out.key = in.at("key").get<std::string>();
        out.row = in.at("row").get<std::string>();
        return out;
    });
}

std::string_view to_string(AlertEvent::Kind kind) {
    switch (kind) {
        case AlertEvent::Kind::opened:
            return "opened";
        case AlertEvent::Kind::recovered:
            return "recovered";
        case AlertEvent::Kind::silenced:
            return "silenced";
        case AlertEvent::Kind::tested:
            return "tested";
    }
    return "opened";
}

std::string to_json(const AlertEvent& event) {
    codec::JsonWriter out;
    out.begin_object()
        .member("v", 1)
        .member("event", to_string(event.kind))
        .member("at", event.at.micros);
    if (!event.id.empty()) out.member("id", event.id);
    if (!event.key.empty()) out.member("key", event.key);
    if (!event.row.empty()) out.member("row", event.row);
    if (!event.by.empty()) out.member("by", event.by);
    out.end_object();
    return out.take();
}

Result<AlertEvent> parse_event(std::string_view json, std::string rule) {
    return read_json(json, "history", [&](const Json& in) {
        AlertEvent out;
        out.rule = std::move(rule);
        const auto kind = in.at("event").get<std::string>();
        for (const auto known : {AlertEvent::Kind::opened, AlertEvent::Kind::recovered,
                                 AlertEvent::Kind::silenced, AlertEvent::Kind::tested})
            if (to_string(known) == kind) out.kind = known;
        out.at = {in.at("at").get<int64_t>()};
        out.id = in.value("id", "");
        out.key = in.value("key", "");
        out.row = in.value("row", "");
        out.by = in.value("by", "");
        return out;
    });
}

std::string to_json(const Silence& silence) {
    codec::JsonWriter out;
    out.begin_object()
        .member("v", 1)
        .member("until", silence.until.micros)
        .member("by", silence.by);
    out.end_object();
    return out.take();
}

Result<Silence> parse_silence(std::string_view json) {
    return read_json(json, "silence", [](const Json& in) {
        return Silence{{in.at("until").get<int64_t>()}, in.at("by").get<std::string>()};
    });
}

std::string_view to_string(Delivery::State state) {
    switch (state) {
        case Delivery::State::waiting:
            return "waiting";
        case Delivery::State::delivered:
            return "delivered";
        case Delivery::State::failed:
            return "failed";
    }
    return "waiting";
}

std::string to_json(const DeliveryRecord& record) {
    const auto& of = record.delivery;
    codec::JsonWriter out;
    out.begin_object().member("v", 1).member("rule", of.rule).member("type", of.type);
    out.member("key", of.key).member("key_id", record.key_id).member("target", of.target);
    out.member("where", of.where)
        .member("state", to_string(of.state))
        .member("made", of.made.micros);
    if (of.next_attempt) out.member("next", of.next_attempt->micros);
    out.member("count", static_cast<int64_t>(of.attempt_count)).key("attempts").begin_array();
    for (const auto& attempt : of.attempts) {
        out.begin_object().member("at", attempt.at.micros).member("status", attempt.status);
        out.member("answer", attempt.answer).member("ms", attempt.took_ms).end_object();
    }
    out.end_array().member("body", of.body).end_object();
    return out.take();
}

Result<DeliveryRecord> parse_delivery(std::string_view json, std::string id) {
    return read_json(json, "delivery", [&](const Json& in) {
        DeliveryRecord out;
        auto& of = out.delivery;
        of.id = std::move(id);
        of.rule = in.at("rule").get<std::string>();
        of.type = in.at("type").get<std::string>();
        of.key = in.at("key").get<std::string>();
        out.key_id = in.at("key_id").get<std::string>();
        of.target = in.at("target").get<std::string>();
        of.where = in.at("where").get<std::string>();
        const auto state = in.at("state").get<std::string>();
        of.state = state == "delivered" ? Delivery::State::delivered
                   : state == "failed"  ? Delivery::State::failed
                                        : Delivery::State::waiting;
        of.made = {in.at("made").get<int64_t>()};
        of.next_attempt = optional_time(in, "next");
        of.attempt_count = in.at("count").get<uint32_t>();
        for (const auto& attempt : in.at("attempts"))
            of.attempts.push_back({{attempt.at("at").get<int64_t>()},
                                   attempt.at("status").get<int>(),
                                   attempt.at("answer").get<std::string>(),
                                   attempt.at("ms").get<int64_t>()});
        of.body = in.at("body").get<std::string>();
        return out;
    });
}

std::string to_json(const TargetRecord& record) {
    codec::JsonWriter out;
    out.begin_object().member("v", 1).member("disabled", record.disabled);
    out.member("secret", codec::base64_encode(record.sealed_secret)).end_object();
    return out.take();
}

Result<TargetRecord> parse_target(std::string_view json) {
    TARN_TRY(out, read_json(json, "webhook", [](const Json& in) {
                 return TargetRecord{in.at("secret").get<std::string>(),
                                     in.at("disabled").get<std::string>()};
             }));
    TARN_TRY(sealed, codec::base64_decode(out.sealed_secret));
    out.sealed_secret = std::move(sealed);
    return out;
}

std::string webhooks_value(const std::vector<std::string>& targets) {
    codec::JsonWriter out;
    out.begin_object().member("v", 1).key("targets").begin_array();
    for (const auto& target : targets) out.value(target);
    out.end_array().end_object();
    return out.take();
}

Result<std::set<std::string>> parse_webhooks(std::string_view json) {
    return read_json(json, "webhooks of a rule",
                     [](const Json& in) { return in.at("targets").get<std::set<std::string>>(); });
}

std::string rule_value(const std::string& fingerprint) {
    codec::JsonWriter out;
    out.begin_object().member("v", 1).member("fingerprint", fingerprint).end_object();
    return out.take();
}

}  // namespace tarn::events
