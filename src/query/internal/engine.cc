#include "query/engine.h"

#include <filesystem>

#include "base/log.h"
#include "duckdb/common/types.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/inside.h"
#include "query/internal/rows.h"
#include "query/internal/session.h"
#include "query/upkeep.h"

namespace tarn::query {

namespace {

class LakeEngine final : public Engine, public EngineInside {
 public:
    LakeEngine(EngineOptions options, EngineParts parts)
        : services_(std::move(options), parts),
          admission_({services_.options.running_max,
                      std::max<size_t>(1, services_.options.running_max - services_.options.running_max / 4),
                      services_.options.admission_wait_max,
                      services_.options.process_memory_bytes},
                     parts.metrics) {}

    Result<std::unique_ptr<Session>> connect(security::Caller caller,
                                             std::string database) override {
        TARN_TRY(opened, this->database());
        {
            const MutexLock lock(mutex_);
            if (sessions_ >= services_.options.sessions_max)
                return Error{Code::exhausted, "sorry, too many clients already", "53300"};
            ++sessions_;
        }
        const auto gone = [this] {
            const MutexLock lock(mutex_);
            --sessions_;
        };
        try {
            const std::vector<std::string> path = {database};
            auto connection = opened->connect(caller, false, path);
            return std::unique_ptr<Session>(std::make_unique<LakeSession>(
                services_, admission_, std::move(connection), std::move(caller), path, gone));
        } catch (const std::exception& problem) {
            gone();
            return to_error(duck::ErrorData(problem), {}).error;
        }
    }

    Result<std::unique_ptr<RowWriter>> write_rows(const std::string& database,
                                                  const std::string& table,
                                                  std::vector<std::string> columns) override {
        TARN_TRY(state, services_.parts.catalog.snapshot().load_table(database, table));
        return write_rows_of(std::move(state), std::move(columns));
    }

    Result<std::unique_ptr<RowWriter>> write_rows_of(tables::TablePtr table,
                                                     std::vector<std::string> columns) override {
        TARN_TRY(opened, this->database());
        auto connection = opened->connect(system_caller(services_.parts.clock.now()), true,
                                          {table->info.database});
        TARN_TRY(writer,
                 LakeRowWriter::open(services_, std::move(connection), std::move(table), columns));
        return std::unique_ptr<RowWriter>(std::move(writer));
    }

    Result<tables::TableChange> upsert(const std::string& database, const std::string& table,
                                       const std::vector<std::string>& key, const Chunk& rows,
                                       std::vector<std::string> columns) override {
        TARN_TRY(opened, this->database());
        TARN_TRY(state, services_.parts.catalog.snapshot().load_table(database, table));
        return upsert_rows(services_, *opened, state, key, rows, columns);
    }

    Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup& group) override {
        TARN_TRY(opened, this->database());
        return rewrite_files(services_, *opened, group);
    }

    Services& services() override { return services_; }
    Result<Database*> database() override {
        const MutexLock lock(mutex_);
        if (database_ && database_->healthy()) return database_.get();
        if (database_) {
            log_error("query", "DuckDB failed from inside: new sessions get a new one");
            retired_.push_back(std::move(database_));  // sessions still hold its connections
        }
        tables::CreateDatabase main;
        main.name = "main";
        main.if_absent = true;
        TARN_CHECK_OK(services_.parts.catalog.create_database(
            system_caller(services_.parts.clock.now()), main));
        try {
            database_ = std::make_unique<Database>(services_);
        } catch (const std::exception& problem) {
            return to_error(duck::ErrorData(problem), {}).error;
        }
        return database_.get();
    }
    Database* opened_database() override {
        const MutexLock lock(mutex_);
        return database_ && database_->healthy() ? database_.get() : nullptr;
    }

 private:
    Services services_;
    Admission admission_;
    Mutex mutex_;
    std::unique_ptr<Database> database_ TARN_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<Database>> retired_ TARN_GUARDED_BY(mutex_);
    size_t sessions_ TARN_GUARDED_BY(mutex_) = 0;
};

}  // namespace

void tend(Engine& engine) {
    if (auto* database = EngineInside::of(engine).opened_database()) database->file_cache().tend();
}

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options, EngineParts parts) {
    if (options.process_memory_bytes == 0) options.process_memory_bytes = 3 * options.memory_bytes;
    if (!options.temp_directory.empty()) {
        std::error_code problem;
        std::filesystem::remove_all(options.temp_directory, problem);
    }
    return std::unique_ptr<Engine>(std::make_unique<LakeEngine>(std::move(options), parts));
}

Result<Type> parse_type(std::string_view text) {
    try {
        const auto columns = duck::Parser::ParseColumnList("c " + std::string(text));
        if (columns.LogicalColumnCount() != 1)
            return Error{Code::invalid_argument, "\"" + std::string(text) + "\" is not a type",
                         "42704"};
        auto type = columns.GetColumn(duck::LogicalIndex(0)).Type();
        if (type.id() == duck::LogicalTypeId::UNBOUND)
            type = duck::UnboundType::TryDefaultBind(type);
        if (type.id() == duck::LogicalTypeId::UNBOUND || type.id() == duck::LogicalTypeId::INVALID)
            return Error{Code::invalid_argument,
                         "type \"" + std::string(text) + "\" does not exist", "42704"};
        TARN_TRY(column, duck_to_iceberg(type));
        return type_from_duck(iceberg_to_duck(column));
    } catch (const std::exception& problem) {
        return to_error(duck::ErrorData(problem), text).error;
    }
}

}  // namespace tarn::query
