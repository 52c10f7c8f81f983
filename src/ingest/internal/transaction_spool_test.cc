// Transactions on their way: order, interleaving, savepoints rolled back, bounds, a clean folder.
#include "ingest/internal/transaction_spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

namespace tarn::ingest {
namespace {

class TransactionSpoolTest : public ::testing::Test {
 protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("spool-" + std::to_string(::getpid()) + "-" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    static std::vector<std::string> all(TransactionSpool& spool, uint32_t xid) {
        std::vector<std::string> out;
        const Status done = spool.replay(xid, [&](uint64_t ordinal, std::string_view message) {
            out.push_back(std::to_string(ordinal) + std::string(message));
            return ok_status();
        });
        EXPECT_TRUE(done.ok()) << done.error().message;
        return out;
    }
    size_t files() const {
        size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_))
            ++count;
        return count;
    }

    std::filesystem::path folder_;
};

using Texts = std::vector<std::string>;

TEST_F(TransactionSpoolTest, TransactionsThatInterleaveStayApart) {
    auto spool = TransactionSpool::open(folder_, 0).value();
    for (uint64_t i = 0; i < 3; ++i) {
        ASSERT_TRUE(spool.add(7, 7, i, "a").ok());
        ASSERT_TRUE(spool.add(9, 9, i + 10, "b").ok());
    }
    EXPECT_EQ(all(spool, 7), (Texts{"0a", "1a", "2a"}));
    EXPECT_EQ(all(spool, 9), (Texts{"10b", "11b", "12b"}));
    spool.forget(7);
    EXPECT_TRUE(all(spool, 7).empty());
    EXPECT_EQ(files(), 1u);
    spool.forget(9);
    EXPECT_EQ(files(), 0u);
    EXPECT_EQ(spool.bytes(), 0u);
}

TEST_F(TransactionSpoolTest, OnlyTheRolledBackPartGoes) {
    auto spool = TransactionSpool::open(folder_, 0).value();
    ASSERT_TRUE(spool.add(7, 7, 0, "keep").ok());
    ASSERT_TRUE(spool.add(7, 8, 1, "gone").ok());
    ASSERT_TRUE(spool.add(7, 9, 2, "keep too").ok());
    ASSERT_TRUE(spool.abort(7, 8).ok());
    ASSERT_TRUE(spool.abort(7, 100).ok());  // nothing of it came
    ASSERT_TRUE(spool.add(7, 7, 3, "after").ok());
    EXPECT_EQ(all(spool, 7), (Texts{"0keep", "2keep too", "3after"}));
    ASSERT_TRUE(spool.abort(7, 7).ok());
    EXPECT_FALSE(spool.holds(7));
    EXPECT_EQ(files(), 0u);
}

TEST_F(TransactionSpoolTest, ReadingMayGoOnWithWriting) {
    auto spool = TransactionSpool::open(folder_, 0).value();
    ASSERT_TRUE(spool.add(7, 7, 0, "one").ok());
    EXPECT_EQ(all(spool, 7).size(), 1u);
    ASSERT_TRUE(spool.add(7, 7, 1, "two").ok());
    EXPECT_EQ(all(spool, 7).size(), 2u);
}

TEST_F(TransactionSpoolTest, BoundedAndCleanAtOpen) {
    std::filesystem::create_directories(folder_);
    std::FILE* old = std::fopen((folder_ / "12").c_str(), "wb");
    ASSERT_NE(old, nullptr);
    std::fclose(old);
    auto spool = TransactionSpool::open(folder_, 1000).value();
    EXPECT_EQ(files(), 0u);
    ASSERT_TRUE(spool.add(7, 7, 0, std::string(500, 'x')).ok());
    const Status more = spool.add(7, 7, 1, std::string(500, 'x'));
    ASSERT_FALSE(more.ok());
    EXPECT_EQ(more.error().code, Code::exhausted);
    EXPECT_EQ(all(spool, 7).size(), 1u);
}

TEST_F(TransactionSpoolTest, AnErrorOfTheReaderEndsIt) {
    auto spool = TransactionSpool::open(folder_, 0).value();
    ASSERT_TRUE(spool.add(7, 7, 0, "one").ok());
    const Status done =
        spool.replay(7, [](uint64_t, std::string_view) { return Error(Code::io, "no"); });
    EXPECT_FALSE(done.ok());
}

}  // namespace
}  // namespace tarn::ingest
