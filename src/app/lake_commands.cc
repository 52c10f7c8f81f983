#include "app/lake_commands.h"

#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/client_json.h"
#include "app/plan_print.h"
#include "app/services.h"
#include "lakefile/keys.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

int failed(const char* command, const Error& error) {
    std::fprintf(stderr, "tarn %s: %s\n", command, error.message.c_str());
    return 1;
}

/// What the API takes: the text, and the files that it names, read here.
Result<Json> body_of(const std::string& file) {
    TARN_TRY(text, read_lakefile(file));
    return Json{{"lakefile", text.text},
                {"file_name", text.file_name},
                {"folder", text.folder},
                {"files", text.files}};
}

struct LakeOptions {
    std::string file = "lake.yaml", name, replay, secret;
    bool yes = false, drop_data = false;
    uint64_t rows = 20;
};

/// "60d" -> 60.
Result<uint64_t> days_of(const std::string& text) {
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 4 || text.substr(digits) != "d")
        return Error(Code::invalid_argument, "--replay " + text + ": give days, as in 60d");
    return std::stoull(text.substr(0, digits));
}

int run_plan(const ClientOptions& options, const LakeOptions& lake) {
    auto body = body_of(lake.file);
    if (!body.ok()) return failed("plan", body.error());
    if (!lake.replay.empty()) {
        auto days = days_of(lake.replay);
        if (!days.ok()) return failed("plan", days.error()), 2;
        (*body)["replay_days"] = *days;
    }
    auto plan = ask(options, "POST", "/api/v1/plan", *body);
    if (!plan.ok()) return failed("plan", plan.error());
    if (options.json)
        std::cout << plan->dump(2) << "\n";
    else
        std::fputs(print_plan(*plan, ::isatty(STDOUT_FILENO) != 0).c_str(), stdout);
    return (*plan).at("problems").empty() ? 0 : 1;
}

