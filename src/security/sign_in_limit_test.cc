#include "security/sign_in_limit.h"

#include <gtest/gtest.h>

namespace tarn::security {
namespace {

using std::chrono::seconds;

TEST(SignInLimit, AHandfulAtOnceAndOneMoreNowAndThen) {
    ManualClock clock;
    SignInLimit limit(clock, {3, seconds(5), 100});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.take("10.0.0.1"), seconds(0));
    EXPECT_EQ(limit.take("10.0.0.1"), seconds(5));
    EXPECT_EQ(limit.take("10.0.0.2"), seconds(0)) << "another address";
    clock.advance(seconds(4));
    EXPECT_EQ(limit.take("10.0.0.1"), seconds(1)) << "a try that was refused costs nothing";
    clock.advance(seconds(1));
    EXPECT_EQ(limit.take("10.0.0.1"), seconds(0));
    EXPECT_EQ(limit.take("10.0.0.1"), seconds(5));
    clock.advance(seconds(3600));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.take("10.0.0.1"), seconds(0));
    EXPECT_EQ(limit.take("10.0.0.1"), seconds(5)) << "an hour of rest saves up no more than that";
}

TEST(SignInLimit, WhoSucceedsPaysNothing) {
    ManualClock clock;
    SignInLimit limit(clock, {2, seconds(5), 100});
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(limit.take("10.0.0.1"), seconds(0));
        limit.give_back("10.0.0.1");
    }
    limit.give_back("10.9.9.9");
    EXPECT_EQ(limit.take("10.9.9.9"), seconds(0));
}

TEST(SignInLimit, ANetworkOfIPv6IsOne) {
    ManualClock clock;
    SignInLimit limit(clock, {2, seconds(5), 100});
    EXPECT_EQ(limit.take("2001:db8::1"), seconds(0));
    EXPECT_EQ(limit.take("2001:db8::2"), seconds(0));
    EXPECT_EQ(limit.take("2001:db8::3"), seconds(5));
    EXPECT_EQ(limit.take("2001:db8:0:1::3"), seconds(0));
    EXPECT_EQ(limit.take("::ffff:10.0.0.1"), seconds(0));
    EXPECT_EQ(limit.take("::ffff:10.0.0.1"), seconds(0));
    EXPECT_EQ(limit.take("::ffff:10.0.0.2"), seconds(0));
}

TEST(SignInLimit, WhatIsRememberedIsBounded) {
    ManualClock clock;
    SignInLimit limit(clock, {2, seconds(5), 3});
    for (int i = 0; i < 2; ++i) EXPECT_EQ(limit.take("a"), seconds(0));
    for (const char* other : {"b", "c", "d", "e", "f"}) EXPECT_EQ(limit.take(other), seconds(0));
    EXPECT_EQ(limit.take("a"), seconds(5)) << "those that are free sooner were forgotten";
}

}  // namespace
}  // namespace tarn::security
