// For tests and benchmarks, of this module and of those above it: what SQL needs of a lake, in a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/disk.h"
#include "meta/store.h"
#include "objects/store.h"
#include "query/engine.h"
#include "query/test_rows.h"
#include "tables/object_files.h"

namespace tarn::query {

/// A new folder among the system's temporary ones; gone with its owner.
class TestFolder {
 public:
    explicit TestFolder(const std::string& of)
        : path_(std::filesystem::temp_directory_path() / (of + "-" + random_hex(6))) {
        std::filesystem::create_directories(path_);
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

 private:
    const std::filesystem::path path_;
};

inline security::Caller test_caller(
    const std::string& name = "root",
    security::Principal::Kind kind = security::Principal::Kind::root) {
    security::Caller caller;
    caller.principal.kind = kind;
    caller.principal.name = name;
    caller.door = "internal";
    return caller;
}

/// What tests grant by hand: "database.table"; nothing else is seen.
struct TestGrants final : AccessProvider {
    std::map<std::string, TableAccess> tables;

    Result<TableAccess> table_access(const security::Principal&, const std::string& database,
                                     const std::string& table) const override {
        const auto found = tables.find(database + "." + table);
        return found == tables.end() ? TableAccess{} : found->second;
    }
    Result<DatabaseAccess> database_access(const security::Principal&,
                                           const std::string&) const override {
        return DatabaseAccess{};
    }
    Result<bool> may_create_database(const security::Principal&) const override { return false; }
};

struct TestLakeOptions {
    security::Caller owner = test_caller();  // writes the files of tables; asks
    const AccessProvider* access = nullptr;  // nullptr: RootOnly
    /// A store of the test's own before the lake's: what is above sees only this one.
    std::function<std::unique_ptr<meta::Store>(meta::Store&)> around = {};
    io::Disk* extents_disk = nullptr;  // nullptr: the real one, in the lake's folder
    uint64_t extent_file_bytes = 16 << 20;
};

/// Members stand in the order in which they are built; made again over the same folder it is a restart.
struct TestLake {
    TestLake(const std::filesystem::path& folder, const Clock& clock, TestLakeOptions options = {})
        : owner(std::move(options.owner)) {
        meta::LocalStoreOptions store_options;
        store_options.directory = folder / "meta";
        store_options.free_bytes_min = 0;
        local = must(meta::LocalStore::open(disk, clock, metrics, store_options));
        if (options.around) around = options.around(*local);
        objects::LocalBytesOptions extents;
        extents.directory = options.extents_disk ? "/extents" : folder / "extents";
        extents.lake_id = local->lake_id();
        extents.free_bytes_min = 0;
        extents.file_bytes = options.extent_file_bytes;
        bytes = must(objects::open_local_bytes(options.extents_disk ? *options.extents_disk : disk,
                                               store(), metrics, extents));
        objects = must(objects::ObjectStore::open(store(), *bytes, clock, metrics, {}));
        files = std::make_unique<tables::ObjectFiles>(*objects, owner);
        catalog = std::make_unique<tables::Catalog>(store(), *files, clock);
        committer = std::make_unique<tables::Committer>(*catalog, metrics);
        EngineOptions engine_options;
        engine_options.temp_directory = folder / "spill";
        engine_options.memory_bytes = 512 << 20;
        engine = must(Engine::open(
            engine_options, {*objects, *catalog, *committer,
                             options.access ? *options.access : root_only, clock, metrics}));
    }

    meta::Store& store() const { return around ? *around : *local; }
    std::unique_ptr<Session> session() { return must(engine->connect(owner)); }
    void run(const std::string& sql) { must(session()->run(sql)); }
    /// The rows as text_of() has them, or "!sqlstate: message".
    std::string ask(const std::string& sql) {
        const auto rows = session()->query(sql);
        return rows.ok() ? text_of(*rows) : "!" + rows.error().reason + ": " + rows.error().message;
    }

    const security::Caller owner;
    io::RealDisk disk;
    Metrics metrics;
    const RootOnly root_only;
    std::unique_ptr<meta::LocalStore> local;
    std::unique_ptr<meta::Store> around;
    std::unique_ptr<objects::BytesBackend> bytes;
    std::unique_ptr<objects::ObjectStore> objects;
    std::unique_ptr<tables::ObjectFiles> files;
    std::unique_ptr<tables::Catalog> catalog;
    std::unique_ptr<tables::Committer> committer;
    std::unique_ptr<Engine> engine;
};

}  // namespace tarn::query
