#include "app/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/audit_command.h"
#include "app/backup_command.h"
#include "app/client.h"
#include "app/lake_commands.h"
#include "app/pipeline_commands.h"
#include "app/restore_command.h"
#include "app/server.h"
#include "app/settings.h"
#include "app/table_print.h"
#include "app/verify_command.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

/// Sends one request and hands the parsed answer on.
int with_answer(const std::string& command, const ClientOptions& options, const std::string& method,
                const std::string& path, const std::string& body,
                const std::function<void(const Json&)>& print) {
    auto endpoint = find_endpoint(options.endpoint);
    if (!endpoint.ok()) return fail(command, endpoint.error());
    auto answer = call(*endpoint, method, path, body);
    if (!answer.ok()) return fail(command, answer.error());
    if (answer->body.empty()) return 0;
    if (options.json) {
        std::cout << answer->body;
        return 0;
    }
    const Json parsed = Json::parse(answer->body, nullptr, false);
    if (parsed.is_discarded())
        return fail(command, Error(Code::internal, "the server's answer is no JSON; is " +
                                                       endpoint->url + " a tarn?"));
    print(parsed);
    return 0;
}

std::string text_of(const Json& value) {
    if (value.is_null()) return "∅";
    if (value.is_string()) return value.get<std::string>();
    return value.dump();
}

void add_serve(CLI::App& app, Settings& settings, int& code) {
    auto* serve_command = app.add_subcommand("serve", "run the lake");
    serve_command->footer(
        "Examples:\n  tarn serve --data /var/lib/tarn\n  tarn serve --data ./data --port "
        "aws=0,http=0 --ready-file ready.json\n"
        "  TARN_LOG_FORMAT=json tarn serve --data ./data\n  tarn serve --config tarn.conf      "
        "(lines such as data=/var/lib/tarn)");
    serve_command->set_config("--config", "",
                              "file with lines name=value; the environment and flags win over it");
    for (const auto& setting : setting_table()) {
        CLI::Option* option =
            setting.text != nullptr
                ? serve_command->add_option(std::string("--") + setting.name,
                                            settings.*setting.text, setting.help)
                : serve_command->add_option(std::string("--") + setting.name,
                                            settings.*setting.number, setting.help);
        option->envname(environment_name(setting))->capture_default_str();
        if (setting.kind == SettingInfo::Kind::choice)
            option->check(CLI::IsMember(setting.choices));
        if (setting.kind == SettingInfo::Kind::number)
            option->check(CLI::Range(setting.least, setting.most));
        if (std::string(setting.name) == "data") option->required();
    }
    serve_command->callback([&] { code = serve(settings); });
}

void print_archive(const Json& archive) {
    const double lag = archive.value("lag_seconds", 0.0);
    std::printf("archive %s: %s%.1f s behind", text_of(archive.at("to")).c_str(),
                archive.value("following", false) ? "" : "no point yet, ", lag);
    if (!archive.at("error").is_null()) std::printf("; %s", text_of(archive.at("error")).c_str());
    std::printf("\n");
}

void add_status(CLI::App& app, ClientOptions& options, int& code) {
    auto* command = app.add_subcommand("status", "what the server says of itself");
    command->footer("Examples:\n  tarn status\n  tarn status --json");
    command->callback([&] {
        code = with_answer("status", options, "GET", "/api/v1/status", {}, [](const Json& body) {
            std::printf("tarn %s, lake %s, account %s\n", text_of(body.at("version")).c_str(),
                        text_of(body.at("lake_id")).substr(0, 8).c_str(),
                        text_of(body.at("account")).c_str());
            std::printf("%s, up %s s, %s changes in the log\n",
                        body.at("ready").get<bool>()
                            ? "ready"
                            : text_of(body.at("not_ready_because")).c_str(),
                        text_of(body.at("uptime_seconds")).c_str(),
                        text_of(body.at("log_version")).c_str());
            if (body.contains("warning"))
                std::printf("warning: %s\n", text_of(body.at("warning")).c_str());
            if (body.contains("archive")) print_archive(body.at("archive"));
            const auto& storage = body.at("storage");
            std::printf("%s buckets, %s objects, %s bytes\n",
                        text_of(storage.at("buckets")).c_str(),
                        text_of(storage.at("objects")).c_str(),
                        text_of(storage.at("object_bytes")).c_str());
            for (const auto& [door, address] : body.at("doors").items())
                std::printf("  %-10s %s\n", door.c_str(), text_of(address).c_str());
        });
        if (code == 0 && !options.json) print_services(options);
    });
}

