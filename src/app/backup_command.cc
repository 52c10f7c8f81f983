#include "app/backup_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/archive_settings.h"
#include "app/client_json.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

constexpr auto kAskEvery = std::chrono::milliseconds(200);
constexpr int kDamagedCode = 3;

struct BackupWanted {
    archive::Place to;
    std::string credentials_file, passphrase_file;
    uint64_t keep = 0;
    bool full = false, leave_key_out = false;
};

Result<Json> request_body(BackupWanted wanted) {
    TARN_CHECK_OK(read_destination_key(wanted.credentials_file, "TARN_BACKUP_", wanted.to));
    std::string passphrase;
    if (!wanted.leave_key_out) {
        TARN_TRY(found, find_passphrase(wanted.passphrase_file, true));
        passphrase = std::move(found);
    }
    auto& to = wanted.to.to;
    if (!to.starts_with("s3://")) to = std::filesystem::absolute(to).lexically_normal().string();
    return Json{{"to", to},
                {"endpoint", wanted.to.endpoint},
                {"region", wanted.to.region},
                {"ca_file", wanted.to.ca_file},
                {"access_key_id", wanted.to.access_key_id},
                {"secret_access_key", wanted.to.secret},
                {"passphrase", passphrase},
                {"keep", wanted.keep},
                {"full", wanted.full}};
}

void show_progress(const Json& last) {
    if (isatty(STDERR_FILENO) == 0) return;
    std::fprintf(stderr, "\r%s of %s bytes, %s sent \033[K", text_of(last, "bytes_done").c_str(),
                 text_of(last, "bytes_total").c_str(), text_of(last, "bytes_sent").c_str());
}

int print_outcome(const ClientOptions& options, const Json& last) {
    if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
    if (const auto error = text_of(last, "error"); !error.empty())
        return fail("backup", Error(Code::unavailable, error));
    const auto damage = last.value("damage", Json::array());
    if (options.json) {
        std::printf("%s\n", last.dump().c_str());
    } else {
        std::printf("%s in %s: %s bytes, of which %s were sent\n", text_of(last, "point").c_str(),
                    text_of(last, "to").c_str(), text_of(last, "bytes_done").c_str(),
                    text_of(last, "bytes_sent").c_str());
        if (!last.value("has_root_key", false))
            std::printf(
                "the root key is NOT in it (no passphrase was given): keep a copy of "
                "root.key elsewhere, without it a restored lake does not start\n");
    }
    for (const auto& file : damage)
        std::fprintf(stderr, "tarn backup: damaged in the lake, and so in the copy: %s\n",
                     file.get<std::string>().c_str());
    return damage.empty() ? 0 : kDamagedCode;
}

int backup(const ClientOptions& options, const BackupWanted& wanted) {
    const auto endpoint = find_endpoint(options.endpoint);
    if (!endpoint.ok()) return fail("backup", endpoint.error());
    const auto body = request_body(wanted);
    if (!body.ok()) return fail("backup", body.error());
    const auto begun = ask(*endpoint, "POST", "/api/v1/backups", *body);
    if (!begun.ok()) return fail("backup", begun.error());
    while (true) {
        const auto state = ask(*endpoint, "GET", "/api/v1/backups");
        if (!state.ok()) return fail("backup", state.error());
        const auto& last = (*state).at("last");
        if (!last.is_object())
            return fail("backup", Error(Code::unavailable, "the server has been restarted meanwhile"));
        if (!last.value("running", false)) return print_outcome(options, last);
        show_progress(last);
        std::this_thread::sleep_for(kAskEvery);
    }
}

}  // namespace

void add_backup_command(CLI::App& app, ClientOptions& options, int& code) {
    auto* command = app.add_subcommand(
        "backup", "a copy of the whole lake at one point in time, while it goes on");
    command->footer(
        "Examples:\n  tarn backup --to /mnt/other-disk/lake\n  tarn backup --to s3://copies/lake "
        "--to-endpoint https://other-tarn:4566 --keep 30\n"
        "The passphrase that seals the root key: --passphrase-file, TARN_BACKUP_PASSPHRASE, or "
        "asked for.\nThe key of an S3 destination: --to-credentials, or TARN_BACKUP_ACCESS_KEY_ID "
        "and TARN_BACKUP_SECRET_ACCESS_KEY.");
    auto wanted = std::make_shared<BackupWanted>();
    command->add_option("--to", wanted->to.to, "a folder of the server, or s3://bucket/prefix")
        ->required();
    command->add_option("--to-endpoint", wanted->to.endpoint, "of S3; without it AWS");
    command->add_option("--to-region", wanted->to.region, "of the bucket");
    command->add_option("--to-ca-file", wanted->to.ca_file,
                        "of the server: PEM of who signs the endpoint's certificate");
    command->add_option("--to-credentials", wanted->credentials_file,
                        "AWS credentials file with the destination's key");
    command->add_option("--passphrase-file", wanted->passphrase_file,
                        "file (0600) with the passphrase that seals the root key");
    command->add_flag("--without-key", wanted->leave_key_out, "leave the root key out");
    command->add_option("--keep", wanted->keep,
                        "how many backups stay there; older ones go (0: all stay)");
    command->add_flag("--full", wanted->full, "send everything again, whatever is there");
    command->callback([&options, &code, wanted] { code = backup(options, *wanted); });
}

}  // namespace tarn::app
