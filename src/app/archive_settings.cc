#include "app/archive_settings.h"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "app/client.h"
#include "app/lake.h"
#include "base/log.h"
#include "io/disk.h"

namespace tarn::app {
namespace {

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? "" : value;
}

/// A line from the terminal that it does not show.
std::string ask_hidden(const char* question) {
    std::fputs(question, stderr);
    termios shown{};
    tcgetattr(STDIN_FILENO, &shown);
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::string line;
    std::getline(std::cin, line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::fputs("\n", stderr);
    return line;
}

}  // namespace

Status read_destination_key(const std::string& file, const std::string& prefix,
                            archive::Place& place) {
    if (!file.empty()) {
        TARN_TRY(key, read_key_pair(file, "default"));
        place.access_key_id = key.access_key_id;
        place.secret = key.secret;
        return ok_status();
    }
    place.access_key_id = environment(prefix + "ACCESS_KEY_ID");
    place.secret = environment(prefix + "SECRET_ACCESS_KEY");
    return ok_status();
}

Result<std::string> read_passphrase_file(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0 && (about.st_mode & 077) != 0)
        return Error(Code::permission_denied,
                     path + " can be read by others: chmod 600, and take another passphrase");
    io::RealDisk disk;
    TARN_TRY(text, io::read_file(disk, path, 4096));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty()) return Error(Code::invalid_argument, path + " holds no passphrase");
    return text;
}

Result<std::string> find_passphrase(const std::string& file, bool twice) {
    if (!file.empty()) return read_passphrase_file(file);
    if (auto given = environment("TARN_BACKUP_PASSPHRASE"); !given.empty()) return given;
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return std::string();
    while (true) {
        auto first = ask_hidden("Passphrase for the root key (empty: leave the key out): ");
        if (first.empty() || !twice || ask_hidden("Again: ") == first) return first;
        std::fputs("They differ.\n", stderr);
    }
}

Result<std::unique_ptr<archive::Archive>> open_archive(Lake& lake, const Settings& settings) {
    const auto data = std::filesystem::absolute(settings.data).lexically_normal().string();
    archive::ArchiveOptions options;
    options.history_file = lake.folder->file("history");
    TARN_TRY(root_key, io::read_file(lake.disk, lake.folder->file("root.key"), 32));
    options.root_key = std::move(root_key);
    options.archive_keep_days = settings.archive_keep_days;
    if (!settings.archive.empty()) {
        archive::Place place;
        place.to = settings.archive;
        place.endpoint = settings.archive_endpoint;
        place.region = settings.archive_region;
        place.ca_file = settings.archive_ca_file;
        TARN_CHECK_OK(
            read_destination_key(settings.archive_credentials_file, "TARN_ARCHIVE_", place));
        if ((place.to + "/").starts_with(data + "/"))
            return Error(
                Code::invalid_argument,
                "--archive " + place.to + " lies in the data folder: it would be lost with it");
        options.archive = place;
        if (!settings.archive_passphrase_file.empty()) {
            TARN_TRY(passphrase, read_passphrase_file(settings.archive_passphrase_file));
            options.archive_passphrase = std::move(passphrase);
        } else {
            log_warning("archive",
                        "the root key is not in the archive (no --archive-passphrase-file): keep a "
                        "copy of it elsewhere, without it a restored lake does not start",
                        {{"file", lake.folder->file("root.key")}});
        }
    }
    return archive::Archive::open({*lake.store, *lake.bytes, lake.disk, lake.clock, data},
                                  lake.metrics, std::move(options));
}

}  // namespace tarn::app
