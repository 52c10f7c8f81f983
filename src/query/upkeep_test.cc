#include "query/upkeep.h"

#include <gtest/gtest.h>

#include "query/test_lake.h"

namespace tarn::query {
namespace {

double cached(const Metrics& metrics) {
    const std::string text = metrics.render(), name = "tarn_cache_bytes{cache=\"sql_files\"} ";
    const size_t at = text.find(name);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
}

TEST(Upkeep, FilesThatNoStatementReadsLeaveMemory) {
    constexpr int kRounds = std::chrono::minutes(5) / kUpkeepInterval + 1;
    SystemClock clock;
    TestFolder folder("upkeep");
    TestLake lake(folder.path(), clock);
    tend(*lake.engine);
    EXPECT_EQ(cached(lake.metrics), -1) << "DuckDB was opened for it";
    lake.run("create table t as select range as k, random() as v from range(200000)");
    lake.ask("select sum(v) from t");
    tend(*lake.engine);
    EXPECT_GT(cached(lake.metrics), 1e6);
    for (int round = 0; round < kRounds; ++round) {
        EXPECT_NE(lake.ask("select count(v) from t").find("200000"), std::string::npos);
        tend(*lake.engine);
    }
    EXPECT_GT(cached(lake.metrics), 1e6) << "what is used stays";
    for (int round = 0; round < kRounds; ++round) tend(*lake.engine);
    EXPECT_LT(cached(lake.metrics), 1e4);
    EXPECT_NE(lake.ask("select count(v) from t").find("200000"), std::string::npos);
}

}  // namespace
}  // namespace tarn::query
