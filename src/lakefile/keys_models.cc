// Keys of models, alerts, dashboards and roles.
#include "lakefile/internal/keys_parts.h"

namespace tarn::lakefile {
namespace {

const ObjectInfo& forecast_of_object() {
    static const ObjectInfo object = {
        "forecast",
        "what is forecast",
        "forecast-of",
        {{.name = "of",
          .help = "table.column: the measure",
          .example = "daily_sales.units",
          .form = Form::column,
          .required = true},
         {.name = "per",
          .help = "key columns of that table, without the time",
          .example = "[store_id, product_id]",
          .many = Many::list,
          .form = Form::name,
          .required = true},
         {.name = "ahead",
          .help = "so many steps beyond the newest: days of a date (14d), or a number",
          .example = "14d",
          .form = Form::steps,
          .otherwise = "14"},
         {.name = "time",
          .help = "its time column; without it the only one",
          .example = "day",
          .form = Form::name}}};
    return object;
}

const ObjectInfo& retrain_object() {
    static const ObjectInfo object = {
        "retrain",
        "when a new model is made, and when it takes the old one's place",
        "retrain",
        {{.name = "every",
          .help = "a pace, a time of day, or a weekday and time",
          .example = "monday 03:00",
          .form = Form::schedule,
          .required = true},
         {.name = "promote_if",
          .help = "the new version is used when it is better in the back-test",
          .example = "beats seasonal_naive",
          .form = Form::choice,
          .choices = {"beats seasonal_naive", "beats naive", "always"},
          .otherwise = "beats seasonal_naive"}}};
    return object;
}

const ObjectInfo& back_test_object() {
    static const ObjectInfo object = {
        "back_test",
        "Forecasts made as of past moments, judged by what came. Rolling origin.",
        "back-test",
        {{.name = "rounds",
          .help = "how many origins",
          .example = "4",
          .form = Form::whole,
          .otherwise = "4"},
         {.name = "stride",
          .help = "steps between origins",
          .example = "7",
          .form = Form::whole,
          .otherwise = "7"},
         {.name = "first_origin",
          .help = "of a whole-number time: the last step trained on in round 1",
          .example = "135",
          .form = Form::whole},
         {.name = "from_step",
          .help = "first step ahead that is judged",
          .example = "1",
          .form = Form::whole,
          .otherwise = "1"},
         {.name = "to_step",
          .help = "last step ahead that is judged",
          .example = "7",
          .form = Form::whole,
          .otherwise = "7"},
         {.name = "metric",
          .help = "how errors are summed up",
          .example = "mape",
          .form = Form::choice,
          .choices = {"wape", "mape"},
          .otherwise = "wape"}}};
    return object;
}

}  // namespace

const ObjectInfo& forecast_model() {
    static const ObjectInfo object = {
        "forecast",
        "A forecast as a table: the mean and the 10, 50 and 90 % quantiles per key and step.",
        "forecast-model",
        {{.name = "forecast",
          .help = "what is forecast",
          .example = "{of: daily_sales.units, per: [store_id], ahead: 14d}",
          .form = Form::none,
          .object = &forecast_of_object(),
          .required = true},
         {.name = "features",
          .help = "columns of the table that are known ahead, and calendar(COUNTRY)",
          .example = "[promo, calendar(CO)]",
          .many = Many::list},
         {.name = "future",
          .help =
              "SELECT of key, time and feature columns for the times to come; without it the last "
              "known values go on",
          .example = "sql/promotions_ahead.sql",
          .form = Form::sql},
         {.name = "lost_sales",
          .help =
              "table.column and a condition: when nothing could be sold, which is not low demand",
          .example = "levels.units = 0"},
         {.name = "season",
          .help = "steps of the seasonal naive forecast: 7 for days, 52 for weeks",
          .example = "7",
          .form = Form::whole,
          .otherwise = "7"},
         {.name = "retrain",
          .help = "when a new model is made; without it once",
          .example = "{every: monday 03:00}",
          .form = Form::choice,
          .choices = {"manual", "on_change"},
          .object = &retrain_object(),
          .otherwise = "manual"},
         {.name = "back_test",
          .help = "how it is judged",
          .example = "{rounds: 4, metric: wape}",
          .form = Form::none,
          .object = &back_test_object()},
         {.name = "parameters",
          .help = "XGBoost's own",
          .example = "{max_depth: 8}",
          .many = Many::map},
         was_key(Form::table)}};
    return object;
}

namespace {

const ObjectInfo& stock_out_of_object() {
    static const ObjectInfo object = {
        "stock_out",
        "what is scored",
        "stock-out-of",
        {{.name = "on_hand",
          .help = "table.column: the stock, newest row per place",
          .example = "levels.units",
          .form = Form::column,
          .required = true},
         {.name = "demand",
          .help = "a forecast of this lakefile, or a table like its output",
          .example = "demand",
          .form = Form::table,
          .required = true},
         {.name = "incoming",
          .help = "table of deliveries",
          .example = "erp.deliveries",
          .form = Form::table},
         {.name = "place",
          .help = "column that names the place; without it the first of the key",
          .example = "shelf_id",
          .form = Form::name},
         {.name = "read_at",
          .help = "time of the stock; without it the only timestamptz",
          .example = "read_at",
          .form = Form::name},
         {.name = "horizon",
          .help = "how far ahead when no delivery is due",
          .example = "48h",
          .form = Form::duration,
          .otherwise = "48h"},
         {.name = "silent_after",
          .help = "no reading for so long: silent, which is not empty",
          .example = "3h",
          .form = Form::duration,
          .otherwise = "3h"}}};
    return object;
}

const ObjectInfo& pace_object() {
    static const ObjectInfo object = {"pace",
                                      "runs at a pace or at times of the lake's time zone",
                                      "pace",
                                      {{.name = "every",
                                        .help = "a pace, a time of day, or a weekday and time",
                                        .example = "15m",
                                        .form = Form::schedule,
                                        .required = true}}};
    return object;
}

}  // namespace

const ObjectInfo& stock_out_model() {
    static const ObjectInfo object = {"stock-out risk",
                                      "Hours until each place is empty, and the chance of it "
                                      "before the next delivery; as a table.",
                                      "stock-out-model",
                                      {{.name = "stock_out",
                                        .help = "what is scored",
                                        .example = "{on_hand: levels.units, demand: demand}",
                                        .form = Form::none,
                                        .object = &stock_out_of_object(),
                                        .required = true},
                                       {.name = "refresh",
                                        .help = "when it is scored again",
                                        .example = "{every: 15m}",
                                        .form = Form::choice,
                                        .choices = {"on_change", "manual"},
                                        .object = &pace_object(),
                                        .otherwise = "on_change"},
                                       was_key(Form::table)}};
    return object;
}

namespace {

const ObjectInfo& webhook_object() {
    static const ObjectInfo object = {"webhook",
                                      "an address that is told, with how it is signed",
                                      "webhook",
                                      {{.name = "url",
                                        .help = "http or https",
                                        .example = "${secret:dispatch_webhook}",
                                        .form = Form::secret,
                                        .required = true},
                                       {.name = "secret",
                                        .help = "signs (Standard Webhooks); without it one is made",
                                        .example = "${secret:dispatch_key}",
                                        .form = Form::secret},
                                       {.name = "allow_private",
                                        .help = "whether the address may be a private one",
                                        .example = "true",
                                        .form = Form::truth,
                                        .otherwise = "false"}}};
    return object;
}

}  // namespace

const ObjectInfo& alert_object() {
    static const ObjectInfo object = {
        "alert",
        "Each row of the SELECT is a reason to be told.",
        "alert",
        {{.name = "when",
          .help = "one SELECT, or the name of a .sql file",
          .example = "select * from risk where p_empty > 0.8",
          .form = Form::sql,
          .required = true},
         {.name = "one_per",
          .help = "columns: one open alert per value; without it one in all",
          .example = "[shelf_id]",
          .many = Many::list,
          .form = Form::name},
         {.name = "to",
          .help = "addresses that are told, each a text or {url, secret, allow_private}",
          .example = "[\"${secret:dispatch_webhook}\"]",
          .many = Many::list,
          .form = Form::secret,
          .object = &webhook_object()},
         {.name = "recovery",
          .help = "whether the end is told too",
          .example = "false",
          .form = Form::truth,
          .otherwise = "true"},
         {.name = "while",
          .help = "one SELECT with the one_per columns: an open alert stays open while its row is here "
                  "or in `when`, so that a value at the threshold does not flap",
          .example = "select * from risk where p_empty > 0.6",
          .form = Form::sql},
         {.name = "for",
          .help = "the row must have been there so long before the alert opens",
          .example = "5m",
          .form = Form::duration},
         {.name = "recover_after",
          .help = "the row must have been gone so long before the alert has recovered",
          .example = "10m",
          .form = Form::duration},
         {.name = "check_every",
          .help = "looked at so often also when nothing came in: time passes",
          .example = "60s",
          .form = Form::duration,
          .otherwise = "60s"},
         {.name = "run_as",
          .help = "role with whose grants it reads; without it the server's own",
          .example = "analyst",
          .form = Form::name},
         was_key(Form::table)}};
    return object;
}

namespace {

const ObjectInfo& chart_object() {
    static const ObjectInfo object = {
        "chart",
        "One of number, line, area, bar, stacked, scatter, heatmap, table, map; or only a table of what "
        "`from` or `sql` gives.",
        "chart",
        {{.name = "title", .help = "above it", .example = "Shelves at risk", .required = true},
         {.name = "number",
          .help = "one figure: SQL; with `by` the newest one, and how it changed",
          .example = "count(*)"},
         {.name = "line",
          .help = "measures over `by`",
          .example = "[units, demand]",
          .many = Many::one_or_list},
         {.name = "area",
          .help = "measures over `by`, filled",
          .example = "[units]",
          .many = Many::one_or_list},
         {.name = "stacked",
          .help = "bars on each other: measures, or one measure by `split`",
          .example = "[revenue]",
          .many = Many::one_or_list},
         {.name = "scatter",
          .help = "points: x, y and, as a third, size; one for each of `by`, or for each row",
          .example = "[price, units]",
          .many = Many::list},
         {.name = "heatmap",
          .help = "a measure over `by` and `split`",
          .example = "[units]",
          .many = Many::one_or_list},
         {.name = "bar",
          .help = "measures over `by`",
          .example = "[revenue]",
          .many = Many::one_or_list},
         {.name = "table",
          .help = "columns in rows",
          .example = "[shelf_id, p_empty]",
          .many = Many::one_or_list},
         {.name = "map", .help = "table of the places to show", .example = "stores"},
         {.name = "by", .help = "column of the x axis", .example = "day"},
         {.name = "split", .help = "column: one series for each value", .example = "region"},
         {.name = "spark",
          .help = "of a table: a measure over `by`, drawn small in each row",
          .example = "units"},
         {.name = "width",
          .help = "of the page's row",
          .example = "half",
          .form = Form::choice,
          .choices = {"third", "half", "full"}},
         {.name = "from", .help = "table", .example = "risk", .form = Form::table},
         {.name = "where", .help = "SQL condition", .example = "p_empty > 0.8"},
         {.name = "order", .help = "column, desc for falling", .example = "p_empty desc"},
         {.name = "limit", .help = "rows", .example = "20", .form = Form::whole},
         {.name = "colour", .help = "of a map: measure", .example = "p_empty"},
         {.name = "sql",
          .help = "a SELECT instead of from, where and by",
          .example = "sql/top.sql",
          .form = Form::sql},
         {.name = "unit", .help = "shown beside values", .example = "h"}}};
    return object;
}

}  // namespace

const ObjectInfo& dashboard_object() {
    static const ObjectInfo object = {
        "dashboard",
        "Charts on one page; each shows what the viewer may see.",
        "dashboard",
        {{.name = "title", .help = "above the page; without it the name", .example = "Stock"},
         {.name = "filters",
          .help = "columns that the viewer may narrow by",
          .example = "[region, store_id]",
          .many = Many::list,
          .form = Form::name},
         {.name = "embed",
          .help = "origins whose pages may show it in a frame, by a signed link",
          .example = "[https://intranet.example]",
          .many = Many::list},
         {.name = "charts",
          .help = "from top to bottom",
          .example = "[{title: Shelves, number: count(*), from: risk}]",
          .many = Many::list,
          .form = Form::none,
          .object = &chart_object(),
          .required = true},
         was_key(Form::table)}};
    return object;
}

namespace {

const ObjectInfo& grant_object() {
    static const ObjectInfo object = {"read grant",
                                      "What a role sees of a table.",
                                      "read-grant",
                                      {{.name = "rows",
                                        .help = "SQL condition; user.x is an attribute of the user",
                                        .example = "region = user.region"},
                                       {.name = "columns",
                                        .help = "only these columns",
                                        .example = "[day, units]",
                                        .many = Many::list,
                                        .form = Form::name},
                                       {.name = "hide",
                                        .help = "all columns but these",
                                        .example = "[name, email]",
                                        .many = Many::list,
                                        .form = Form::name},
                                       {.name = "masks",
                                        .help = "column: SQL that is shown in its place",
                                        .example = "{city: \"'*'\"}",
                                        .many = Many::map}}};
    return object;
}

}  // namespace

const ObjectInfo& role_object() {
    static const ObjectInfo object = {
        "role",
        "What users who hold it may see and do. What is not listed is not seen, on any door.",
        "role",
        {{.name = "read",
          .help = "all; or per table (or database.*) what is seen: all, or rows and columns",
          .example = "{daily_sales: {rows: region = user.region}}",
          .many = Many::one_or_map,
          .form = Form::choice,
          .choices = {"all"},
          .object = &grant_object(),
          .name_form = Form::grantee},
         {.name = "write",
          .help = "per table (or database.*) what may be changed",
          .example = "{notes: [insert]}",
          .many = Many::map_of_lists,
          .form = Form::choice,
          .choices = {"insert", "update", "delete", "alter"},
          .name_form = Form::grantee},
         {.name = "silence",
          .help = "alerts that may be silenced",
          .example = "[shelf_runs_empty]",
          .many = Many::list,
          .form = Form::name}}};
    return object;
}

}  // namespace tarn::lakefile