struct UserOptions {
    std::string name, policy_file, key;
    std::vector<std::string> roles;
    std::vector<std::string> attributes;
};

/// The body of POST /users from the command line's words.
Result<Json> new_user(const UserOptions& user) {
    Json body = {{"name", user.name}, {"roles", user.roles}, {"attributes", Json::object()}};
    for (const auto& attribute : user.attributes) {
        const size_t equals = attribute.find('=');
        if (equals == std::string::npos)
            return Error(Code::invalid_argument, "--attribute " + attribute + ": give name=value");
        body["attributes"][attribute.substr(0, equals)] = attribute.substr(equals + 1);
    }
    if (user.policy_file.empty()) return body;
    std::ifstream in(user.policy_file);
    Json policy = Json::parse(in, nullptr, false);
    if (!in || policy.is_discarded())
        return Error(Code::invalid_argument,
                     user.policy_file + " is not a readable JSON policy document");
    body["policies"] = {{"default", policy}};
    return body;
}

void add_users(CLI::App& app, ClientOptions& options, UserOptions& user, int& code) {
    auto* users = app.add_subcommand("users", "list, add and remove users");
    users->footer(
        "Examples:\n  tarn users list\n  tarn users add ana --policy reader.json --role analyst "
        "--attribute region=north\n"
        "  tarn users remove ana");
    users->require_subcommand(1);
    auto* list = users->add_subcommand("list", "all users");
    list->callback([&] {
        code = with_answer("users", options, "GET", "/api/v1/users", {}, [](const Json& body) {
            std::vector<std::vector<std::string>> rows;
            for (const auto& one : body.at("users"))
                rows.push_back({text_of(one.at("name")), std::to_string(one.at("keys").size()),
                                one.at("roles").dump(), text_of(one.at("created"))});
            std::fputs(
                print_table({{"user"}, {"keys", true}, {"roles"}, {"created"}}, rows).c_str(),
                stdout);
        });
    });
    auto* add = users->add_subcommand("add", "a user, without a key yet");
    add->add_option("name", user.name, "name")->required();
    add->add_option("--policy", user.policy_file, "file with an IAM policy document");
    add->add_option("--role", user.roles, "role to hold; may be repeated");
    add->add_option("--attribute", user.attributes, "name=value, for row filters; may be repeated");
    add->callback([&] {
        auto body = new_user(user);
        if (!body.ok()) {
            code = fail("users add", body.error());
            return;
        }
        code = with_answer(
            "users add", options, "POST", "/api/v1/users", body->dump(), [](const Json& made) {
                std::printf("%s\nmake a key with: tarn keys add %s\n",
                            text_of(made.at("arn")).c_str(), text_of(made.at("name")).c_str());
            });
    });
    auto* remove = users->add_subcommand("remove", "a user with its keys and sessions");
    remove->add_option("name", user.name, "name")->required();
    remove->callback([&] {
        code = with_answer("users remove", options, "DELETE", "/api/v1/users/" + user.name, {},
                           [](const Json&) {});
    });
}

void add_keys(CLI::App& app, ClientOptions& options, UserOptions& user, int& code) {
    auto* keys = app.add_subcommand("keys", "access keys: one pair signs in to every door");
    keys->footer(
        "Examples:\n  tarn keys add ana\n  tarn keys off AKIA...\n  tarn keys remove AKIA...");
    keys->require_subcommand(1);
    auto* add = keys->add_subcommand("add", "a new pair; the secret is shown once");
    add->add_option("user", user.name, "user")->required();
    add->callback([&] {
        code = with_answer(
            "keys add", options, "POST", "/api/v1/users/" + user.name + "/keys", {},
            [&](const Json& made) {
                std::printf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
                            text_of(made.at("access_key_id")).c_str(),
                            text_of(made.at("secret_access_key")).c_str());
            });
    });
    const auto add_switch = [&](const char* name, const char* help, const char* body) {
        auto* command = keys->add_subcommand(name, help);
        command->add_option("key", user.key, "access key id")->required();
        command->callback([&, body] {
            code = with_answer("keys", options, "PUT", "/api/v1/keys/" + user.key, body,
                               [](const Json&) {});
        });
    };
    add_switch("off", "a key that may not sign in any more", R"({"active": false})");
    add_switch("on", "a key that may sign in again", R"({"active": true})");
    auto* remove = keys->add_subcommand("remove", "a key");
    remove->add_option("key", user.key, "access key id")->required();
    remove->callback([&] {
        code = with_answer("keys remove", options, "DELETE", "/api/v1/keys/" + user.key, {},
                           [](const Json&) {});
    });
}

