#include "tables/internal/byte_lru.h"

#include <gtest/gtest.h>

namespace tarn::tables {
namespace {

using std::chrono::seconds;
using Lru = ByteLru<int>;

TEST(ByteLru, ForgetsTheOldestAboveItsBytes) {
    Lru lru(10'000);
    for (int i = 0; i < 20; ++i) {
        lru.insert(std::to_string(i), std::make_shared<int>(i), 1000);
        EXPECT_LE(lru.bytes(), 10'000u);
        EXPECT_NE(lru.find("0"), nullptr) << "what is used stays";
    }
    EXPECT_EQ(lru.find("1"), nullptr);
    EXPECT_EQ(*lru.find("19"), 19);
    lru.insert("large", std::make_shared<int>(1), 10'001);
    EXPECT_EQ(lru.find("large"), nullptr);
}

TEST(ByteLru, ForgetsWhatNobodyUses) {
    const Lru::Time begin = std::chrono::steady_clock::now();
    Lru lru(1 << 20, seconds(60));
    lru.insert("used", std::make_shared<int>(1), 100, begin);
    lru.insert("idle", std::make_shared<int>(2), 100, begin);
    EXPECT_NE(lru.find("used", begin + seconds(50)), nullptr);
    lru.insert("new", std::make_shared<int>(3), 100, begin + seconds(61));
    EXPECT_EQ(lru.find("idle", begin + seconds(61)), nullptr);
    EXPECT_NE(lru.find("used", begin + seconds(61)), nullptr);
    lru.insert("last", std::make_shared<int>(4), 100, begin + seconds(600));
    EXPECT_EQ(lru.find("new", begin + seconds(600)), nullptr);
    EXPECT_NE(lru.find("last", begin + seconds(600)), nullptr) << "the one that was just put in";
}

}  // namespace
}  // namespace tarn::tables
