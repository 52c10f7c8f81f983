// Any bytes as a rule's SQL, a webhook's URL and secret, a key, a record.
#include "base/fuzz.h"
#include "events/internal/past.h"
#include "events/internal/records.h"
#include "events/internal/webhook.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::events;
    OpenRecord open;
    open.id = "id";
    open.key = R"({"a":1,"b":"x"})";
    open.row = R"({"a":1,"b":"x","c":null})";
    open.told = tarn::Timestamp{5};
    AlertEvent event;
    event.id = "id";
    event.key = open.key;
    DeliveryRecord delivery;
    delivery.delivery.attempts = {{{1}, 503, "busy", 12}};
    delivery.delivery.body = "{}";
    return {
        "select s.a, 'erp.s' from t join erp.s as s on t.a = s.a where at > now() - interval '1 "
        "day' -- t",
        "with t as (select 1) select current_timestamp, localtime, \"t\".x from main.t",
        "https://user:p%40ss@hooks.example.com:8443/a/b?c#d",
        "http://[::1]:80/",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        to_json(open),
        to_json(event),
        to_json(delivery),
        to_json(Silence{{5}, "ann"}),
        to_json(TargetRecord{"sealed", "why"}),
        webhooks_value({"a", "b"}),
        open.key};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::events;
    const std::string text(tarn::fuzz_text(data, size));
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
    static_cast<void>(parse_webhooks(text).ok());
    tarn::net::HttpReply reply;
    reply.status = 503;
    reply.headers = {{"retry-after", text}};
    const auto verdict = judge(reply, {1'750'000'000'000'000});
    static_cast<void>(pause_after({}, 3, verdict, size));
    return 0;
}
