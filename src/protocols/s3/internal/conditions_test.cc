#include "protocols/s3/internal/conditions.h"

#include <gtest/gtest.h>

namespace tarn::s3 {
namespace {

const Timestamp kModified = from_civil({2026, 11, 20, 17, 30, 0, 250'000});
constexpr std::string_view kAt = "Fri, 20 Nov 2026 17:30:00 GMT";
constexpr std::string_view kBefore = "Fri, 20 Nov 2026 17:29:59 GMT";

TEST(Conditions, EachAlone) {
    EXPECT_EQ(check_conditions({}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"\"e\"", "", "", ""}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"\"x\"", "", "", ""}, "e", kModified),
              Verdict::precondition_failed);
    EXPECT_EQ(check_conditions({"", "\"e\"", "", ""}, "e", kModified), Verdict::not_modified);
    EXPECT_EQ(check_conditions({"", "*", "", ""}, "e", kModified), Verdict::not_modified);
    EXPECT_EQ(check_conditions({"", "\"x\"", "", ""}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"", "", kAt, ""}, "e", kModified), Verdict::not_modified);
    EXPECT_EQ(check_conditions({"", "", kBefore, ""}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"", "", "", kAt}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"", "", "", kBefore}, "e", kModified),
              Verdict::precondition_failed);
    EXPECT_EQ(check_conditions({"", "", "nonsense", "nonsense"}, "e", kModified), Verdict::proceed);
}

TEST(Conditions, EntityTagsGoBeforeDates) {
    EXPECT_EQ(check_conditions({"\"e\"", "", "", kBefore}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"", "\"x\"", kAt, ""}, "e", kModified), Verdict::proceed);
    EXPECT_EQ(check_conditions({"", "\"e\"", kBefore, ""}, "e", kModified), Verdict::not_modified);
}

TEST(EtagList, QuotesAndWeakMarksAndLists) {
    for (std::string_view list : {"e", "\"e\"", "W/\"e\"", "\"a\", \"e\"", " \"e\" ,\"b\"", "*"})
        EXPECT_TRUE(etag_list_matches(list, "e")) << list;
    for (std::string_view list : {"", "\"\"", "\"ee\"", "a, b", "\"e"})
        EXPECT_FALSE(etag_list_matches(list, "e"));
}

TEST(IfRange, HoldsForTheSameEntityOnly) {
    EXPECT_TRUE(if_range_holds("", "e", kModified));
    EXPECT_TRUE(if_range_holds("\"e\"", "e", kModified));
    EXPECT_TRUE(if_range_holds(kAt, "e", kModified));
    EXPECT_FALSE(if_range_holds("W/\"e\"", "e", kModified));
    EXPECT_FALSE(if_range_holds("\"x\"", "e", kModified));
    EXPECT_FALSE(if_range_holds(kBefore, "e", kModified));
}

}  // namespace
}  // namespace tarn::s3