struct SqlOptions {
    std::string text, database, format;
};

void print_rows(const Json& body) {
    std::vector<PrintColumn> columns;
    for (const auto& column : body.at("columns")) {
        const std::string type = text_of(column.at("type"));
        const bool number = type.starts_with("numeric") || type.find("int") != std::string::npos ||
                            type == "real" || type == "double precision";
        columns.push_back({text_of(column.at("name")), number});
    }
    if (columns.empty()) {
        std::printf("%s\n", text_of(body.at("tag")).c_str());
        return;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : body.at("rows")) {
        auto& cells = rows.emplace_back();
        for (const auto& cell : row) cells.push_back(text_of(cell));
    }
    std::fputs(print_table(columns, rows).c_str(), stdout);
    std::printf("(%zu row%s)\n", rows.size(), rows.size() == 1 ? "" : "s");
}

int run_sql(const ClientOptions& options, SqlOptions sql) {
    if (sql.text.empty() || sql.text == "-")
        sql.text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    const std::string format = !sql.format.empty() ? sql.format
                               : options.json      ? "json"
                               : terminal          ? "table"
                                                   : "csv";
    Json body = {{"sql", sql.text}};
    if (!sql.database.empty()) body["database"] = sql.database;
    auto endpoint = find_endpoint(options.endpoint);
    if (!endpoint.ok()) return fail("sql", endpoint.error());
    auto answer = call(*endpoint, "POST", "/api/v1/sql", body.dump(),
                       format == "csv" ? "text/csv" : "application/json");
    if (!answer.ok()) return fail("sql", answer.error());
    if (format != "table") {
        std::cout << answer->body;
        return 0;
    }
    const Json parsed = Json::parse(answer->body, nullptr, false);
    if (parsed.is_discarded())
        return fail("sql", Error(Code::internal, "the server broke its answer off; see its log"));
    print_rows(parsed);
    return 0;
}

void add_sql(CLI::App& app, ClientOptions& options, SqlOptions& sql, int& code) {
    auto* command =
        app.add_subcommand("sql", "run one statement: a table on a terminal, CSV otherwise");
    command->footer(
        "Examples:\n  tarn sql 'select count(*) from daily_sales'\n  tarn sql --format json - < "
        "report.sql\n"
        "  tarn sql 'select * from erp.stores' > stores.csv");
    command->add_option("sql", sql.text,
                        "the statement; - or nothing reads it from standard input");
    command->add_option("--database", sql.database, "schema that unqualified names belong to");
    command->add_option("--format", sql.format, "table, csv or json")
        ->check(CLI::IsMember({"table", "csv", "json"}));
    command->callback([&] { code = run_sql(options, sql); });
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app{"tarn: a governed data lake in one program", "tarn"};
    app.require_subcommand(1);
    app.fallthrough();
    Settings settings;
    ClientOptions options;
    UserOptions user;
    SqlOptions sql;
    int code = 0;
    app.add_option("--endpoint", options.endpoint,
                   "address of the server's http door (default: TARN_ENDPOINT, TARN_READY_FILE, "
                   "http://127.0.0.1:8080)");
    app.add_flag("--json", options.json, "print the server's answer as it is");
    add_serve(app, settings, code);
    add_status(app, options, code);
    add_sql(app, options, sql, code);
    add_lake_commands(app, options, code);
    add_pipeline_commands(app, options, code);
    add_verify_command(app, options, code);
    add_audit_command(app, options, code);
    add_backup_command(app, options, code);
    add_restore_commands(app, options, code);
    add_users(app, options, user, code);
    add_keys(app, options, user, code);
    app.add_subcommand("version", "print the version")->callback([] {
        std::printf("tarn %s\n", kVersion);
    });
    app.add_subcommand("settings", "print the reference of all settings")->callback([] {
        std::fputs(settings_page().c_str(), stdout);
    });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : 2;
    } catch (const nlohmann::json::exception& wrong) {  // a member is missing or of another type
        std::fprintf(stderr,
                     "tarn: the answer has another form than this version knows (%s): is it from a "
                     "tarn server of "
                     "this version?\n",
                     wrong.what());
        return 1;
    }
    return code;
}

}  // namespace tarn::app
