// For tests: a local store in a folder of its own that can be opened again.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/disk.h"
#include "meta/store.h"

namespace tarn::security {

class TestStore {
 public:
    TestStore() { open(); }
    ~TestStore() {
        store_.reset();
        std::filesystem::remove_all(directory);
    }
    TestStore(const TestStore&) = delete;
    TestStore& operator=(const TestStore&) = delete;

    /// As a restart of the program.
    void open() {
        store_.reset();
        meta::LocalStoreOptions options;
        options.directory = directory;
        options.segment_bytes = 1 << 20;
        options.free_bytes_min = 0;
        auto opened = meta::LocalStore::open(disk, clock, metrics, options);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        store_ = std::move(opened).value();
    }
    meta::Store& operator*() { return *store_; }
    meta::Store* operator->() { return store_.get(); }

    const std::string directory = testing::TempDir() + "tarn_security_" + random_hex(8);
    io::RealDisk disk;
    ManualClock clock;
    Metrics metrics;

 private:
    std::unique_ptr<meta::LocalStore> store_;
};

}  // namespace tarn::security
