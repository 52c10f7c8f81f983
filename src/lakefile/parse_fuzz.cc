#include "lakefile/lakefile.h"

#include <cstdlib>
#include "base/fuzz.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {R"(lake: l
timezone: America/Bogota
sources:
  erp: {postgres: "${secret:url}", tables: [a, b], follow: changes, limits: {connections: 3, retained_wal: 10GB}}
  m:
    mqtt: s/{store}/#
    columns: {store: int, at: timestamptz, grams: double}
    key: [store, at]
    commit: 1s
    late: 60d
  f: {folder: /drop/*.csv, csv: {delimiter: ";", decimal: ",", encoding: latin1}, key: [day], bad_rows: set_aside}
tables:
  t:
    key: [a]
    refresh: {every: 30s, window: 7d}
    partition: month(day)
    sql: |
      select a, day from m
    checks: {units between 0 and 500: set_aside, unique(key): stop}
  u: {sql: a.sql, refresh: on_change}
)",
            R"(models:
  demand:
    forecast: {of: t.units, per: [store], ahead: 14d}
    features: [promo, calendar(CO)]
    lost_sales: t.units = 0
    parameters: {trees: 80, eta: 0.1}
    retrain: {every: monday 03:00, promote_if: beats seasonal_naive}
  risk: {stock_out: {on_hand: t.units, demand: demand, incoming: erp.d}, refresh: on_change}
alerts:
  a: {when: select 1 as k, while: select 2 as k, one_per: [k], to: [{url: "${secret:hook}", secret: "${secret:key}", allow_private: true}]}
dashboards:
  d: {title: D, filters: [store], charts: [{title: N, number: count(*), from: t, where: a > 0}, {title: L, line: [a, b], by: day, from: t}]}
roles:
  r: {read: {t: all, erp.c: {hide: [x], rows: region = user.region, mask: {y: "null"}}}, silence: [a]}
)",
            "lake: &a x\nb: *a\n",
            "lake: 'x'\n\"k\": >-\n  folded\n  text\nsources: {a: [1, {b: ~}]}\n"};
}

// Whatever the text: no crash, bounded problems, and what parses is the same after a round through
// its records.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::lakefile;
    const auto secrets = [](const std::string& name) {
        return name == "none" ? std::nullopt
                              : std::optional<std::string>("https://secret.example/" + name);
    };
    Text text;
    text.text = tarn::fuzz_text(data, size);
    text.folder = "/fuzz";
    text.files = {{"a.sql", "select 1"}};
    (void)files_named(text.text);
    const Parsed parsed = parse(text, secrets);
    if (parsed.problems.size() > 200) std::abort();
    (void)describe(parsed.problems, "fuzz.yaml");
    if (!parsed.ok()) return 0;
    const Parsed again =
        restore(parsed.lakefile.name, parsed.lakefile.timezone, parsed.lakefile.items, secrets);
    if (!again.ok() || again.lakefile.items.size() != parsed.lakefile.items.size()) std::abort();
    if (again.lakefile.sources != parsed.lakefile.sources ||
        again.lakefile.tables != parsed.lakefile.tables ||
        again.lakefile.roles != parsed.lakefile.roles)
        std::abort();
    return 0;
}
