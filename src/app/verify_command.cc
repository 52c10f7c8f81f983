#include "app/verify_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/client_json.h"
#include "app/lake_verify_command.h"
#include "app/table_print.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

struct VerifyWanted {
    std::string source;
    std::vector<std::string> tables;
    bool repair = false, last = false;
};

/// A verdict is never empty.
Result<Json> ask_for(const Endpoint& endpoint, const std::string& method, const std::string& path,
                     const Json& body = {}) {
    TARN_TRY(answer, ask(endpoint, method, path, body));
    if (answer.is_null()) return no_json(endpoint);
    return answer;
}

void show_progress(const Json& verdict) {
    if (isatty(STDERR_FILENO) == 0) return;
    for (const auto& table : verdict.at("tables"))
        if (table.at("state") == "running")
            std::fprintf(stderr, "\r%s: %s rows of about %s, %s differ \033[K",
                         text_of(table, "table").c_str(), text_of(table, "rows_source").c_str(),
                         text_of(table, "rows_estimated").c_str(),
                         text_of(table, "differences").c_str());
}

void print_verdict(const Json& verdict) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& table : verdict.at("tables"))
        rows.push_back({text_of(table, "table"), text_of(table, "state"),
                        text_of(table, "rows_source"), text_of(table, "rows_lake"),
                        text_of(table, "differences"), text_of(table, "repaired"),
                        text_of(table, "unsettled"), text_of(table, "note")});
    std::fputs(print_table({{"table"},
                            {"verdict"},
                            {"rows there", true},
                            {"rows here", true},
                            {"differ", true},
                            {"repaired", true},
                            {"unsettled", true},
                            {"note"}},
                           rows)
                   .c_str(),
               stdout);
    for (const auto& table : verdict.at("tables"))
        for (const auto& key : table.value("keys", Json::array()))
            std::printf("  %s %s: %s%s\n", text_of(table, "table").c_str(),
                        text_of(key, "key").c_str(), text_of(key, "what").c_str(),
                        key.value("repaired", false) ? ", repaired" : "");
    const std::string error = text_of(verdict, "error");
    if (!error.empty()) std::printf("it did not come to an end: %s\n", error.c_str());
}

int verify(const ClientOptions& options, const VerifyWanted& wanted) {
    const auto endpoint = find_endpoint(options.endpoint);
    if (!endpoint.ok()) return fail("verify", endpoint.error());
    const std::string path = "/api/v1/sources/" + encoded(wanted.source) + "/verify";
    if (!wanted.last) {
        Json body = {{"repair", wanted.repair}};
        if (!wanted.tables.empty()) body["tables"] = wanted.tables;
        const auto begun = ask_for(*endpoint, "POST", path, body);
        if (!begun.ok()) return fail("verify", begun.error());
    }
    while (true) {
        const auto verdict = ask_for(*endpoint, "GET", path);
        if (!verdict.ok()) return fail("verify", verdict.error());
        if (!wanted.last && (*verdict).at("running").get<bool>()) {
            show_progress(*verdict);
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            continue;
        }
        if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
        if (options.json)
            std::cout << verdict->dump(2) << "\n";
        else
            print_verdict(*verdict);
        return (*verdict).at("equal").get<bool>() ? 0 : 1;
    }
}

}  // namespace

void add_verify_command(CLI::App& app, ClientOptions& options, int& code) {
    auto* command = app.add_subcommand(
        "verify", "is all that is stored as it was stored? (source: compare it with its database)");
    command->footer("Examples:\n  tarn verify\n  tarn verify --json\n  tarn verify --data ./data");
    auto whole = std::make_shared<LakeVerifyWanted>();
    command->add_option("--data", whole->data, "the folder of a lake that is not served");
    command->add_flag("--last", whole->last, "say only what the last look found");
    command->require_subcommand(0, 1);
    command->callback([&options, &code, whole, command] {
        if (command->get_subcommands().empty()) code = verify_whole_lake(options, *whole);
    });
    auto* source = command->add_subcommand(
        "source", "row by row, while changes flow; names the keys that differ");
    source->footer(
        "Examples:\n  tarn verify source erp\n  tarn verify source erp --table sales --repair\n  "
        "tarn verify source erp --last");
    auto wanted = std::make_shared<VerifyWanted>();
    source->add_option("name", wanted->source, "the source's name")->required();
    source->add_option("--table", wanted->tables, "only this one; may be given again");
    source->add_flag("--repair", wanted->repair, "put rows that differ right, from the source");
    source->add_flag("--last", wanted->last, "say only what the last comparison found");
    source->callback([&options, &code, wanted] { code = verify(options, *wanted); });
}

}  // namespace tarn::app
