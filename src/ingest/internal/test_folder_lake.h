// For tests and benchmarks: a whole lake in a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "ingest/sources.h"
#include "io/disk.h"
#include "objects/store.h"
#include "query/engine.h"
#include "query/test_rows.h"
#include "streams/streams.h"
#include "tables/object_files.h"

namespace tarn::ingest {

struct AllMayAll final : query::AccessProvider {
    Result<query::TableAccess> table_access(const security::Principal&, const std::string&,
                                            const std::string&) const override {
        return query::TableAccess{};
    }
    Result<query::DatabaseAccess> database_access(const security::Principal&,
                                                  const std::string&) const override {
        return query::DatabaseAccess{};
    }
    Result<bool> may_create_database(const security::Principal&) const override { return true; }
};

using query::must;

inline security::Caller root() {
    security::Caller caller;
    caller.principal.kind = security::Principal::Kind::root;
    caller.principal.name = "root";
    caller.door = "internal";
    return caller;
}

/// All of a lake; opening it again over the same folder and disk is a restart.
struct TestLake {
    TestLake(const std::filesystem::path& folder, io::Disk& extents,
             const std::string& extents_folder = "/extents") {
        meta::LocalStoreOptions store_options;
        store_options.directory = folder / "meta";
        store_options.free_bytes_min = 0;
        store = must(meta::LocalStore::open(disk, clock, metrics, store_options));
        objects::LocalBytesOptions bytes_options;
        bytes_options.directory = extents_folder;
        bytes_options.lake_id = store->lake_id();
        bytes_options.free_bytes_min = 0;
        bytes_options.file_bytes = 16 << 20;
        bytes = must(objects::open_local_bytes(extents, *store, metrics, bytes_options));
        objects = must(objects::ObjectStore::open(*store, *bytes, clock, metrics, {}));
        files = std::make_unique<tables::ObjectFiles>(*objects, root());
        catalog = std::make_unique<tables::Catalog>(*store, *files, clock);
        committer = std::make_unique<tables::Committer>(*catalog, metrics);
        streams = std::make_unique<streams::Streams>(*store, clock, metrics);
        query::EngineOptions options;
        options.temp_directory = folder / "spill";
        options.memory_bytes = 512 << 20;
        engine = must(
            query::Engine::open(options, {*objects, *catalog, *committer, access, clock, metrics}));
        parts.emplace(SourcesParts{*store, *objects, *streams, *catalog, *committer, *engine, clock,
                                   metrics, root});
    }

    std::string ask(const std::string& sql) {
        auto session = must(engine->connect(root()));
        const auto rows = session->query(sql);
        if (!rows.ok()) return "!" + rows.error().message;
        return query::text_of(*rows);
    }

    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    AllMayAll access;
    std::unique_ptr<meta::LocalStore> store;
    std::unique_ptr<objects::BytesBackend> bytes;
    std::unique_ptr<objects::ObjectStore> objects;
    std::unique_ptr<tables::ObjectFiles> files;
    std::unique_ptr<tables::Catalog> catalog;
    std::unique_ptr<tables::Committer> committer;
    std::unique_ptr<streams::Streams> streams;
    std::unique_ptr<query::Engine> engine;
    std::optional<SourcesParts> parts;
};

}  // namespace tarn::ingest
