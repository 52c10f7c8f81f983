// For tests: a lake over a disk in memory, small in all its sizes, on a clock that stands still,
// with one workload for each kind of change that is acknowledged.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "events/alerts.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "io/crash_harness.h"
#include "meta/store.h"
#include "objects/store.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/keyring.h"
#include "security/users.h"
#include "streams/streams.h"
#include "tables/object_files.h"

namespace tarn::app {

/// Members stand in the order in which they are built.
struct CrashParts {
    io::FaultyDisk* disk = nullptr;
    objects::LocalBytesOptions extents;
    ManualClock clock;
    Metrics metrics;
    query::RootOnly access;
    std::unique_ptr<security::Keyring> keyring;
    std::unique_ptr<meta::LocalStore> store;
    std::unique_ptr<security::Users> users;
    std::unique_ptr<security::AuditTrail> audit;
    std::unique_ptr<streams::Streams> streams;
    std::unique_ptr<objects::BytesBackend> bytes;
    std::unique_ptr<objects::ObjectStore> objects;
    std::unique_ptr<tables::ObjectFiles> files;
    std::unique_ptr<tables::Catalog> catalog;
    std::unique_ptr<tables::Committer> committer;
    std::unique_ptr<query::Engine> engine;
    std::unique_ptr<query::Session> session;  // the first use makes it
    std::unique_ptr<events::Alerts> alerts;
    std::unique_ptr<flows::Graph> graph;
    std::filesystem::path folder;  // spilled rows, dropped files

    security::Caller caller(const std::string& action) const;
    Result<uint64_t> run(const std::string& sql);
    /// Rows as "a,b;c,d"; "absent" for a table that does not exist.
    Result<std::string> ask(const std::string& sql);
    /// Computes what is due.
    void settle() { graph->run_due(); }
};

class CrashLake final : public io::CrashSubject {
 public:
    static constexpr const char* kKinds[] = {"objects",  "multipart", "streams",  "commits",
                                             "sql",      "files",     "computed", "alerts",
                                             "accounts", "audit"};

    static Result<std::unique_ptr<io::CrashSubject>> open(io::FaultyDisk& disk,
                                                          const std::filesystem::path& folder);

    std::vector<io::CrashWorkload*> workloads() override;
    void maintain(Random& random) override;
    Status check() override;
    bool healthy() const override { return parts_.store->healthy() && parts_.bytes->healthy(); }

 private:
    CrashLake() = default;
    Status open_parts(io::FaultyDisk& disk);
    Status open_pipeline();

    CrashParts parts_;
    std::vector<std::unique_ptr<io::CrashWorkload>> workloads_;
};

}  // namespace tarn::app
