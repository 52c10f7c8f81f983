#include "tables/internal/memory_lake.h"

#include <atomic>

#include "base/bytes.h"
#include "base/random.h"
#include "fmt/format.h"

namespace tarn::tables::testing {

namespace {

class RecordsIterator final : public meta::Iterator {
 public:
    RecordsIterator(std::shared_ptr<const Records> records, meta::Range range)
        : records_(std::move(records)),
          range_(std::move(range)),
          at_(records_->lower_bound(range_.from)) {
        TARN_ASSERT(!range_.reverse);
    }
    bool valid() const override {
        return at_ != records_->end() && (range_.to.empty() || at_->first < range_.to);
    }
    std::string_view key() const override { return at_->first; }
    Result<meta::Record> record() const override { return *at_->second; }
    void next() override { ++at_; }
    void seek(std::string_view key) override { at_ = records_->lower_bound(std::string(key)); }
    Status status() const override { return {}; }

 private:
    std::shared_ptr<const Records> records_;
    meta::Range range_;
    Records::const_iterator at_;
};

class RecordsSnapshot final : public meta::Snapshot {
 public:
    RecordsSnapshot(std::shared_ptr<const Records> records, meta::Version version)
        : records_(std::move(records)), version_(version) {}
    Result<std::optional<meta::Record>> get(std::string_view key) const override {
        const auto found = records_->find(std::string(key));
        return found == records_->end() ? std::optional<meta::Record>() : *found->second;
    }
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override {
        return std::make_unique<RecordsIterator>(records_, std::move(range));
    }
    meta::Version version() const override { return version_; }

 private:
    std::shared_ptr<const Records> records_;
    meta::Version version_;
};

bool holds(const Records& records, const meta::Batch::Condition& condition) {
    using Kind = meta::Batch::Condition::Kind;
    const auto found = records.find(condition.key);
    const bool present = found != records.end();
    switch (condition.kind) {
        case Kind::absent:
            return !present;
        case Kind::present:
            return present;
        case Kind::version:
            return present ? found->second->version == condition.version : condition.version == 0;
        case Kind::value:
            return present ? condition.has_operand && found->second->value == condition.operand
                           : !condition.has_operand;
        case Kind::empty_range: {
            const auto first = records.lower_bound(condition.key);
            return first == records.end() || first->first >= condition.operand;
        }
    }
    return false;
}

std::shared_ptr<const meta::Record> make_record(std::string value, meta::Version version) {
    return std::make_shared<const meta::Record>(meta::Record{std::move(value), version, nullptr});
}

void apply(Records& records, const meta::Batch::Operation& operation, meta::Version version,
           std::vector<uint64_t>* offsets) {
    using Kind = meta::Batch::Operation::Kind;
    switch (operation.kind) {
        case Kind::put:
        case Kind::put_keep_body:
            records[operation.key] = make_record(operation.value, version);
            return;
        case Kind::erase:
            records.erase(operation.key);
            return;
        case Kind::erase_range:
            records.erase(records.lower_bound(operation.key), records.lower_bound(operation.value));
            return;
        case Kind::add: {
            auto& record = records[operation.key];
            std::string value;
            append_le(value, (record == nullptr ? 0 : load_le<int64_t>(record->value.data())) +
                                 operation.number);
            record = make_record(std::move(value), version);
            return;
        }
        case Kind::append: {
            auto& next = records["#" + operation.key];
            const uint64_t offset = next == nullptr ? 0 : std::stoull(next->value);
            next = make_record(std::to_string(offset + static_cast<uint64_t>(operation.number)),
                               version);
            offsets->push_back(offset);
            records[meta::sequence_key(operation.key, offset)] =
                make_record(operation.value, version);
            return;
        }
    }
}

class StagedNothing final : public Files::Staged {
 public:
    void committed() override {}
};

}  // namespace

Result<std::optional<meta::Record>> MemoryStore::get(std::string_view key) const {
    return snapshot()->get(key);
}

std::unique_ptr<meta::Iterator> MemoryStore::scan(meta::Range range) const {
    return snapshot()->scan(std::move(range));
}

std::shared_ptr<const meta::Snapshot> MemoryStore::snapshot() const {
    MutexLock lock(mutex_);
    return std::make_shared<RecordsSnapshot>(records_, version_);
}

Result<meta::Commit> MemoryStore::commit(meta::Batch batch) {
    if (before_commit) before_commit();
    MutexLock lock(mutex_);
    for (const auto& condition : batch.conditions())
        if (!holds(*records_, condition)) return Error(condition.otherwise);
    meta::Commit commit;
    commit.version = ++version_;
    ++commits_;
    if (records_.use_count() > 1)
        records_ = std::make_shared<Records>(*records_);  // a snapshot holds it
    auto& records = const_cast<Records&>(*records_);
    for (const auto& operation : batch.operations())
        apply(records, operation, version_, &commit.offsets);
    return commit;
}

void MemoryStore::commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) {
    done(commit(std::move(batch)));
}

