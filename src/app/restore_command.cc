#include "app/restore_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/archive_settings.h"
#include "app/restore_check.h"
#include "app/table_print.h"
#include "archive/restore.h"
#include "base/log.h"
#include "base/random.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

constexpr int kDamagedCode = 3;

struct RestoreWanted {
    archive::Place from;
    std::string credentials_file, passphrase_file, root_key_file;
    std::string data, at, scratch;
    bool verify = false;
};

Result<std::unique_ptr<archive::Destination>> open_source(io::Disk& disk, const Clock& clock,
                                                          const RestoreWanted& wanted) {
    auto place = wanted.from;
    TARN_CHECK_OK(read_destination_key(wanted.credentials_file, "TARN_BACKUP_", place));
    if (!place.to.starts_with("s3://"))
        place.to = std::filesystem::absolute(place.to).lexically_normal().string();
    return archive::open_destination(disk, clock, place, archive::Use::read);
}

/// The root key of the copy, or of --root-key; empty: neither can be had.
Result<std::string> root_key_of(const archive::PointInfo& point, const std::string& sealed_key,
                                const std::string& key_check, const RestoreWanted& wanted) {
    if (!wanted.root_key_file.empty()) {
        io::RealDisk disk;
        TARN_TRY(key, io::read_file(disk, wanted.root_key_file, 32));
        if (key.size() != 32 || archive::key_check_of(key) != key_check)
            return Error(Code::unauthenticated,
                         wanted.root_key_file + " is not the root key of the lake in " + point.id);
        return key;
    }
    if (sealed_key.empty()) return std::string();
    TARN_TRY(passphrase, find_passphrase(wanted.passphrase_file, false));
    if (passphrase.empty()) return std::string();
    return archive::open_root_key(sealed_key, passphrase, key_check);
}

struct Outcome {
    archive::Wanted wanted;
    archive::Restored restored;
    bool has_key = false;
};

/// The whole way: choose, write, put the key in place, open.
Result<Outcome> restore_into(archive::Destination& source, const RestoreWanted& wanted,
                             const std::string& data) {
    io::RealDisk disk;
    Outcome out;
    TARN_TRY(chosen, archive::choose(source, wanted.at));
    out.wanted = std::move(chosen);
    const auto& point = out.wanted.point;
    // A wrong passphrase is told before hours of work.
    TARN_TRY(key_parts, archive::key_parts(source, out.wanted));
    TARN_TRY(key, root_key_of(point, key_parts.sealed_key, key_parts.key_check, wanted));
    archive::Progress progress;
    TARN_TRY(restored, archive::restore(source, disk, out.wanted, data, progress));
    out.restored = std::move(restored);
    out.has_key = !key.empty();
    if (out.has_key) TARN_CHECK_OK(io::replace_file(disk, data + "/root.key", key));
    TARN_CHECK_OK(settle_restored(data, out.restored.sequence));
    return out;
}

std::string name_of(const Outcome& outcome) {
    const auto& id = outcome.wanted.point.id;
    return outcome.wanted.tails == 0 ? id : id + "+" + std::to_string(outcome.wanted.tails);
}

Json outcome_json(const Outcome& outcome) {
    return {{"point", name_of(outcome)},
            {"time", format_iso8601(outcome.restored.time)},
            {"version", outcome.restored.sequence},
            {"files", outcome.restored.files},
            {"bytes", outcome.restored.bytes},
            {"has_root_key", outcome.has_key},
            {"damage", outcome.restored.damage}};
}

int tell_damage(const Outcome& outcome) {
    for (const auto& file : outcome.restored.damage)
        std::fprintf(stderr, "tarn restore: was damaged when it was copied: %s\n", file.c_str());
    return outcome.restored.damage.empty() ? 0 : kDamagedCode;
}

int restore(const ClientOptions& options, const RestoreWanted& wanted) {
    io::RealDisk disk;
    SystemClock clock;
    const auto source = open_source(disk, clock, wanted);
    if (!source.ok()) return fail("restore", source.error());
    const auto outcome = restore_into(**source, wanted, wanted.data);
    if (!outcome.ok()) return fail("restore", outcome.error());
    if (options.json) {
        std::printf("%s\n", outcome_json(*outcome).dump().c_str());
        return tell_damage(*outcome);
    }
    std::printf("%s is in %s: all that was acknowledged before %s (change %llu)\n",
                name_of(*outcome).c_str(), wanted.data.c_str(),
                format_iso8601(outcome->restored.time).c_str(),
                static_cast<unsigned long long>(outcome->restored.sequence));
    if (!outcome->has_key)
        std::printf("the root key is not there: put root.key (0600) into %s before tarn serve\n",
                    wanted.data.c_str());
    return tell_damage(*outcome);
}

/// A folder that goes however this ends.
class TemporaryFolder {
 public:
    explicit TemporaryFolder(const std::string& parent)
        : path_((std::filesystem::path(
                     parent.empty() ? std::filesystem::temp_directory_path().string() : parent) /
                 ("tarn-drill-" + random_hex(8)))
                    .string()) {}
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

 private:
    const std::string path_;
};

