#include <gtest/gtest.h>

#include "lakefile/internal/records.h"

namespace tarn::lakefile {
namespace {

Applied lake_with(std::initializer_list<const char*> sources) {
    Applied out;
    for (const char* name : sources) {
        AppliedItem one;
        one.item.kind = Kind::source;
        one.item.name = name;
        out.items[one.item.id()] = one;
    }
    return out;
}

TEST(Identities, ASourceIsItsNameUntilItIsRenamed) {
    const Applied lake = lake_with({"erp"});
    EXPECT_EQ(lake.identity_of("erp"), "erp");
    EXPECT_EQ(lake.identity_of("new"), "new");
}

TEST(Identities, ANameOfBeforeIsAnotherSource) {
    Applied lake = lake_with({"shop"});
    lake.identities["shop"] = "erp";
    EXPECT_EQ(lake.identity_of("shop"), "erp");
    EXPECT_EQ(lake.identity_of("erp"), "erp_2");
    lake.items.clear();  // gone from the file; its tables are kept, and so is what it had read
    EXPECT_EQ(lake.identity_of("erp"), "erp_2");
    EXPECT_EQ(lake.identity_of("shop"), "erp");
}

TEST(Identities, ASecondNameIsNotTakenFromWhoHasIt) {
    Applied lake = lake_with({"shop", "erp_2"});
    lake.identities["shop"] = "erp";
    EXPECT_EQ(lake.identity_of("erp"), "erp_3");
    lake.identities["erp"] = "erp_3";
    EXPECT_EQ(lake.identity_of("erp"), "erp_3");
    EXPECT_EQ(lake.identity_of("erp_3"), "erp_3_2");
}

}  // namespace
}  // namespace tarn::lakefile
