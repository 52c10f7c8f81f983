#include "query/internal/database.h"

#include <filesystem>

#include "duckdb/main/valid_checker.hpp"
#include "query/internal/files.h"
#include "query/internal/lake.h"
#include "query/internal/pg_catalog/pg_catalog.h"
#include "query/upkeep.h"

namespace tarn::query {

namespace {

constexpr size_t kFileCacheRounds = std::chrono::minutes(5) / kUpkeepInterval;

void run(duck::Connection& connection, const std::string& sql) {
    const auto result = connection.Query(sql);
    if (result->HasError()) result->ThrowError();
}

/// Half of what is free now, so that a large query does not take the space that commits need.
/// DuckDB would take nine tenths.
void limit_spill(duck::Connection& connection, const std::string& temp_directory) {
    if (temp_directory.empty()) return;
    std::error_code problem;
    const auto folder = std::filesystem::path(temp_directory).parent_path();
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, problem);
    if (problem) return;
    const auto kib = std::to_string(space.available / 2 / 1024);
    run(connection, "SET GLOBAL max_temp_directory_size = '" + kib + "KiB'");
}

}  // namespace

Database::Database(Services& services) {
    duck::DBConfig config;
    const auto& options = services.options;
    config.SetOptionByName("threads", duck::Value::UBIGINT(options.threads));
    config.SetOptionByName("memory_limit",
                           duck::Value(std::to_string(options.memory_bytes / 1'000'000) + "MB"));
    config.SetOptionByName("temp_directory", duck::Value(options.temp_directory));
    config.SetOptionByName("autoinstall_known_extensions", duck::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duck::Value::BOOLEAN(false));
    register_lake(config, services);
    register_governance(config);
    duck_ = duck::make_uniq<duck::DuckDB>(nullptr, &config);
    duck_->GetFileSystem().RegisterSubSystem(duck::make_uniq<LakeFileSystem>(services));

    duck::Connection connection(*duck_);
    auto& context = *connection.context;
    SessionState::of(context).internal = true;
    connection.BeginTransaction();
    auto& system = duck::Catalog::GetSystemCatalog(context);
    auto& scan =
        system.GetEntry<duck::TableFunctionCatalogEntry>(context, DEFAULT_SCHEMA, "parquet_scan");
    services.parquet_scan = std::make_unique<duck::TableFunction>(
        scan.functions.GetFunctionByArguments(context, {duck::LogicalType::VARCHAR}));
    services.parquet_copy = std::make_unique<duck::CopyFunction>(
        system.GetEntry<duck::CopyFunctionCatalogEntry>(context, DEFAULT_SCHEMA, "parquet")
            .function);
    connection.Commit();

    run(connection, std::string("ATTACH '' AS ") + kLake + " (TYPE tarn)");
    run(connection, "SET GLOBAL TimeZone = 'UTC'");
    run(connection, "SET GLOBAL errors_as_json = true");
    run(connection, "SET GLOBAL parquet_metadata_cache = true");
    run(connection, "SET GLOBAL scalar_subquery_error_on_multiple_rows = true");
    limit_spill(connection, options.temp_directory);
    run(connection, "SET GLOBAL allowed_directories = ['s3://']");
    run(connection, "SET GLOBAL enable_external_access = false");
    run(connection, "SET GLOBAL lock_configuration = true");
    install_pg_catalog(connection);
    lock_down(connection);
    duck::DBConfig::GetConfig(context).replacement_scans.clear();
    file_cache_ = std::make_unique<FileCache>(
        *duck_->instance, FileCacheLimits{options.memory_bytes / 2, kFileCacheRounds},
        services.parts.metrics);
}

std::unique_ptr<duck::Connection> Database::connect(security::Caller caller, bool internal,
                                                    const std::vector<std::string>& search_path) {
    auto connection = std::make_unique<duck::Connection>(*duck_);
    auto& state = SessionState::of(*connection->context);
    state.caller = std::move(caller);
    state.internal = internal;
    set_search_path(*connection->context, search_path);
    return connection;
}

bool Database::healthy() const {
    return !duck::ValidChecker::IsInvalidated(*duck_->instance);
}

void set_search_path(duck::ClientContext& context, const std::vector<std::string>& databases) {
    duck::vector<duck::CatalogSearchEntry> path;
    for (const auto& database : databases)  // none, or one without a name, is main: as in Settings
        path.emplace_back(kLake, database.empty() ? "main" : database);
    if (path.empty()) path.emplace_back(kLake, "main");
    duck::ClientData::Get(context).catalog_search_path->Set(std::move(path),
                                                            duck::CatalogSetPathType::SET_DIRECTLY);
}

}  // namespace tarn::query