int drill(const ClientOptions& options, const RestoreWanted& wanted) {
    io::RealDisk disk;
    SystemClock clock;
    const auto source = open_source(disk, clock, wanted);
    if (!source.ok()) return fail("restore", source.error());
    const TemporaryFolder folder(wanted.scratch);
    const auto outcome = restore_into(**source, wanted, folder.path());
    if (!outcome.ok()) return fail("restore", outcome.error());
    Findings findings;
    check_restored(folder.path(), findings);
    const auto found = findings.state();
    uint64_t bytes = 0;
    for (const auto& [kind, tally] : found.looked_at) bytes += tally.bytes;
    for (const auto& finding : found.findings)
        if (finding.kind == Finding::Kind::damage)
            std::fprintf(stderr, "tarn restore: %s: %s\n", finding.where.c_str(),
                         finding.what.c_str());
    if (options.json) {
        auto out = outcome_json(*outcome);
        out["verified_bytes"] = bytes;
        out["damages"] = found.damages;
        std::printf("%s\n", out.dump().c_str());
    } else {
        std::printf(
            "%s restores: all that was acknowledged before %s (change %llu); %llu bytes "
            "checked, %llu damaged things%s\n",
            name_of(*outcome).c_str(), format_iso8601(outcome->restored.time).c_str(),
            static_cast<unsigned long long>(outcome->restored.sequence),
            static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(found.damages),
            outcome->has_key ? "" : "; without the root key, so not beyond checksums");
    }
    if (found.damages > 0 && outcome->restored.damage.empty()) return 1;
    return tell_damage(*outcome);
}

Json point_json(const archive::PointInfo& point) {
    Json out = {{"point", point.id}, {"history", point.history}};
    if (!point.problem.empty()) {
        out["problem"] = point.problem;
        return out;
    }
    out.update({{"lake_id", point.lake_id},
                {"time", format_iso8601(point.time)},
                {"latest", format_iso8601(point.latest)},
                {"tails", point.tails},
                {"version", point.sequence},
                {"bytes", point.bytes},
                {"sent_bytes", point.sent_bytes},
                {"damaged_files", point.damage},
                {"has_root_key", point.has_key}});
    return out;
}

int list(const ClientOptions& options, const RestoreWanted& wanted) {
    io::RealDisk disk;
    SystemClock clock;
    const auto source = open_source(disk, clock, wanted);
    if (!source.ok()) return fail("backups", source.error());
    const auto points = archive::list_points(**source);
    if (!points.ok()) return fail("backups", points.error());
    Json all = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& point : *points) {
        all.push_back(point_json(point));
        if (point.problem.empty())
            rows.push_back({point.id, format_iso8601(point.time),
                            point.tails == 0 ? "" : format_iso8601(point.latest),
                            std::to_string(point.bytes), std::to_string(point.sent_bytes),
                            point.has_key ? "yes" : "no", point.lake_id.substr(0, 8),
                            point.damage == 0 ? "" : std::to_string(point.damage) + " damaged"});
        else
            rows.push_back({point.id, "", "", "", "", "", "", point.problem});
    }
    if (options.json)
        std::printf("%s\n", all.dump().c_str());
    else
        std::fputs(print_table({{"point"},
                                {"time"},
                                {"followed until"},
                                {"bytes", true},
                                {"sent", true},
                                {"root key"},
                                {"lake"},
                                {"note"}},
                               rows)
                       .c_str(),
                   stdout);
    return 0;
}

void add_source_options(CLI::App& command, RestoreWanted& wanted) {
    command.add_option("--from", wanted.from.to, "a folder, or s3://bucket/prefix")->required();
    command.add_option("--from-endpoint", wanted.from.endpoint, "of S3; without it AWS");
    command.add_option("--from-region", wanted.from.region, "of the bucket");
    command.add_option("--from-ca-file", wanted.from.ca_file,
                       "PEM of who signs the endpoint's certificate");
    command.add_option("--from-credentials", wanted.credentials_file,
                       "AWS credentials file; without it TARN_BACKUP_ACCESS_KEY_ID and "
                       "TARN_BACKUP_SECRET_ACCESS_KEY");
}

}  // namespace

void add_restore_commands(CLI::App& app, ClientOptions& options, int& code) {
    auto* command = app.add_subcommand("restore", "a lake from a copy, into an empty folder");
    command->footer(
        "Examples:\n  tarn restore --from /mnt/other-disk/lake --data ./data\n"
        "  tarn restore --from s3://copies/lake --from-endpoint https://other-tarn:4566 --data "
        "./data --at 2026-11-21T22:45:00Z\n"
        "  tarn restore --from /mnt/other-disk/lake --verify      (a drill: leaves nothing)\n"
        "Exit codes: 0 all is well, 1 it is not, 2 wrong use, 3 the lake was damaged when it was "
        "copied.");
    auto wanted = std::make_shared<RestoreWanted>();
    add_source_options(*command, *wanted);
    auto* data = command->add_option("--data", wanted->data, "the folder, absent or empty");
    command->add_option("--at", wanted->at,
                        "a point (tarn backups), a point+tail, or a time; without it the newest");
    auto* verify = command->add_flag(
        "--verify", wanted->verify,
        "restore into a temporary folder, open it, check every checksum, leave nothing");
    verify->excludes(data);
    command->add_option("--scratch", wanted->scratch,
                        "where --verify makes its folder (default: the system's)");
    command->add_option("--passphrase-file", wanted->passphrase_file,
                        "file (0600) with the passphrase of the root key; else "
                        "TARN_BACKUP_PASSPHRASE, or asked for");
    command->add_option("--root-key", wanted->root_key_file, "a copy of root.key kept elsewhere");
    command->callback([&options, &code, wanted] {
        configure_log(LogLevel::warning, LogFormat::plain);
        if (wanted->verify)
            code = drill(options, *wanted);
        else if (wanted->data.empty())
            code = fail("restore", Error(Code::invalid_argument, "give --data DIR, or --verify"));
        else
            code = restore(options, *wanted);
    });

    auto* points = app.add_subcommand("backups", "what a destination of copies has to choose from");
    points->footer("Examples:\n  tarn backups --from /mnt/other-disk/lake");
    auto listed = std::make_shared<RestoreWanted>();
    add_source_options(*points, *listed);
    points->callback([&options, &code, listed] { code = list(options, *listed); });
}

}  // namespace tarn::app
