// Any bytes as a rule's SQL, a webhook's URL and secret, a key, a record.
#include "events/internal/past.h"
#include "events/internal/records.h"
#include "events/internal/webhook.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::events;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const PastState tables = {{{"main", "t"}, 1}, {{"erp", "s"}, std::nullopt}};
    tables_named(text, tables);
    static_cast<void>(sql_of_the_past(text, tables, {1'750'000'000'000'000}).ok());
    const auto url = parse_webhook_url(text);
    if (url.ok() && url->where.find(url->host) != 0) __builtin_trap();
    static_cast<void>(decode_secret(text).ok());
    canonical_key(text, {"a", "b"});
    static_cast<void>(parse_open(text, "k").ok());
    static_cast<void>(parse_event(text, "r").ok());
    static_cast<void>(parse_silence(text).ok());
    static_cast<void>(parse_delivery(text, "i").ok());
    static_cast<void>(parse_target(text).ok());
    return 0;
}
