#include "app/lake_verify_command.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/client_json.h"
#include "app/lake.h"
#include "app/lake_verify.h"
#include "app/table_print.h"
#include "base/log.h"
#include "protocols/admin/lake_verdict_json.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

constexpr const char* kPath = "/api/v1/verify";
constexpr auto kPollPause = std::chrono::milliseconds(300);

void show_progress(const Json& verdict) {
    if (isatty(STDERR_FILENO) == 0) return;
    std::string line;
    for (const auto& [kind, tally] : verdict.at("looked_at").items())
        line += (line.empty() ? "" : ", ") + tally.at("count").dump() + " " + kind;
    std::fprintf(stderr, "\r%s; %s damaged \033[K", line.c_str(),
                 text_of(verdict, "damages").c_str());
}

void print_verdict(const Json& verdict) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [kind, tally] : verdict.at("looked_at").items())
        rows.push_back({kind, text_of(tally, "count"), text_of(tally, "bytes")});
    std::fputs(print_table({{"looked at"}, {"number", true}, {"bytes", true}}, rows).c_str(),
               stdout);
    for (const auto& finding : verdict.at("findings"))
        std::printf("%s %s: %s\n", finding.at("kind") == "damage" ? "DAMAGED " : "leftover",
                    text_of(finding, "where").c_str(), text_of(finding, "what").c_str());
    if (!verdict.at("complete").get<bool>()) std::printf("it did not come to its end\n");
    std::printf("%s damaged, %s left over\n", text_of(verdict, "damages").c_str(),
                text_of(verdict, "leftovers").c_str());
}

int finish(const ClientOptions& options, const Json& verdict) {
    if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
    if (options.json)
        std::cout << verdict.dump(2) << "\n";
    else
        print_verdict(verdict);
    return verdict.at("sound").get<bool>() ? 0 : 1;
}

/// A lake that cannot be opened is a finding, too.
admin::LakeVerdict look_at_folder(const std::string& data) {
    Settings settings;
    settings.data = data;
    Findings findings;
    admin::LakeVerdict verdict;
    verdict.started = SystemClock().now();
    auto lake = Lake::open(settings);
    if (lake.ok()) {
        verify_lake(**lake, findings);
        (*lake)->close();
    } else {
        findings.damage(data, lake.error().message);
    }
    verdict.complete = lake.ok();
    verdict.finished = SystemClock().now();
    verdict.found = findings.state();
    return verdict;
}

int verify_folder(const ClientOptions& options, const std::string& data) {
    io::RealDisk disk;
    const auto there = disk.exists(data + "/state");
    if (!there.ok()) return fail("verify", there.error());
    if (!*there) return fail("verify", Error(Code::invalid_argument, data + " holds no lake"));
    configure_log(LogLevel::warning, LogFormat::plain);
    return finish(options, admin::lake_verdict_json(look_at_folder(data)));
}

}  // namespace

int verify_whole_lake(const ClientOptions& options, const LakeVerifyWanted& wanted) {
    if (!wanted.data.empty()) return verify_folder(options, wanted.data);
    const auto endpoint = find_endpoint(options.endpoint);
    if (!endpoint.ok()) return fail("verify", endpoint.error());
    if (!wanted.last) {
        const auto begun = ask(*endpoint, "POST", kPath, Json::object());
        if (!begun.ok()) return fail("verify", begun.error());
    }
    while (true) {
        const auto verdict = ask(*endpoint, "GET", kPath, {});
        if (!verdict.ok()) return fail("verify", verdict.error());
        if (verdict->is_null()) return fail("verify", no_json(*endpoint));
        if (wanted.last || !(*verdict).at("running").get<bool>()) return finish(options, *verdict);
        show_progress(*verdict);
        std::this_thread::sleep_for(kPollPause);
    }
}

}  // namespace tarn::app
