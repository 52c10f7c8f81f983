#include "events/internal/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/internal/past.h"
#include "events/internal/rows.h"

namespace tarn::events {
namespace {

using ::testing::ElementsAre;

constexpr Timestamp kNow{1'000'000};

Found found(std::vector<std::string> keys, bool all = true) {
    Found out;
    out.all = all;
    for (const auto& key : keys) out.rows[key] = {"{\"k\":\"" + key + "\"}", "{\"v\":1}"};
    return out;
}

std::vector<std::string> keys(const std::vector<OpenRecord>& records) {
    std::vector<std::string> out;
    for (const auto& record : records) out.push_back(record.key_id);
    return out;
}

TEST(Changes, open_stay_recover) {
    OpenByKey open;
    auto changes = find_changes(open, found({"a", "b"}), {}, kNow, {});
    EXPECT_THAT(keys(changes.opened), ElementsAre("a", "b"));
    EXPECT_EQ(changes.opened[0].since, kNow);
    EXPECT_EQ(changes.opened[0].told, kNow);
    EXPECT_NE(changes.opened[0].id, changes.opened[1].id);
    apply_changes(changes, open);
    EXPECT_TRUE(find_changes(open, found({"a", "b"}), {}, kNow, {}).empty());
    const std::string id = open.at("a").id;
    changes = find_changes(open, found({"b", "c"}), {}, kNow, {});
    EXPECT_THAT(keys(changes.opened), ElementsAre("c"));
    EXPECT_THAT(keys(changes.recovered), ElementsAre("a"));
    EXPECT_EQ(changes.recovered[0].id, id);
    apply_changes(changes, open);
    EXPECT_EQ(open.size(), 2u);
}

TEST(Changes, silence_holds_back_and_tells_later) {
    OpenByKey open;
    const Silences silences{{"a", {kNow.plus(std::chrono::seconds(10)), "ann"}}};
    auto changes = find_changes(open, found({"a", "b"}), silences, kNow, {});
    EXPECT_EQ(changes.opened[0].told, std::nullopt);
    EXPECT_EQ(changes.opened[1].told, kNow);
    apply_changes(changes, open);
    EXPECT_TRUE(find_changes(open, found({"a", "b"}), silences, kNow, {}).empty());
    const Timestamp later = kNow.plus(std::chrono::seconds(10));
    changes = find_changes(open, found({"a", "b"}), silences, later, {});
    EXPECT_THAT(keys(changes.told), ElementsAre("a"));
    apply_changes(changes, open);
    EXPECT_EQ(open.at("a").told, later);
    EXPECT_TRUE(find_changes(open, found({"a", "b"}), silences, later, {}).empty());
    EXPECT_TRUE(is_silenced({{"", {later, "ann"}}}, "any", kNow)) << "a whole rule";
}

TEST(Changes, a_row_must_stay_before_it_opens_and_stay_away_before_it_recovers) {
    OpenByKey open;
    Patience patience;
    patience.for_at_least = std::chrono::seconds(60);
    patience.recover_after = std::chrono::seconds(120);
    const auto at = [](int seconds) { return kNow.plus(std::chrono::seconds(seconds)); };
    const auto look = [&](std::vector<std::string> rows, int seconds, bool all = true) {
        auto changes = find_changes(open, found(rows, all), {}, at(seconds), {}, &patience);
        apply_changes(changes, open);
        std::string out;
        for (const auto& key : keys(changes.opened))
            if (key != kSummaryKeyId) out += "+" + key;
        for (const auto& key : keys(changes.recovered))
            if (key != kSummaryKeyId) out += "-" + key;
        return out;
    };
    EXPECT_EQ(look({"a", "b"}, 0), "");
    EXPECT_EQ(look({"a"}, 59), "");
    EXPECT_EQ(look({"a", "b"}, 60), "+a") << "b was away: its minute begins anew";
    EXPECT_EQ(look({"b"}, 100), "");
    EXPECT_EQ(look({"a", "b"}, 119), "");
    EXPECT_EQ(look({"a"}, 120), "");
    EXPECT_EQ(look({}, 200), "");
    EXPECT_EQ(look({}, 319), "");
    EXPECT_EQ(look({}, 310, false), "") << "not all was read";
    EXPECT_EQ(look({}, 320), "-a");
    EXPECT_TRUE(patience.here.empty());
    EXPECT_EQ(look({}, 321), "");
    EXPECT_TRUE(patience.gone.empty());
}

TEST(Changes, between_two_thresholds_an_alert_stays_as_it_is) {
    OpenByKey open;
    Patience patience;
    patience.stays = found({"a", "b"});
    auto changes = find_changes(open, found({"a"}), {}, kNow, {}, &patience);
    EXPECT_THAT(keys(changes.opened), ElementsAre("a")) << "b is only above the lower one";
    apply_changes(changes, open);
    EXPECT_TRUE(find_changes(open, found({}), {}, kNow, {}, &patience).empty());
    patience.stays = found({"b"}, false);
    EXPECT_TRUE(find_changes(open, found({}), {}, kNow, {}, &patience).empty());
    patience.stays = found({"b"});
    EXPECT_THAT(keys(find_changes(open, found({}), {}, kNow, {}, &patience).recovered),
                ElementsAre("a"));
}

TEST(Changes, too_many_make_one_summary) {
    OpenByKey open;
    const ChangeLimits limits{2, 1 << 20};
    auto changes = find_changes(open, found({"a", "b", "c", "d"}), {}, kNow, limits);
    EXPECT_THAT(keys(changes.opened), ElementsAre("a", "b", std::string(kSummaryKeyId)));
    EXPECT_EQ(changes.opened[2].row, "{\"more_alerts\":2}");
    apply_changes(changes, open);
    EXPECT_TRUE(find_changes(open, found({"a", "b", "c", "d"}), {}, kNow, limits).empty());
    changes = find_changes(open, found({"b", "c"}), {}, kNow, limits);
    EXPECT_THAT(keys(changes.recovered), ElementsAre("a", std::string(kSummaryKeyId)));
    EXPECT_THAT(keys(changes.opened), ElementsAre("c"));
}

TEST(Changes, a_cut_result_recovers_nobody) {
    OpenByKey open;
    apply_changes(find_changes(open, found({"a", "b"}), {}, kNow, {}), open);
    const auto changes = find_changes(open, found({"b"}, false), {}, kNow, {});
    EXPECT_TRUE(changes.recovered.empty());
    EXPECT_THAT(keys(changes.opened), ElementsAre(std::string(kSummaryKeyId)));
}

TEST(Rows, keys_and_rows_as_json) {
    using query::Kind;
    query::Chunk chunk;
    const std::vector<query::ResultColumn> columns = {
        {"id", Kind::int64},       {"name", Kind::text},  {"p", Kind::float64},
        {"at", Kind::timestamptz}, {"ok", Kind::boolean}, {"d", query::Type::decimal(9, 2)}};
    for (const auto& column : columns) chunk.columns.emplace_back(column.type);
    chunk.columns[0].append_number(7);
    chunk.columns[1].append_text("a \"b\"\n");
    chunk.columns[2].append_real(0.25);
    chunk.columns[3].append_number(1'750'000'000'000'000);
    chunk.columns[4].append_number(1);
    chunk.columns[5].append_number(-150);
    EXPECT_EQ(
        row_json(columns, chunk, 0),
        R"({"id":7,"name":"a \"b\"\n","p":0.25,"at":"2025-06-15T15:06:40.000Z","ok":true,"d":-1.50})");
    for (auto& column : chunk.columns) column.append_null();
    EXPECT_EQ(key_json(columns, chunk, {1, 0}, 1), R"({"name":null,"id":null})");
    EXPECT_EQ(key_json(columns, chunk, {}, 0), "{}");
    EXPECT_FALSE(find_columns(columns, {"nope"}).ok());
    // Long values are cut, but still told apart.
    query::Chunk longs;
    longs.columns.emplace_back(Kind::text);
    longs.columns[0].append_text(std::string(10'000, 'x') + "1");
    longs.columns[0].append_text(std::string(10'000, 'x') + "2");
    const std::vector<query::ResultColumn> one = {{"k", Kind::text}};
    EXPECT_LT(key_json(one, longs, {0}, 0).size(), 2000u);
    EXPECT_NE(key_json(one, longs, {0}, 0), key_json(one, longs, {0}, 1));
    EXPECT_LT(row_json(one, longs, 0).size(), 1100u);
    EXPECT_EQ(key_id_of("{\"k\":1}"), "{\"k\":1}");
    EXPECT_EQ(key_id_of(std::string(600, 'x')).size(), 65u);
    EXPECT_EQ(canonical_key(R"({ "b" : "é", "a":7 })", {"a", "b"}), R"({"a":7,"b":"é"})");
    for (const char* bad :
         {"", "7", "{}", R"({"a":1})", R"({"a":1,"c":2})", R"({"a":1,"b":2,"c":3})"})
        EXPECT_FALSE(canonical_key(bad, {"a", "b"})) << bad;
}

TEST(Past, rewrites_tables_and_the_clock) {
    const PastState tables = {{{"main", "risk"}, 5}, {{"erp", "sales"}, std::nullopt}};
    const Timestamp at = *parse_time("2026-11-20T17:30:00Z");
    const auto sql = [&](const std::string& text) { return *sql_of_the_past(text, tables, at); };
    const std::string with =
        R"(WITH "sales" AS (SELECT * FROM "erp"."sales" WHERE false), "risk" AS (SELECT * FROM "main"."risk" AT (VERSION => 5)) SELECT * FROM ()";
    EXPECT_EQ(sql("select * from risk r where r.p > 0.8;"),
              with + "select * from risk r where r.p > 0.8\n) AS past");
    EXPECT_EQ(
        sql("select erp.sales.x, 'erp.sales' from Erp.\"sales\", lake.main.risk -- erp.sales"),
        with + "select \"sales\".x, 'erp.sales' from \"sales\", \"risk\" -- erp.sales\n) AS past");
    EXPECT_EQ(sql("select 1 from risk where at < now( ) - interval 1 day and d = current_date"),
              with +
                  "select 1 from risk where at < (TIMESTAMPTZ '2026-11-20 17:30:00.000+00') - "
                  "interval 1 day and d = "
                  "((TIMESTAMPTZ '2026-11-20 17:30:00.000+00')::DATE)\n) AS past");
    EXPECT_EQ(tables_named("select * from risk", tables).size(), 1u);
    EXPECT_EQ(tables_named("select * from erp.sales, risk", tables).size(), 2u);
    EXPECT_EQ(tables_named("select 'risk', \"x\" from a_view /* risk */", tables).size(), 0u);
    EXPECT_FALSE(sql_of_the_past("", {{{"a", "t"}, 1}, {{"b", "t"}, 1}}, at).ok());
    for (const char* odd :
         {"'", "\"", "$$", "$a$ x", "/*", "--", ".", "a.", "1e5.x", "\"a\"\"", "now("})
        EXPECT_TRUE(sql_of_the_past(odd, tables, at).ok()) << odd;
}

}  // namespace
}  // namespace tarn::events
