#include "app/pipeline_commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/client_json.h"
#include "app/table_print.h"
#include "base/time.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

struct PipelineWanted {
    std::string step, from, to, rule, key, span, model;
    uint64_t run = 0, version = 0, limit = 20;
    bool from_scratch = false, downstream = false, end = false;
};

/// "1.4 s" of two ISO times; empty while it runs.
std::string took(const Json& run) {
    const auto from = parse_time(text_of(run, "started"));
    const auto to = parse_time(text_of(run, "ended"));
    if (!from.ok() || !to.ok()) return "";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s",
                  static_cast<double>(to->micros - from->micros) / 1e6);
    return text;
}

int list_runs(const ClientOptions& options, const PipelineWanted& wanted) {
    std::string path = "/api/v1/runs?limit=" + std::to_string(wanted.limit);
    if (!wanted.step.empty()) path += "&step=" + encoded(wanted.step);
    const auto runs = ask(options, "GET", path);
    if (!runs.ok()) return fail("runs", runs.error());
    if (options.json) {
        std::cout << runs->dump(2) << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& run : (*runs).at("runs"))
        rows.push_back({text_of(run, "step"), text_of(run, "run"), text_of(run, "started"),
                        text_of(run, "outcome"), text_of(run, "cause"), took(run),
                        text_of(run, "rows_written"), text_of(run, "mode"), text_of(run, "error")});
    std::fputs(print_table({{"step"},
                            {"run", true},
                            {"started"},
                            {"outcome"},
                            {"cause"},
                            {"took", true},
                            {"rows", true},
                            {"computed"},
                            {"error"}},
                           rows)
                   .c_str(),
               stdout);
    return 0;
}

int show_run(const ClientOptions& options, const PipelineWanted& wanted) {
    const auto run = ask(options, "GET",
                         "/api/v1/runs/" + encoded(wanted.step) + "/" + std::to_string(wanted.run));
    if (!run.ok()) return fail("runs show", run.error());
    if (options.json) {
        std::cout << run->dump(2) << "\n";
        return 0;
    }
    std::printf("%s, run %s: %s, because of: %s\n", text_of(*run, "step").c_str(),
                text_of(*run, "run").c_str(), text_of(*run, "outcome").c_str(),
                text_of(*run, "cause").c_str());
    std::printf("started %s, took %s; computed: %s\n", text_of(*run, "started").c_str(),
                took(*run).c_str(), text_of(*run, "mode").c_str());
    for (const auto& input : (*run).at("inputs"))
        std::printf("  read %s: snapshot %s, before %s\n", text_of(input, "table").c_str(),
                    text_of(input, "now").c_str(), text_of(input, "before").c_str());
    if (run->contains("rows_read"))
        std::printf("  %s rows read, %s written, %s set aside, %s bytes\n",
                    text_of(*run, "rows_read").c_str(), text_of(*run, "rows_written").c_str(),
                    text_of(*run, "rows_set_aside").c_str(),
                    text_of(*run, "bytes_written").c_str());
    for (const auto& line : run->value("log", Json::array()))
        std::printf("  %s  %s\n", text_of(line, "at").c_str(), text_of(line, "text").c_str());
    for (const auto& warning : run->value("warnings", Json::array()))
        std::printf("  warning: %s\n", warning.get<std::string>().c_str());
    if (!text_of(*run, "error").empty())
        std::printf("  error: %s\n", text_of(*run, "error").c_str());
    return 0;
}

int start_run(const ClientOptions& options, const PipelineWanted& wanted) {
    Json body = {{"step", wanted.step}};
    if (wanted.from_scratch) body["from_scratch"] = true;
    if (wanted.downstream) body["downstream"] = true;
    if (!wanted.from.empty() || !wanted.to.empty())
        body["range"] = {{"from", wanted.from}, {"to", wanted.to}};
    const auto started = ask(options, "POST", "/api/v1/runs", body);
    if (!started.ok()) return fail("runs start", started.error());
    for (const auto& step : (*started).at("started"))
        std::printf("due now: %s\n", step.get<std::string>().c_str());
    return 0;
}

