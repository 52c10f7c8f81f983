#include <gtest/gtest.h>

#include <random>

#include "lakefile/keys.h"
#include "lakefile/lakefile.h"

namespace tarn::lakefile {
namespace {

std::optional<std::string> known(const std::string& name) {
    if (name == "shop_url") return "postgresql://shop:pass@127.0.0.1/shop";
    if (name == "hook") return "https://hooks.example.com/a";
    return std::nullopt;
}

Text text_of(std::string yaml, std::map<std::string, std::string> files = {}) {
    return {std::move(yaml), "lake.yaml", "/srv/bakery", std::move(files)};
}

/// "line:column where: message" of the first problem; empty when there is none.
std::string first_problem(const std::string& yaml, std::map<std::string, std::string> files = {}) {
    const Parsed parsed = parse(text_of(yaml, std::move(files)), known);
    if (parsed.ok()) return {};
    const Problem& first = parsed.problems[0];
    return std::to_string(first.line) + ":" + std::to_string(first.column) + " " + first.where +
           ": " + first.message;
}

constexpr const char* kBakery = R"(lake: bakery
timezone: Europe/Berlin
sources:
  shop:
    postgres: ${secret:shop_url}
    tables: [branches, orders]
    follow: {every: 10m, by: changed_at}
    limits: {connections: 4}
    measures: {orders.turnover: sum(total)}
    fresh: {orders: 20m}
  ovens:
    mqtt: branches/{branch_id}/ovens/{oven_id}
    columns: {branch_id: int, seq: bigint, measured: timestamptz, degrees: double}
    key: [oven_id, seq]
    commit: 500ms
    late: 2d
    measures: {hottest: max(degrees)}
    fresh: 5m
  prices:
    folder: in/prices/*.csv
    csv: {delimiter: ";", decimal: ",", encoding: latin1, header: true}
    columns: {day: date}
    key: [day, product]
    new_columns: refuse
    bad_rows: refuse_file
tables:
  hot:
    key: [oven_id, measured]
    refresh: on_change
    sql: |
      select oven_id, measured, degrees
      from ovens where degrees > 200;
    checks:
      degrees between 0 and 400: set_aside
      newest(measured) within 10m: warn
      sum(degrees) = (select sum(degrees) from ovens): stop
  daily:
    key: [day, branch_id]
    refresh: {every: day 02:30, window: 7d}
    partition: month(day)
    sql: sql/daily.sql
models:
  demand:
    forecast: {of: daily.sold, per: [branch_id], ahead: 10d}
    features: [price, calendar(DE)]
    lost_sales: hot.degrees < 20 and hot.oven_id > 0
    retrain: {every: sunday 23:15, promote_if: beats naive}
    back_test: {rounds: 3, metric: mape}
    parameters: {max_depth: 6}
  risk:
    stock_out: {on_hand: shop.stock.units, demand: demand, horizon: 12h}
    refresh: {every: 15m}
alerts:
  runs_out:
    when: select * from risk where p_empty > 0.8
    while: select * from risk where p_empty > 0.6
    for: 5m
    recover_after: 10m
    one_per: [branch_id]
    to: ["${secret:hook}", {url: "${secret:hook}", allow_private: true}]
    recovery: false
dashboards:
  shop:
    title: The shop
    filters: [branch_id]
    charts:
      - {title: At risk, number: count(*), from: risk, where: p_empty > 0.8}
      - {title: Sold, line: [sold, demand], by: day, from: daily}
roles:
  baker:
    read:
      daily: {rows: branch_id = user.branch}
      shop.orders: {hide: [customer], masks: {total: "0"}}
    write: {notes: [insert, update]}
    silence: [runs_out]
  boss: {read: all}
)";

TEST(Parse, WholeLakefile) {
    const Parsed parsed = parse(text_of(kBakery, {{"sql/daily.sql", "select 1 as day\n"}}), known);
    ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, "lake.yaml");
    const Lakefile& lake = parsed.lakefile;
    EXPECT_EQ(lake.name, "bakery");
    EXPECT_EQ(lake.timezone, "Europe/Berlin");
    ASSERT_EQ(lake.sources.size(), 3u);
    const auto& shop = std::get<ingest::PostgresSource>(lake.sources[0].from);
    EXPECT_EQ(shop.url, "postgresql://shop:pass@127.0.0.1/shop");
    EXPECT_EQ(shop.follow, ingest::PostgresSource::Follow::incremental);
    EXPECT_EQ(shop.every, std::chrono::minutes(10));
    EXPECT_EQ(shop.connections_max, 4);
    const auto& ovens = std::get<ingest::MqttSource>(lake.sources[1].from);
    ASSERT_EQ(ovens.columns.size(), 4u);
    EXPECT_EQ(ovens.columns[1].name, "seq");
    EXPECT_EQ(ovens.columns[1].type, query::Type(query::Kind::int64));
    EXPECT_EQ(ovens.commit, std::chrono::milliseconds(500));
    EXPECT_EQ(ovens.late, std::chrono::hours(48));
    const auto& prices = std::get<ingest::FolderSource>(lake.sources[2].from);
    EXPECT_EQ(prices.path, "/srv/bakery/in/prices/*.csv");
    EXPECT_EQ(prices.csv.delimiter, ';');
    EXPECT_EQ(prices.csv.encoding, "latin1");
    EXPECT_EQ(prices.new_columns, ingest::FolderSource::NewColumns::refuse);
    EXPECT_EQ(prices.bad_rows, ingest::FolderSource::BadRows::refuse_file);
    ASSERT_EQ(lake.tables.size(), 2u);
    EXPECT_EQ(lake.tables[0].sql,
              "select oven_id, measured, degrees\nfrom ovens where degrees > 200");
    ASSERT_EQ(lake.tables[0].checks.size(), 3u);
    EXPECT_EQ(lake.tables[0].checks[0].consequence, flows::Consequence::set_aside);
    EXPECT_EQ(lake.tables[0].checks[2].expression,
              "sum(degrees) = (select sum(degrees) from ovens)");
    EXPECT_EQ(lake.tables[1].sql, "select 1 as day");
    EXPECT_EQ(lake.tables[1].refresh.kind, flows::Refresh::Kind::daily);
    EXPECT_EQ(lake.tables[1].refresh.minute_of_day, 150);
    EXPECT_EQ(lake.tables[1].refresh.window, std::chrono::hours(168));
    ASSERT_EQ(lake.forecasts.size(), 1u);
    const auto& demand = lake.forecasts[0];
    EXPECT_EQ(demand.of.full_name() + "." + demand.measure, "main.daily.sold");
    EXPECT_EQ(demand.ahead, 10);
    EXPECT_EQ(demand.calendar, "DE");
    EXPECT_EQ(demand.features, std::vector<std::string>{"price"});
    EXPECT_EQ(demand.lost_sales_table.full_name(), "main.hot");
    EXPECT_EQ(demand.lost_sales_when, "degrees < 20 and oven_id > 0");
    EXPECT_EQ(demand.retrain.weekday, 7);
    EXPECT_EQ(demand.promote_if, models::ForecastSpec::Promote::beats_naive);
    EXPECT_EQ(demand.back_test.rounds, 3);
    EXPECT_EQ(demand.back_test.stride, 7);
    EXPECT_EQ(demand.parameters.at("max_depth"), "6");
    ASSERT_EQ(lake.stock_outs.size(), 1u);
    EXPECT_EQ(lake.stock_outs[0].on_hand.full_name(), "shop.stock");
    EXPECT_EQ(lake.stock_outs[0].horizon, std::chrono::hours(12));
    ASSERT_EQ(lake.alerts.size(), 1u);
    EXPECT_EQ(lake.alerts[0].to[0].url, "https://hooks.example.com/a");
    EXPECT_TRUE(lake.alerts[0].to[1].allow_private);
    EXPECT_FALSE(lake.alerts[0].tell_recovery);
    EXPECT_EQ(lake.alerts[0].stays, "select * from risk where p_empty > 0.6");
    EXPECT_EQ(lake.alerts[0].for_at_least, std::chrono::minutes(5));
    EXPECT_EQ(lake.alerts[0].recover_after, std::chrono::minutes(10));
    ASSERT_EQ(lake.dashboards.size(), 1u);
    EXPECT_EQ(lake.measures, (dashboards::Measures{{"shop.orders", {{"turnover", "sum(total)"}}}, {"main.ovens", {{"hottest", "max(degrees)"}}}}));
    EXPECT_EQ(lake.fresh, (std::map<std::string, std::chrono::seconds>{{"shop.orders", std::chrono::minutes(20)}, {"main.ovens", std::chrono::minutes(5)}}));
    EXPECT_EQ(lake.dashboards[0].charts[1].measures, (std::vector<std::string>{"sold", "demand"}));
    ASSERT_EQ(lake.roles.size(), 2u);
    EXPECT_EQ(lake.roles[0].grants.at("main.daily").rows, "branch_id = user.branch");
    EXPECT_EQ(lake.roles[0].grants.at("shop.orders").hide, std::vector<std::string>{"customer"});
    EXPECT_TRUE(lake.roles[0].grants.at("main.notes").insert);
    EXPECT_FALSE(lake.roles[0].grants.at("main.notes").read);
    EXPECT_TRUE(lake.roles[1].grants.at("*").read);
}

TEST(Parse, WhatIsAppliedComesBackTheSame) {
    const Text text = text_of(kBakery, {{"sql/daily.sql", "select 1 as day\n"}});
    const Parsed first = parse(text, known);
    const Parsed again = restore("bakery", "Europe/Berlin", first.lakefile.items, known);
    ASSERT_TRUE(again.ok()) << describe(again.problems, "records");
    EXPECT_EQ(again.lakefile.sources, first.lakefile.sources);
    EXPECT_EQ(again.lakefile.tables, first.lakefile.tables);
    EXPECT_EQ(again.lakefile.forecasts, first.lakefile.forecasts);
    EXPECT_EQ(again.lakefile.stock_outs, first.lakefile.stock_outs);
    EXPECT_EQ(again.lakefile.alerts, first.lakefile.alerts);
    EXPECT_EQ(again.lakefile.dashboards, first.lakefile.dashboards);
    EXPECT_EQ(again.lakefile.roles, first.lakefile.roles);
    for (size_t i = 0; i < first.lakefile.items.size(); ++i) {
        EXPECT_EQ(again.lakefile.items[i].definition, first.lakefile.items[i].definition);
        EXPECT_EQ(again.lakefile.items[i].definition.find("pass@"), std::string::npos)
            << "a record holds a secret";
    }
}

TEST(Parse, FilesNamed) {
    EXPECT_EQ(files_named(kBakery), std::vector<std::string>{"sql/daily.sql"});
    EXPECT_TRUE(files_named("not: [a lakefile").empty());
}

struct Wrong {
    const char* name;
    const char* yaml;
    const char* where;    // "line:column path"
    const char* message;  // part of it
};

class WrongLakefile : public testing::TestWithParam<Wrong> {};

TEST_P(WrongLakefile, IsRefusedAtItsPlace) {
    const std::string found = first_problem(GetParam().yaml);
    EXPECT_TRUE(found.starts_with(std::string(GetParam().where) + ": ")) << found;
    EXPECT_NE(found.find(GetParam().message), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, WrongLakefile,
    testing::Values(
        Wrong{"empty", "", "1:1 ", "empty"}, Wrong{"not_a_map", "- a\n", "1:1 ", "a map of keys"},
        Wrong{"no_name", "timezone: UTC\n", "1:1 ", "'lake' is missing"},
        Wrong{"name_of_lake", "lake: Big Lake\n", "1:7 lake", "no name"},
        Wrong{"timezone", "lake: a\ntimezone: Mars/Olympus\n", "2:11 timezone", "no time zone"},
        Wrong{"misspelt_section", "lake: a\nsourcs: {}\n", "2:1 sourcs", "did you mean 'sources'"},
        Wrong{"unknown_section", "lake: a\nzebra: {}\n", "2:1 zebra",
              "there are lake, timezone, sources"},
        Wrong{"measure_of_no_table", "lake: a\nsources:\n  erp:\n    postgres: postgres://h/d\n    measures: {turnover: sum(x)}\n", "5:26 sources.erp.measures", "sales.turnover"},
        Wrong{"misspelt_key", "lake: a\ntables:\n  t:\n    sql: select 1\n    refesh: on_change\n",
              "5:5 tables.t.refesh", "did you mean 'refresh'"},
        Wrong{"article", "lake: a\nalerts:\n  hot: {when: select 1, key: a}\n", "3:25 alerts.hot.key", "an alert has no key 'key'"},
        Wrong{"twice", "lake: a\ntables:\n  t: {sql: select 1}\n  t: {sql: select 2}\n", "4:3 t",
              "stands twice"},
        Wrong{"tab", "lake: a\ntables:\n\tt: 1\n", "3:1 ", "a tab"},
        Wrong{"anchor", "lake: &x a\n", "1:7 ", "anchors and aliases"},
        Wrong{"alias", "lake: a\ntables: *x\n", "2:9 ", ""},
        Wrong{"tag", "lake: !!str a\n", "1:7 ", "tags"},
        Wrong{"two_documents", "lake: a\n---\nlake: b\n", "1:1 ", "more than one document"},
        Wrong{"not_yaml", "lake: [a\n", "2:1 ", "not YAML"},
        Wrong{"nothing_there", "lake: a\ntables:\n  t: {sql: }\n", "3:12 tables.t.sql",
              "nothing stands here"},
        Wrong{"capital_name", "lake: a\ntables:\n  Levels: {sql: select 1}\n", "3:3 tables.Levels",
              "lower-case"},
        Wrong{"required", "lake: a\ntables:\n  t: {key: [a]}\n", "3:6 tables.t",
              "'sql' is missing"},
        Wrong{"list_wanted", "lake: a\ntables:\n  t: {sql: select 1, key: a}\n",
              "3:27 tables.t.key", "a list belongs"},
        Wrong{"single_wanted", "lake: a\ntables:\n  t: {sql: [select 1]}\n", "3:12 tables.t.sql",
              "single value"},
        Wrong{"twice_in_list", "lake: a\ntables:\n  t: {sql: select 1, key: [a, a]}\n",
              "3:31 tables.t.key", "twice"},
        Wrong{"yaml_word", "lake: a\nalerts:\n  x: {when: select 1, recovery: no}\n",
              "3:33 alerts.x.recovery", "write true or false"},
        Wrong{"yaml_word_in_text", "lake: a\ntables:\n  t: {sql: select 1, description: off}\n",
              "3:35 tables.t.description", "quotes"},
        Wrong{"truth", "lake: a\nalerts:\n  x: {when: select 1, recovery: 1}\n",
              "3:33 alerts.x.recovery", "true or false"},
        Wrong{"no_unit", "lake: a\nalerts:\n  x: {when: select 1, check_every: 60}\n",
              "3:36 alerts.x.check_every", "unit"},
        Wrong{"schedule",
              "lake: a\ntables:\n  t: {sql: select 1, refresh: {every: funday 03:00}}\n",
              "3:39 tables.t.refresh.every", "monday 03:00"},
        Wrong{"time_of_day",
              "lake: a\ntables:\n  t: {sql: select 1, refresh: {every: day 24:00}}\n",
              "3:39 tables.t.refresh.every", "no schedule"},
        Wrong{"choice", "lake: a\ntables:\n  t: {sql: select 1, refresh: on_chnage}\n",
              "3:31 tables.t.refresh", "did you mean 'on_change'"},
        Wrong{"window_without_key",
              "lake: a\ntables:\n  t: {sql: select 1, refresh: {every: 1h, window: 7d}}\n",
              "3:31 tables.t.refresh", "needs a key"},
        Wrong{"consequence",
              "lake: a\ntables:\n  t:\n    sql: select 1\n    checks: {a > 1: ignore}\n",
              "5:21 tables.t.checks.a > 1", "stop, set_aside or warn"},
        Wrong{"sql_file", "lake: a\ntables:\n  t: {sql: sql/t.sql}\n", "3:12 tables.t.sql",
              "no file sql/t.sql"},
        Wrong{"secret_in_sql", "lake: a\ntables:\n  t: {sql: \"select '${secret:hook}'\"}\n",
              "3:12 tables.t.sql", "a secret cannot stand here"},
        Wrong{"variable", "lake: a\nsources:\n  e: {folder: \"${HOME}/*.csv\"}\n",
              "3:15 sources.e.folder", "no variables"},
        Wrong{"missing_secret", "lake: a\nsources:\n  e: {postgres: \"${secret:other_url}\"}\n",
              "3:17 sources.e.postgres", "tarn secrets set other_url"},
        Wrong{"broken_reference", "lake: a\nsources:\n  e: {postgres: \"${shop_url}\"}\n",
              "3:17 sources.e.postgres", "secret:name"},
        Wrong{"no_marker", "lake: a\nsources:\n  e: {tables: [a]}\n", "3:6 sources.e",
              "postgres, mqtt or folder"},
        Wrong{"misspelt_marker", "lake: a\nsources:\n  e: {postgre: x}\n", "3:6 sources.e",
              "did you mean 'postgres'"},
        Wrong{"two_markers", "lake: a\nsources:\n  e: {mqtt: a, folder: b}\n", "3:6 sources.e",
              "exclude each other"},
        Wrong{"key_of_another", "lake: a\nsources:\n  e: {folder: /a/*.csv, topic: b}\n",
              "3:25 sources.e.topic", "no key 'topic'"},
        Wrong{
            "follow_changes",
            "lake: a\nsources:\n  e:\n    postgres: \"${secret:shop_url}\"\n    follow: change\n",
            "5:13 sources.e.follow", "did you mean 'changes'"},
        Wrong{"retained_wal",
              "lake: a\nsources:\n  e:\n    postgres: \"${secret:shop_url}\"\n    limits: "
              "{retained_wal: {limit: 5GB, above: drop}}\n",
              "5:48 sources.e.limits.retained_wal.above", "not one of"},
        Wrong{"column_type", "lake: a\nsources:\n  e: {mqtt: a/b, columns: {x: bigit}}\n",
              "3:31 sources.e.columns.x", "no type"},
        Wrong{"key_column",
              "lake: a\nsources:\n  e: {mqtt: \"a/{dev}\", columns: {seq: int}, key: [sec]}\n",
              "3:51 sources.e.key", "did you mean 'seq'"},
        Wrong{"delimiter", "lake: a\nsources:\n  e: {folder: /a/*.csv, csv: {delimiter: ;;}}\n",
              "3:42 sources.e.csv.delimiter", "one character"},
        Wrong{"same_table",
              "lake: a\nsources:\n  t: {folder: /a/*.csv}\ntables:\n  t: {sql: select 1}\n",
              "5:3 tables.t", "made by sources.t too"},
        Wrong{"table_of_source",
              "lake: a\nsources:\n  e: {postgres: \"${secret:shop_url}\"}\ntables:\n  e.x: {sql: "
              "select 1}\n",
              "5:3 tables.e.x", "made by sources.e too"},
        Wrong{"two_charts",
              "lake: a\ndashboards:\n  d:\n    charts:\n      - {title: a, number: count(*), bar: "
              "x, from: t}\n",
              "5:9 dashboards.d.charts", "is one of"},
        Wrong{"silence", "lake: a\nroles:\n  r: {silence: [nothing]}\n", "3:3 roles.r.silence",
              "no alert 'nothing'"},
        Wrong{"columns_and_hide", "lake: a\nroles:\n  r: {read: {t: {columns: [a], hide: [b]}}}\n",
              "3:17 roles.r.read.t", "not both"},
        Wrong{"database_as_table",
              "lake: a\nsources:\n  e: {postgres: \"${secret:shop_url}\"}\nroles:\n  r: {read: {e: "
              "{}}}\n",
              "5:3 roles.r", "write e.*"},
        Wrong{"was_still_there",
              "lake: a\ntables:\n  t: {sql: select 1, was: u}\n  u: {sql: select 1}\n",
              "3:3 tables.t", "still declared"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Parse, AllProblemsAtOnceInOrder) {
    const Parsed parsed = parse(text_of("lake: a\ntables:\n  t: {sqll: select 1}\n  u: {sql: "
                                        "select 1, refresh: often}\nalerts:\n  x: {when: select 1, "
                                        "check_every: 5}\n"),
                                known);
    ASSERT_EQ(parsed.problems.size(), 4u) << describe(parsed.problems, "f");
    for (size_t i = 1; i < parsed.problems.size(); ++i)
        EXPECT_LE(parsed.problems[i - 1].line, parsed.problems[i].line);
}

TEST(Parse, BoundedDepthAndSize) {
    EXPECT_NE(first_problem("lake: a\ntables: " + std::string(5000, '[')), "");
    EXPECT_NE(first_problem("lake: a\ntables: " + std::string(5000, '{')), "");
    EXPECT_NE(first_problem("lake: a\n#" + std::string(2 << 20, 'x')).find("1 MiB"),
              std::string::npos);
    EXPECT_NE(first_problem(std::string("lake: a\0b\n", 10)).find("1:8 : not a text"),
              std::string::npos);
}

/// The defaults that the table of keys tells are those that the specs have.
TEST(Keys, DefaultsAreTrue) {
    for (const auto& section : sections())
        for (const auto& variant : section.variants) {
            std::string least = "lake: a\n" + std::string(section.name) + ":\n  x:\n", full;
            for (const auto& key : variant.object->keys)
                if (key.required)
                    least += "    " + std::string(key.name) + ": " + key.example + "\n";
            if (least.ends_with("x:\n")) continue;  // a role may be empty, and has no defaults
            full = least;
            for (const auto& key : variant.object->keys)
                if (*key.otherwise != 0)
                    full += "    " + std::string(key.name) + ": " + key.otherwise + "\n";
            const auto any = [](const std::string&) {
                return std::optional<std::string>("https://a.example/");
            };
            const std::map<std::string, std::string> files = {{"sql/daily_sales.sql", "select 1"}};
            const Parsed a = parse(text_of(least, files), any),
                         b = parse(text_of(full, files), any);
            ASSERT_TRUE(a.ok()) << describe(a.problems, variant.object->name) << least;
            ASSERT_TRUE(b.ok()) << describe(b.problems, variant.object->name) << full;
            EXPECT_EQ(a.lakefile.sources, b.lakefile.sources) << full;
            EXPECT_EQ(a.lakefile.tables, b.lakefile.tables) << full;
            EXPECT_EQ(a.lakefile.forecasts, b.lakefile.forecasts) << full;
            EXPECT_EQ(a.lakefile.stock_outs, b.lakefile.stock_outs) << full;
            EXPECT_EQ(a.lakefile.alerts, b.lakefile.alerts) << full;
        }
}

/// Every example of the table parses where it stands.
TEST(Keys, ExamplesAreTrue) {
    for (const auto& section : sections())
        for (const auto& variant : section.variants)
            for (const auto& key : variant.object->keys) {
                std::string yaml = "lake: a\n" + std::string(section.name) + ":\n  x:\n";
                for (const auto& other : variant.object->keys)
                    if (other.required || &other == &key)
                        yaml += "    " + std::string(other.name) + ": " + other.example + "\n";
                if (std::string(key.name) == "refresh" && variant.object->find("key") != nullptr)
                    yaml += "    key: [day]\n";
                if (std::string(key.name) == "silence" || section.name == std::string("dashboards"))
                    continue;
                const auto any = [](const std::string&) {
                    return std::optional<std::string>("https://a.example/");
                };
                const Parsed parsed =
                    parse(text_of(yaml, {{"sql/daily_sales.sql", "select 1"},
                                         {"sql/promotions_ahead.sql", "select 1"}}),
                          any);
                EXPECT_TRUE(parsed.ok()) << describe(parsed.problems, "x") << "\n" << yaml;
            }
}

/// Damaged texts: no crash, and what still parses comes back from its records the same.
TEST(Parse, DamagedTexts) {
    std::mt19937 random(20'261'121);
    const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
    const std::string pieces[] = {
        "{", "}",   "[",  "]",         ": ", "- ", "\n",   "  ", "\"",   "'",
        "|", "&a ", "*a", "${secret:", "no", "~",  "!!x ", "#",  "\xff", "."};
    int parsed_well = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string yaml = kBakery;
        for (size_t change = 0; change <= below(3); ++change) {
            const size_t at = below(yaml.size());
            if (below(2) == 0)
                yaml.erase(at, 1 + below(20));
            else
                yaml.insert(at, pieces[below(std::size(pieces))]);
        }
        const Parsed parsed = parse(text_of(yaml, {{"sql/daily.sql", "select 1"}}), known);
        if (!parsed.ok()) continue;
        ++parsed_well;
        const Parsed again = restore("bakery", "UTC", parsed.lakefile.items, known);
        ASSERT_TRUE(again.ok()) << describe(again.problems, "records") << yaml;
        ASSERT_EQ(again.lakefile.tables, parsed.lakefile.tables) << yaml;
        ASSERT_EQ(again.lakefile.sources, parsed.lakefile.sources) << yaml;
    }
    EXPECT_GT(parsed_well, 100);
}

TEST(Nearest, OnlyWhatIsNear) {
    EXPECT_EQ(nearest("refesh", {"sql", "refresh", "key"}), "refresh");
    EXPECT_EQ(nearest("qsl", {"sql", "key"}), "sql");
    EXPECT_EQ(nearest("elephant", {"sql", "refresh"}), "");
}

}  // namespace
}  // namespace tarn::lakefile