bool confirmed(const LakeOptions& lake) {
    if (lake.yes) return true;
    if (::isatty(STDIN_FILENO) == 0) {
        std::fputs("tarn apply: nobody to ask here; say --yes when the plan is right\n", stderr);
        return false;
    }
    std::fputs("Apply this? [y/N] ", stdout);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

int run_apply(const ClientOptions& options, const LakeOptions& lake) {
    auto body = body_of(lake.file);
    if (!body.ok()) return failed("apply", body.error());
    auto plan = ask(options, "POST", "/api/v1/plan", *body);
    if (!plan.ok()) return failed("apply", plan.error());
    const bool problems = !(*plan).at("problems").empty();
    if (!options.json || problems)
        std::fputs(print_plan(*plan, ::isatty(STDOUT_FILENO) != 0).c_str(),
                   problems ? stderr : stdout);
    if (problems) return 1;
    if (!(*plan).at("changes_something").get<bool>()) {
        if (options.json) std::cout << plan->dump(2) << "\n";
        return 0;
    }
    if (!confirmed(lake)) return 1;
    (*body)["plan"] = (*plan)["plan"];
    (*body)["drop_data"] = lake.drop_data;
    auto applied = ask(options, "POST", "/api/v1/apply", *body);
    if (!applied.ok()) return failed("apply", applied.error());
    if (options.json) {
        std::cout << applied->dump(2) << "\n";
        return 0;
    }
    for (const auto& warning : (*applied).at("warnings"))
        if ((*plan).at("warnings").dump().find(warning.dump()) == std::string::npos)
            std::printf("warning: %s\n", warning.get<std::string>().c_str());
    std::puts("Applied.");
    return 0;
}

int run_try(const ClientOptions& options, const LakeOptions& lake) {
    auto body = body_of(lake.file);
    if (!body.ok()) return failed("try", body.error());
    (*body)["name"] = lake.name;
    (*body)["rows"] = lake.rows;
    auto tried = ask(options, "POST", "/api/v1/try", *body);
    if (!tried.ok()) return failed("try", tried.error());
    if (options.json)
        std::cout << tried->dump(2) << "\n";
    else
        std::fputs(print_samples(*tried).c_str(), stdout);
    for (const auto& item : (*tried).at("items"))
        if (item.contains("error")) return 1;
    return 0;
}

/// From standard input; on a terminal without showing it.
Result<std::string> read_secret(const std::string& name) {
    const bool terminal = ::isatty(STDIN_FILENO) != 0;
    termios before{};
    if (terminal) {
        std::fprintf(stderr, "value of %s: ", name.c_str());
        ::tcgetattr(STDIN_FILENO, &before);
        termios quiet = before;
        quiet.c_lflag &= static_cast<tcflag_t>(~ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    std::string value;
    if (terminal)
        std::getline(std::cin, value);
    else
        value.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    if (terminal) {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        std::fputs("\n", stderr);
    }
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
    if (value.empty())
        return Error(Code::invalid_argument, "no value came in: type it, or pipe it in");
    return value;
}

int set_secret(const ClientOptions& options, const std::string& name) {
    auto value = read_secret(name);
    if (!value.ok()) return failed("secrets set", value.error());
    auto done = ask(options, "PUT", "/api/v1/secrets/" + name, {{"value", *value}});
    return done.ok() ? 0 : failed("secrets set", done.error());
}

int list_secrets(const ClientOptions& options) {
    auto list = ask(options, "GET", "/api/v1/secrets", Json());
    if (!list.ok()) return failed("secrets list", list.error());
    if (options.json) std::cout << list->dump(2) << "\n";
    for (const auto& secret : (*list).at("secrets"))
        if (!options.json)
            std::printf("%-30s %-12s %s\n", secret.at("name").get<std::string>().c_str(),
                        secret.at("from").get<std::string>().c_str(),
                        secret.value("changed", "").c_str());
    return 0;
}

void add_secrets(CLI::App& app, ClientOptions& options, LakeOptions& lake, int& code) {
    auto* secrets = app.add_subcommand(
        "secrets", "what ${secret:name} in a lakefile stands for; never shown again");
    secrets->footer(
        "Examples:\n  tarn secrets set erp_url               (asks for the value)\n"
        "  pass show erp | tarn secrets set erp_url\n  tarn secrets list\n  tarn secrets remove "
        "erp_url");
    secrets->require_subcommand(1);
    auto* set = secrets->add_subcommand("set", "keeps a value, read from standard input");
    set->add_option("name", lake.secret, "name")->required();
    set->callback([&] { code = set_secret(options, lake.secret); });
    secrets->add_subcommand("list", "names, and where they are from")->callback([&] {
        code = list_secrets(options);
    });
    auto* remove = secrets->add_subcommand("remove", "forgets one");
    remove->add_option("name", lake.secret, "name")->required();
    remove->callback([&] {
        auto done = ask(options, "DELETE", "/api/v1/secrets/" + lake.secret, Json());
        code = done.ok() ? 0 : failed("secrets remove", done.error());
    });
}

void add_reference(CLI::App& app) {
    auto* reference = app.add_subcommand("lakefile", "the reference of all keys of a lakefile");
    reference->footer(
        "Examples:\n  tarn lakefile reference > lakefile.md\n  tarn lakefile schema > "
        "lakefile.schema.json");
    reference->require_subcommand(1);
    reference->add_subcommand("reference", "as a page in Markdown")->callback([] {
        std::fputs(lakefile::reference_page().c_str(), stdout);
    });
    reference->add_subcommand("schema", "as a JSON schema, for editors")->callback([] {
        std::fputs(lakefile::json_schema().c_str(), stdout);
    });
}

constexpr const char* kExitCodes =
    "\nExit codes: 0 done, or nothing to do; 1 failed, also a lakefile with problems; 2 wrong use.";

}  // namespace

void add_lake_commands(CLI::App& app, ClientOptions& options, int& code) {
    static LakeOptions lake;
    auto* plan = app.add_subcommand("plan", "what a lakefile would change; changes nothing");
    plan->footer(std::string("Examples:\n  tarn plan\n  tarn plan examples/beverages/lake.yaml "
                             "--replay 60d\n  tarn plan --json") +
                 kExitCodes);
    plan->add_option("file", lake.file, "the lakefile")->capture_default_str();
    plan->add_option("--replay", lake.replay,
                     "how often each alert would have fired over so many days (60d)");
    plan->callback([&] { code = run_plan(options, lake); });
    auto* apply = app.add_subcommand("apply", "does what the plan says");
    apply->footer(std::string("Examples:\n  tarn apply\n  tarn apply lake.yaml --yes\n  tarn apply "
                              "--yes --drop-data") +
                  kExitCodes);
    apply->add_option("file", lake.file, "the lakefile")->capture_default_str();
    apply->add_flag("--yes", lake.yes, "do not ask");
    apply->add_flag("--drop-data", lake.drop_data, "drop the tables of what is gone from the file");
    apply->callback([&] { code = run_apply(options, lake); });
    auto* trying =
        app.add_subcommand("try", "runs a source or table on a sample and keeps nothing");
    trying->footer(std::string("Examples:\n  tarn try lake.yaml weather\n  tarn try lake.yaml "
                               "tables.levels --rows 5") +
                   kExitCodes);
    trying->add_option("file", lake.file, "the lakefile")->required();
    trying->add_option("name", lake.name, "source or table; all of them without it");
    trying->add_option("--rows", lake.rows, "rows of each")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    trying->callback([&] { code = run_try(options, lake); });
    add_secrets(app, options, lake, code);
    add_reference(app);
}

void print_services(const ClientOptions& options) {
    for (const char* what : {"sources", "tables", "alerts"}) {
        const auto answer = ask(options, "GET", std::string("/api/v1/") + what, Json());
        if (answer.ok()) std::fputs(print_status(what, *answer).c_str(), stdout);
    }
}

}  // namespace tarn::app