void add_runs(CLI::App& app, ClientOptions& options, PipelineWanted& wanted, int& code) {
    auto* runs = app.add_subcommand("runs", "what ran, when, and what came of it");
    runs->footer(
        "Examples:\n  tarn runs list\n  tarn runs list tables.daily_sales --limit 5\n"
        "  tarn runs show tables.daily_sales 17\n  tarn runs start tables.daily_sales\n"
        "  tarn runs start tables.daily_sales --from-scratch --downstream\n"
        "  tarn runs start tables.daily_sales --from 2026-03-01 --to 2026-04-01   (March alone)");
    runs->require_subcommand(1);
    auto* list = runs->add_subcommand("list", "the newest first");
    list->add_option("step", wanted.step, "of this step only: tables.x, models.x, alerts.x");
    list->add_option("--limit", wanted.limit, "so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    list->callback([&] { code = list_runs(options, wanted); });
    auto* show = runs->add_subcommand("show", "one run: inputs, rows, log, error");
    show->add_option("step", wanted.step, "step")->required();
    show->add_option("run", wanted.run, "its number")->required();
    show->callback([&] { code = show_run(options, wanted); });
    auto* start = runs->add_subcommand("start", "makes a step due now");
    start->add_option("step", wanted.step, "step")->required();
    start->add_flag("--from-scratch", wanted.from_scratch, "as if it had never run");
    start->add_flag("--downstream", wanted.downstream, "and everything that hangs on it");
    start->add_option("--from", wanted.from, "only rows of that day and after; needs --to");
    start->add_option("--to", wanted.to, "only rows before that day; needs --from");
    start->callback([&] { code = start_run(options, wanted); });
}

/// "90s", "30m", "2h", "1d".
Result<int64_t> seconds_of(const std::string& text) {
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    const std::string unit = text.substr(digits);
    const int64_t factor = unit == "s"   ? 1
                           : unit == "m" ? 60
                           : unit == "h" ? 3600
                           : unit == "d" ? 86'400
                                         : 0;
    if (digits == 0 || digits > 6 || factor == 0)
        return Error(Code::invalid_argument,
                     "--for " + text + ": give a time such as 30m, 2h or 1d");
    return std::stoll(text.substr(0, digits)) * factor;
}

int silence(const ClientOptions& options, const PipelineWanted& wanted) {
    Json body = Json::object();
    if (!wanted.key.empty()) {
        body["key"] = Json::parse(wanted.key, nullptr, false);
        if (!body.at("key").is_object())
            return fail("silence", Error(Code::invalid_argument,
                                         "--key is a JSON object: '{\"shelf_id\": 7}'"));
    }
    int64_t seconds = 0;
    if (!wanted.end) {
        auto span = seconds_of(wanted.span);
        if (!span.ok()) return fail("silence", span.error());
        seconds = *span;
    }
    const Timestamp until = SystemClock().now().plus(std::chrono::seconds(seconds));
    body["until"] = format_iso8601(until);
    const auto done =
        ask(options, "POST", "/api/v1/alerts/" + encoded(wanted.rule) + "/silence", body);
    if (!done.ok()) return fail("silence", done.error());
    if (wanted.end)
        std::puts("The silence is over.");
    else
        std::printf("Silent until %s.\n", format_iso8601(until).c_str());
    return 0;
}

void add_silence(CLI::App& app, ClientOptions& options, PipelineWanted& wanted, int& code) {
    auto* command =
        app.add_subcommand("silence", "nobody is told that an alert opened, for a while");
    command->footer(
        "Examples:\n  tarn silence shelf_runs_empty --for 2h\n"
        "  tarn silence shelf_runs_empty --for 1d --key '{\"shelf_id\": 7}'\n"
        "  tarn silence shelf_runs_empty --end\n"
        "What is still open afterwards is told then.");
    command->add_option("rule", wanted.rule, "alert rule")->required();
    auto* span = command->add_option("--for", wanted.span, "how long: 30m, 2h, 1d");
    auto* end = command->add_flag("--end", wanted.end, "ends it now");
    span->excludes(end);
    command->add_option("--key", wanted.key, "only this one_per value, as a JSON object");
    command->callback([&] {
        if (wanted.span.empty() && !wanted.end) throw CLI::RequiredError("--for or --end");
        code = silence(options, wanted);
    });
}

std::string score_of(const Json& version, const char* method) {
    const auto test = version.value("back_test", Json::object());
    const std::string metric = text_of(test, "metric");
    for (const auto& score : test.value("total", Json::array()))
        if (text_of(score, "method") == method && score.contains(metric)) {
            char text[48];
            std::snprintf(text, sizeof text, "%.1f %% %s", score[metric].get<double>(),
                          metric.c_str());
            return text;
        }
    return "";
}

int list_models(const ClientOptions& options) {
    const auto models = ask(options, "GET", "/api/v1/models");
    if (!models.ok()) return fail("models", models.error());
    if (options.json) {
        std::cout << models->dump(2) << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& model : (*models).at("models")) {
        const Json current = model.at("current").is_object() ? model.at("current") : Json::object();
        rows.push_back({text_of(model, "model"), text_of(model, "versions"),
                        text_of(current, "version"), score_of(current, "model"),
                        score_of(current, "seasonal_naive"), text_of(current, "trained_to")});
    }
    std::fputs(print_table({{"model"},
                            {"versions", true},
                            {"in use", true},
                            {"error", true},
                            {"seasonal naive", true},
                            {"trained to"}},
                           rows)
                   .c_str(),
               stdout);
    return 0;
}

/// One line: how the published forecasts did when their time had come.
std::string outcome_line(const Json& outcomes) {
    if (!outcomes.is_object() || !outcomes.contains("total") || !outcomes["total"].is_object())
        return "";
    const Json& total = outcomes["total"];
    const auto percent = [&](const char* name) {
        char text[32];
        if (!total.contains(name) || !total[name].is_number()) return std::string("-");
        std::snprintf(text, sizeof text, "%.1f %%", total[name].get<double>());
        return std::string(text);
    };
    const Json days = outcomes.value("by_time", Json::array());
    std::string line = "as it came true";
    if (!days.empty())
        line += ", " + text_of(days.front(), "time") + " to " + text_of(days.back(), "time");
    return line + ": error " + percent("wape") + " wape, seasonal naive " +
           percent("seasonal_naive_wape") + "; " + percent("coverage") + " in p10..p90; " +
           text_of(total, "forecasts") + " forecasts\n";
}

int list_versions(const ClientOptions& options, const PipelineWanted& wanted) {
    const auto found =
        ask(options, "GET",
            "/api/v1/models/" + encoded(wanted.model) + "?limit=" + std::to_string(wanted.limit));
    if (!found.ok()) return fail("models versions", found.error());
    if (options.json) {
        std::cout << found->dump(2) << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& version : (*found).at("versions"))
        rows.push_back({text_of(version, "version"), version.value("current", false) ? "*" : "",
                        text_of(version, "created"), text_of(version, "trained_to"),
                        score_of(version, "model"), score_of(version, "seasonal_naive"),
                        text_of(version, "why")});
    std::fputs(print_table({{"version", true},
                            {"in use"},
                            {"made"},
                            {"trained to"},
                            {"error", true},
                            {"seasonal naive", true},
                            {"why"}},
                           rows)
                   .c_str(),
               stdout);
    std::fputs(outcome_line((*found).value("outcomes", Json())).c_str(), stdout);
    return 0;
}

void add_models(CLI::App& app, ClientOptions& options, PipelineWanted& wanted, int& code) {
    auto* models =
        app.add_subcommand("models", "forecasts: versions, how good they are, which is used");
    models->footer(
        "Examples:\n  tarn models list\n  tarn models versions demand\n"
        "  tarn models use demand 3        (promote it, or go back to it)");
    models->require_subcommand(1);
    models->add_subcommand("list", "all models with the version in use")->callback([&] {
        code = list_models(options);
    });
    auto* versions = models->add_subcommand("versions", "of one model, the newest first");
    versions->add_option("model", wanted.model, "model")->required();
    versions->add_option("--limit", wanted.limit, "so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    versions->callback([&] { code = list_versions(options, wanted); });
    auto* use = models->add_subcommand("use", "puts a version into use; its forecasts follow");
    use->add_option("model", wanted.model, "model")->required();
    use->add_option("version", wanted.version, "number of the version")->required();
    use->callback([&] {
        const auto done =
            ask(options, "PUT", "/api/v1/models/" + encoded(wanted.model) + "/current",
                {{"version", wanted.version}});
        code = done.ok() ? 0 : fail("models use", done.error());
        if (done.ok())
            std::printf("%s: version %llu is in use.\n", text_of(*done, "model").c_str(),
                        static_cast<unsigned long long>(wanted.version));
    });
}

}  // namespace

void add_pipeline_commands(CLI::App& app, ClientOptions& options, int& code) {
    static PipelineWanted wanted;
    add_runs(app, options, wanted, code);
    add_silence(app, options, wanted, code);
    add_models(app, options, wanted, code);
}

}  // namespace tarn::app
