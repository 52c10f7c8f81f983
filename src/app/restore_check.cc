#include "app/restore_check.h"

#include "app/lake.h"
#include "app/lake_verify.h"
#include "objects/copying.h"

namespace tarn::app {
namespace {

constexpr uint64_t kReadBytes = 8u << 20;

Result<std::unique_ptr<meta::LocalStore>> open_store(const std::string& data, io::Disk& disk,
                                                     const Clock& clock, Metrics& metrics) {
    meta::LocalStoreOptions options;
    options.directory = data + "/state";
    return meta::LocalStore::open(disk, clock, metrics, options);
}

void check_bodies(const meta::Reader& state, Findings& findings) {
    auto walk = state.scan({});
    for (; walk->valid() && !findings.stopped(); walk->next()) {
        const auto record = walk->record();
        if (!record.ok()) {
            findings.damage("a record of the index", record.error().message);
            continue;
        }
        const auto* body = record->body.get();
        const auto bytes =
            body == nullptr ? Result<std::string>(std::string()) : body->read(0, body->size());
        findings.looked_at("records", body == nullptr ? 0 : body->size());
        if (!bytes.ok()) findings.damage("a body in the log", bytes.error().message);
    }
    if (!walk->status().ok()) findings.damage("the index", walk->status().error().message);
}

Status check_extent(const io::File& file, const objects::Extent& extent, Findings& findings) {
    TARN_TRY(reader, objects::ExtentReader::open(file, extent));
    for (uint64_t at = 0; at < extent.length; at += kReadBytes)
        TARN_CHECK_OK(reader.read(at, std::min(kReadBytes, extent.length - at)));
    findings.looked_at("extents", extent.length);
    if (reader.damaged_blocks() == 0) return ok_status();
    return Error(Code::corrupted, std::to_string(reader.damaged_blocks()) +
                                      " blocks of the extent at " + std::to_string(extent.offset) +
                                      " do not match their checksums");
}

Status check_extents(const std::string& data, io::Disk& disk, const meta::Reader& state,
                     Findings& findings) {
    TARN_TRY(files, objects::extent_files(state));
    for (const auto& file : files) {
        TARN_TRY(extents, objects::extents_of_file(state, file.id));
        if (extents.empty()) continue;
        const auto name = "extents/" + objects::extent_file_name(file.id);
        const auto opened = disk.open(data + "/" + name, io::OpenMode::read);
        if (!opened.ok()) {
            findings.damage(name, opened.error().message);
            continue;
        }
        for (const auto& extent : extents) {
            const Status checked = check_extent(**opened, extent, findings);
            if (!checked.ok()) findings.damage(name, checked.error().message);
        }
    }
    return ok_status();
}

void check_without_key(const std::string& data, Findings& findings) {
    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    const auto store = open_store(data, disk, clock, metrics);
    if (!store.ok()) return findings.damage(data, store.error().message);
    check_bodies(**store, findings);
    const Status extents = check_extents(data, disk, **store, findings);
    if (!extents.ok()) findings.damage("the index", extents.error().message);
}

}  // namespace

Status settle_restored(const std::string& data, uint64_t sequence) {
    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    TARN_TRY(store, open_store(data, disk, clock, metrics));
    if (store->last_version() != sequence)
        return Error(Code::corrupted, "the restored log ends with change " +
                                          std::to_string(store->last_version()) +
                                          ", the copy says " + std::to_string(sequence));
    TARN_TRY(has_key, disk.exists(data + "/root.key"));
    if (!has_key) return ok_status();
    TARN_TRY(keyring, security::Keyring::open(disk, data, true));
    TARN_TRY(users, security::Users::open(*store, *keyring, clock));
    return users->write_credentials_file(disk, data + "/root.credentials");
}

void check_restored(const std::string& data, Findings& findings) {
    io::RealDisk disk;
    const auto has_key = disk.exists(data + "/root.key");
    if (!has_key.ok() || !*has_key) return check_without_key(data, findings);
    Settings settings;
    settings.data = data;
    auto lake = Lake::open(settings);
    if (!lake.ok()) return findings.damage(data, lake.error().message);
    verify_lake(**lake, findings);
    (*lake)->close();
}

}  // namespace tarn::app
