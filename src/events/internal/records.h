// The records that alerts keep: keys and JSON, docs/formats/events.md. Lane: any; no I/O.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "events/alerts.h"

namespace tarn::events {

/// Key ids: what an open alert stands under. The key's JSON itself while it is short, else its
/// hash.
inline constexpr std::string_view kSummaryKeyId = "!more";
std::string key_id_of(const std::string& key_json);
/// A key in any spelling of its JSON, with its columns in the order of one_per; nullopt when it is
/// not an object of exactly these.
std::optional<std::string> canonical_key(const std::string& json,
                                         const std::vector<std::string>& one_per);

std::string rule_key(std::string_view rule);                           // er
std::string open_key(std::string_view rule, std::string_view key_id);  // ea
std::string open_prefix(std::string_view rule);
std::string silence_key(std::string_view rule, std::string_view key_id);  // es
std::string silence_prefix(std::string_view rule);
std::string history_sequence(std::string_view rule);                   // eh
std::string delivery_key(std::string_view rule, std::string_view id);  // ed
std::string delivery_prefix(std::string_view rule);
std::string waiting_key(std::string_view id);  // eq: value is the rule
std::string waiting_prefix();
std::string target_key(std::string_view target);  // et
std::string webhooks_key(std::string_view rule);  // ew

/// An open alert; rule and key id stand in its key.
struct OpenRecord {
    std::string id, key, row;
    Timestamp since;
    std::optional<Timestamp> told;
    bool summary() const { return key_id == kSummaryKeyId; }
    std::string key_id;  // not in the value
};
std::string to_json(const OpenRecord& record);
Result<OpenRecord> parse_open(std::string_view json, std::string key_id);

std::string to_json(const AlertEvent& event);
Result<AlertEvent> parse_event(std::string_view json, std::string rule);

struct Silence {
    Timestamp until;
    std::string by;
};
std::string to_json(const Silence& silence);
Result<Silence> parse_silence(std::string_view json);

/// A delivery as it is stored; its id stands in its key.
struct DeliveryRecord {
    Delivery delivery;
    std::string key_id;
};
std::string to_json(const DeliveryRecord& record);
Result<DeliveryRecord> parse_delivery(std::string_view json, std::string id);

/// A webhook: the secret that was made here, sealed, and whether it was switched off.
struct TargetRecord {
    std::string sealed_secret;
    std::string disabled;  // why; empty: used
};
std::string to_json(const TargetRecord& record);
Result<TargetRecord> parse_target(std::string_view json);

/// The webhooks that a rule had when it was configured last, by target.
std::string webhooks_value(const std::vector<std::string>& targets);
Result<std::set<std::string>> parse_webhooks(std::string_view json);

/// A rule as configured: its fingerprint, which every change of its state requires.
std::string rule_value(const std::string& fingerprint);

}  // namespace tarn::events