meta::Version MemoryStore::last_version() const {
    MutexLock lock(mutex_);
    return version_;
}

size_t MemoryStore::commits() const {
    MutexLock lock(mutex_);
    return commits_;
}

Result<std::string> MemoryFiles::read(const std::string& path, uint64_t) const {
    TARN_TRY(record, store_.get("f/" + path));
    if (!record) return Error(Code::not_found, path + ": no such file");
    return record->value;
}

Result<std::unique_ptr<Files::Staged>> MemoryFiles::stage_put(meta::Batch& batch,
                                                              const std::string& path,
                                                              std::string bytes) {
    batch.require_absent("f/" + path, Error(Code::conflict, path + ": exists"));
    batch.put("f/" + path, std::move(bytes));
    return std::unique_ptr<Staged>(std::make_unique<StagedNothing>());
}

Result<std::vector<Files::Listed>> MemoryFiles::list(const std::string& prefix,
                                                     const std::string& after, size_t count) const {
    std::vector<Listed> listed;
    const auto records = store_.scan({"f/" + std::max(prefix, after), "", false});
    for (; records->valid() && listed.size() < count; records->next()) {
        const std::string path(records->key().substr(2));
        if (records->key().substr(0, 2) != "f/" || !path.starts_with(prefix)) break;
        TARN_TRY(record, records->record());
        if (path > after)
            listed.push_back(
                {path, static_cast<int64_t>(record.value.size()), clock_.now().micros});
    }
    return listed;
}

Status MemoryFiles::remove(const std::vector<std::string>& paths) {
    meta::Batch batch;
    for (const auto& path : paths) batch.erase("f/" + path);
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return {};
}

void MemoryFiles::put(const std::string& path, std::string bytes) {
    const auto done = store_.commit(std::move(meta::Batch().put("f/" + path, std::move(bytes))));
    TARN_ASSERT(done.ok());
}

std::map<std::string, std::string> MemoryFiles::all() const {
    std::map<std::string, std::string> files;
    const auto records = store_.scan({"f/", "f0", false});
    for (; records->valid(); records->next())
        files[std::string(records->key().substr(2))] = records->record().value().value;
    return files;
}

Lake::Lake(CommitterOptions options)
    : catalog(store, files, clock), committer(catalog, metrics, options) {
    caller.principal.name = "root";
    const auto created = catalog.create_database(caller, {"shop", "", {}, false});
    TARN_ASSERT(created.ok());
}

TablePtr Lake::create(const std::string& name, std::vector<Field> columns,
                      std::vector<PartitionField> partition, Properties properties) {
    CreateTable spec;
    spec.database = "shop";
    spec.name = name;
    spec.schema.fields = std::move(columns);
    spec.partition = std::move(partition);
    spec.properties = std::move(properties);
    auto table = catalog.create_table(caller, spec);
    TARN_ASSERT(table.ok());
    return *table;
}

TablePtr Lake::load(const std::string& name) {
    auto table = catalog.snapshot().load_table("shop", name);
    TARN_ASSERT(table.ok());
    return *table;
}

TablePtr Lake::again(const TablePtr& table) {
    return load(table->info.name);
}

DataFile Lake::file(const TablePtr& table, int64_t records, Partition partition) {
    DataFile file;
    file.path = fmt::format("{}/data/{}.parquet", table->metadata->location, random_uuid());
    file.spec_id = table->metadata->default_spec_id;
    file.partition = std::move(partition);
    file.record_count = records;
    file.file_size_bytes = 100 * records;
    return file;
}

DataFile Lake::deletes(const DataFile& data, const TablePtr& table, int64_t records) {
    DataFile deletes = file(table, records, data.partition);
    deletes.content = FileContent::position_deletes;
    deletes.spec_id = data.spec_id;
    deletes.referenced_data_file = data.path;
    return deletes;
}

Result<CommitResult> Lake::append(const TablePtr& table, std::vector<DataFile> data,
                                  meta::Batch extra) {
    return committer.commit(caller, {TableChange::append_to(table, std::move(data))},
                            std::move(extra));
}

Result<CommitResult> Lake::commit(TableChange change, meta::Batch extra) {
    return committer.commit(caller, {std::move(change)}, std::move(extra));
}

int64_t Lake::records(const TablePtr& table) {
    auto plan = plan_scan(catalog, again(table));
    TARN_ASSERT(plan.ok());
    return plan->records;
}

std::vector<Field> shop_columns() {
    return {{1, "id", Type::of(TypeId::int64), true, {}},
            {2, "name", Type::of(TypeId::string), false, {}},
            {3, "day", Type::of(TypeId::date), false, {}}};
}

}  // namespace tarn::tables::testing
