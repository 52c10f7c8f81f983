#include "ingest/internal/capture_lag.h"

#include <gtest/gtest.h>

#include "ingest/internal/source_metrics.h"

namespace tarn::ingest {
namespace {

using std::chrono::seconds;

TEST(CaptureLag, IsTheAgeOfWhatIsMissing) {
    ManualClock clock;
    CaptureLag lag(clock);
    clock.advance(seconds(3));
    EXPECT_EQ(lag.seconds(), 3) << "nothing was heard yet";
    lag.complete();
    clock.advance(seconds(5));
    EXPECT_EQ(lag.seconds(), 0);
    lag.missing(clock.now().plus(seconds(-2)));
    EXPECT_EQ(lag.seconds(), 2);
    clock.advance(seconds(1));
    EXPECT_EQ(lag.seconds(), 3);
    lag.missing(clock.now().plus(seconds(9)));
    EXPECT_EQ(lag.seconds(), 0) << "the source's clock is ahead";
}

TEST(CaptureLag, GrowsWhileTheSourceIsNotHeard) {
    ManualClock clock;
    CaptureLag lag(clock);
    lag.complete();
    clock.advance(seconds(10));
    lag.unknown();
    EXPECT_EQ(lag.seconds(), 10);
    clock.advance(seconds(10));
    lag.unknown();
    EXPECT_EQ(lag.seconds(), 20) << "since all was last here";
    lag.complete();
    EXPECT_EQ(lag.seconds(), 0);
}

TEST(SourceMetrics, ShowWhatIsAndNothingOfWhatIsGone) {
    Metrics metrics;
    SourceMetrics shown(metrics);
    SourceStatus source;
    source.name = "erp";
    source.capture.emplace();
    source.capture->lag_seconds = 2.5;
    for (const char* name : {"a", "b", "c"}) source.tables.emplace_back().name = name;
    source.tables[1].last_error = "secret words";
    source.tables[2].paused = "column v became another type";
    shown.show({source});
    const auto has = [&](const std::string& line) {
        return metrics.render().find(line + "\n") != std::string::npos;
    };
    EXPECT_TRUE(has("tarn_source_failing{source=\"erp\"} 0"));
    EXPECT_TRUE(has("tarn_capture_lag_seconds{source=\"erp\"} 2.5"));
    EXPECT_TRUE(has("tarn_capture_paused_tables{source=\"erp\"} 1"));
    EXPECT_TRUE(has("tarn_source_table_failing{source=\"erp\",table=\"a\"} 0"));
    EXPECT_TRUE(has("tarn_source_table_failing{source=\"erp\",table=\"b\"} 1"));
    EXPECT_TRUE(has("tarn_source_table_failing{source=\"erp\",table=\"c\"} 1"));
    EXPECT_EQ(metrics.render().find("secret"), std::string::npos);
    source.last_error = "no";
    source.tables.resize(1);
    shown.show({source});
    EXPECT_TRUE(has("tarn_source_failing{source=\"erp\"} 1"));
    EXPECT_TRUE(has("tarn_source_table_failing{source=\"erp\",table=\"c\"} 0"));
    shown.show(std::vector<SourceStatus>{});
    EXPECT_TRUE(has("tarn_source_failing{source=\"erp\"} 0"));
    EXPECT_TRUE(has("tarn_capture_lag_seconds{source=\"erp\"} 0"));
}

}  // namespace
}  // namespace tarn::ingest
