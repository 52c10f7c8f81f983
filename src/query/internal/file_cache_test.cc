#include "query/internal/file_cache.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

constexpr size_t kMiB = 1 << 20;

/// As a footer: a weight and nothing else.
class Footer final : public duck::ObjectCacheEntry {
 public:
    explicit Footer(size_t bytes) : bytes_(bytes) {}
    std::string GetObjectType() override { return ObjectType(); }
    static std::string ObjectType() { return "footer"; }
    duck::optional_idx GetEstimatedCacheMemory() const override { return bytes_; }

 private:
    const size_t bytes_;
};

class FileCacheTest : public ::testing::Test {
 protected:
    void keep(int file, size_t bytes) {
        cache().Put("file " + std::to_string(file), duck::make_shared_ptr<Footer>(bytes));
    }
    bool has(int file) { return cache().Get<Footer>("file " + std::to_string(file)) != nullptr; }
    duck::ObjectCache& cache() { return duck_.instance->GetObjectCache(); }

    Metrics metrics_;
    duck::DuckDB duck_{nullptr};
};

TEST_F(FileCacheTest, WhatNobodyUsesIsForgottenAfterSomeRounds) {
    FileCache files(*duck_.instance, {100 * kMiB, 3}, metrics_);
    keep(1, kMiB);
    keep(2, kMiB);
    for (int round = 0; round < 3; ++round) {
        files.tend();
        EXPECT_TRUE(has(2)) << "looking is using";
    }
    EXPECT_GE(files.bytes(), 2 * kMiB);
    files.tend();
    EXPECT_TRUE(has(2));
    EXPECT_FALSE(has(1));
    EXPECT_LT(files.bytes(), 2 * kMiB);
    for (int round = 0; round < 4; ++round) files.tend();
    EXPECT_FALSE(has(2));
    EXPECT_LT(files.bytes(), 4096u) << "rounds leave nothing behind";
}

TEST_F(FileCacheTest, TheOldestGoAboveTheBound) {
    FileCache files(*duck_.instance, {10 * kMiB, 3}, metrics_);
    for (int file = 0; file < 50; ++file) keep(file, kMiB);
    files.tend();
    EXPECT_LE(files.bytes(), 10 * kMiB);
    EXPECT_TRUE(has(49));
    EXPECT_TRUE(has(42));
    EXPECT_FALSE(has(38));
    EXPECT_NE(metrics_.render().find("tarn_cache_limit_bytes{cache=\"sql_files\"} 10485760"), std::string::npos);
    for (int round = 0; round < 20; ++round) {
        keep(100 + round, kMiB);
        files.tend();
        EXPECT_LE(files.bytes(), 10 * kMiB);
    }
}

}  // namespace
}  // namespace tarn::query
