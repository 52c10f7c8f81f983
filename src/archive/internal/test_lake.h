// For tests: a store with large bytes beside it, on a disk in memory, whose whole content can be
// told in one text and compared with that of a restored one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "archive/archive.h"
#include "archive/source.h"
#include "base/bytes.h"
#include "base/metrics.h"
#include "io/faulty_disk.h"
#include "meta/store.h"
#include "objects/bytes.h"
#include "objects/copying.h"

namespace tarn::archive {

class TestLake {
 public:
    static constexpr const char* kFolder = "/lake";

    TestLake() { open(); }
    /// Opens what is on a disk.
    explicit TestLake(std::unique_ptr<io::FaultyDisk> disk) : disk_(std::move(disk)) { open(); }
    ~TestLake() {
        bytes_.reset();
        store_.reset();
    }

    void open() {
        meta::LocalStoreOptions options;
        options.directory = std::string(kFolder) + "/state";
        options.segment_bytes = 1 << 20;
        options.free_bytes_min = 0;
        auto store = meta::LocalStore::open(*disk_, clock_, metrics_, options);
        ASSERT_TRUE(store.ok()) << store.error().message;
        store_ = std::move(store).value();
        objects::LocalBytesOptions extents;
        extents.directory = std::string(kFolder) + "/extents";
        extents.lake_id = store_->lake_id();
        extents.file_bytes = 1 << 20;
        extents.preallocate_bytes = 1 << 16;
        extents.free_bytes_min = 0;
        auto bytes = objects::open_local_bytes(*disk_, *store_, metrics_, extents);
        ASSERT_TRUE(bytes.ok()) << bytes.error().message;
        bytes_ = std::move(bytes).value();
    }
    void reopen() {
        bytes_.reset();
        store_.reset();
        open();
    }

    void put(const std::string& key, const std::string& value, const std::string& body = "body") {
        const auto done = store_->commit(meta::Batch().put("k/" + key, value, body));
        ASSERT_TRUE(done.ok()) << done.error().message;
    }
    /// A large body: its extents' places are the record's value.
    void put_large(const std::string& key, const std::string& content) {
        auto write = bytes_->begin(content.size());
        ASSERT_TRUE(write.ok());
        ASSERT_TRUE((*write)->seal(content).ok());
        meta::Batch batch;
        (*write)->stage(batch);
        std::string value;
        objects::ExtentRefs refs;
        for (const auto& extent : (*write)->extents()) {
            refs[extent] += 1;
            append_le(value, extent);
        }
        ASSERT_TRUE(bytes_->stage_refs(batch, refs).ok());
        batch.put("l/" + key, value);
        ASSERT_TRUE(store_->commit(std::move(batch)).ok());
        (*write)->kept();
    }
    void erase_large(const std::string& key) {
        auto record = store_->get("l/" + key);
        ASSERT_TRUE(record.ok() && record->has_value());
        meta::Batch batch;
        objects::ExtentRefs refs;
        for (const auto& extent : extents_of((*record)->value)) refs[extent] -= 1;
        auto dead = bytes_->stage_refs(batch, refs);
        ASSERT_TRUE(dead.ok());
        batch.erase("l/" + key);
        ASSERT_TRUE(store_->commit(std::move(batch)).ok());
        bytes_->released(*dead);
    }

    /// Every key and the bytes behind it.
    std::string content() {
        std::string out;
        auto walk = store_->scan({"k/", "m/"});
        for (; walk->valid(); walk->next()) {
            auto record = walk->record();
            EXPECT_TRUE(record.ok()) << record.error().message;
            if (!record.ok()) return "damaged";
            out += std::string(walk->key()) + "=";
            if (record->body != nullptr) {
                out += record->value + ":";
                auto body = record->body->read(0, record->body->size());
                EXPECT_TRUE(body.ok()) << body.error().message;
                out += body.ok() ? *body : "damaged";
            } else {
                out += large(record->value);
            }
            out += "\n";
        }
        EXPECT_TRUE(walk->status().ok());
        return out;
    }

    Source source() { return {*store_, *bytes_, *disk_, clock_, kFolder, 1 << 20}; }
    meta::LocalStore& store() { return *store_; }
    objects::BytesBackend& bytes() { return *bytes_; }
    io::FaultyDisk& disk() { return *disk_; }
    Metrics& metrics() { return metrics_; }

 private:
    static std::vector<objects::Extent> extents_of(std::string_view value) {
        std::vector<objects::Extent> extents;
        ByteReader bytes(value);
        while (const auto extent = bytes.take_le<objects::Extent>()) extents.push_back(*extent);
        return extents;
    }
    std::string large(std::string_view value) {
        const auto extents = extents_of(value);
        const auto hold = bytes_->hold(extents);
        std::string out;
        for (size_t i = 0; i < extents.size(); ++i) {
            auto bytes = hold->read(i, 0, extents[i].length);
            EXPECT_TRUE(bytes.ok()) << bytes.error().message;
            out += bytes.ok() ? *bytes : "damaged";
        }
        return out;
    }

    std::unique_ptr<io::FaultyDisk> disk_ = std::make_unique<io::FaultyDisk>();
    SystemClock clock_;
    Metrics metrics_;
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<objects::BytesBackend> bytes_;
};

}  // namespace tarn::archive
