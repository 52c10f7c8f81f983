// For tests: a local store in a folder of its own that can be closed, reopened, and crashed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/disk.h"
#include "meta/internal/copy_folder.h"
#include "meta/store.h"

namespace tarn::meta {

class TestStore {
 public:
    static LocalStoreOptions small() {
        LocalStoreOptions options;
        options.segment_bytes = 1 << 20;
        return options;
    }
    explicit TestStore(LocalStoreOptions options = small()) : options_(std::move(options)) {
        options_.free_bytes_min = 0;
        root_ = std::filesystem::temp_directory_path() / ("tarn_meta_test_" + random_hex(8));
        options_.directory = root_ / "0";
        open();
    }
    ~TestStore() {
        store_.reset();
        std::filesystem::remove_all(root_);
    }

    LocalStore& operator*() { return *store_; }
    LocalStore* operator->() { return store_.get(); }

    void close() { store_.reset(); }
    void open() {
        auto opened = LocalStore::open(disk_, clock_, metrics_, options_);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        store_ = std::move(opened).value();
    }
    /// What open() says.
    Status try_open() {
        auto opened = LocalStore::open(disk_, clock_, metrics_, options_);
        if (!opened.ok()) return opened.error();
        store_ = std::move(opened).value();
        return ok_status();
    }
    void reopen() {
        close();
        open();
    }
    /// As if the process had died now: goes on with a copy of the files that was taken while the
    /// store was open. With `older_index`, the index is as in that copy (see copy_index()) and the
    /// log as now.
    void crash(const std::string& older_index = {}) {
        const auto next = root_ / std::to_string(++generation_);
        copy_folder(options_.directory, next);
        close();
        std::filesystem::remove_all(options_.directory);
        if (!older_index.empty()) {
            std::filesystem::remove_all(next / "index");
            std::filesystem::rename(older_index, next / "index");
        }
        options_.directory = next;
        open();
    }
    std::string copy_index() {
        const auto copy = root_ / ("index_" + std::to_string(++generation_));
        copy_folder(options_.directory + "/index", copy);
        return copy;
    }

    std::string directory() const { return options_.directory; }
    uint64_t log_bytes() const {
        uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::directory_iterator(options_.directory + "/wal"))
            if (entry.is_regular_file()) bytes += entry.file_size();
        return bytes;
    }
    Metrics& metrics() { return metrics_; }

    Version put(const std::string& key, const std::string& value) {
        return commit(Batch().put(key, value));
    }
    Version put(const std::string& key, const std::string& value, const std::string& body) {
        return commit(Batch().put(key, value, body));
    }
    Version commit(Batch batch) {
        auto committed = store_->commit(std::move(batch));
        EXPECT_TRUE(committed.ok()) << committed.error().message;
        return committed.ok() ? committed->version : 0;
    }
    std::optional<Record> get(const std::string& key) { return get(*store_, key); }
    static std::optional<Record> get(const Reader& reader, const std::string& key) {
        auto got = reader.get(key);
        EXPECT_TRUE(got.ok()) << got.error().message;
        return got.ok() ? std::move(got).value() : std::nullopt;
    }
    std::string value(const std::string& key) {
        const auto record = get(key);
        return record ? record->value : "(absent)";
    }
    static std::string body(const std::optional<Record>& record) {
        if (!record || !record->body) return "(none)";
        auto bytes = record->body->read(0, record->body->size());
        return bytes.ok() ? *bytes : bytes.error().message;
    }
    std::string body(const std::string& key) { return body(get(key)); }
    static std::vector<std::string> keys(const Reader& reader, Range range = {}) {
        std::vector<std::string> keys;
        auto it = reader.scan(std::move(range));
        for (; it->valid(); it->next()) keys.emplace_back(it->key());
        EXPECT_TRUE(it->status().ok());
        return keys;
    }
    std::vector<std::string> keys(Range range = {}) { return keys(*store_, std::move(range)); }

 private:
    std::filesystem::path root_;
    LocalStoreOptions options_;
    int generation_ = 0;
    io::RealDisk disk_;
    SystemClock clock_;
    Metrics metrics_;
    std::unique_ptr<LocalStore> store_;
};

}  // namespace tarn::meta
