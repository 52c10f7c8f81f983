#include "events/internal/queue.h"

#include <gtest/gtest.h>

namespace tarn::events {
namespace {

constexpr Timestamp kNow{1'000'000};

QueuedDelivery delivery(const std::string& id, const std::string& key,
                        const std::string& target = "t1", const std::string& host = "http://h",
                        Timestamp due = kNow) {
    return {id, "rule", key, target, host, due};
}

TEST(DeliveryQueue, keeps_the_order_of_an_alert) {
    DeliveryQueue queue(8);
    queue.add(delivery("1", "k"));
    queue.add(delivery("2", "k"));
    const auto first = queue.take(kNow);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->id, "1");
    EXPECT_FALSE(queue.take(kNow)) << "the second waits for the first";
    queue.again(*first, kNow.plus(std::chrono::seconds(5)), std::nullopt);
    EXPECT_FALSE(queue.take(kNow)) << "also while the first waits to be repeated";
    EXPECT_EQ(queue.next_due(), kNow.plus(std::chrono::seconds(5)));
    const auto repeated = queue.take(kNow.plus(std::chrono::seconds(5)));
    EXPECT_EQ(repeated->id, "1");
    queue.done(*repeated, true);
    EXPECT_EQ(queue.take(kNow)->id, "2");
    EXPECT_EQ(queue.size(), 1u);
}

TEST(DeliveryQueue, bounds_requests_to_a_host) {
    DeliveryQueue queue(2);
    for (int i = 0; i < 4; ++i)
        queue.add(delivery(std::to_string(i), "k" + std::to_string(i), "t" + std::to_string(i)));
    queue.add(delivery("x", "k", "other", "http://other"));
    int of_h = 0, of_other = 0;
    while (const auto taken = queue.take(kNow)) ++(taken->host == "http://h" ? of_h : of_other);
    EXPECT_EQ(of_h, 2);
    EXPECT_EQ(of_other, 1);
}

TEST(DeliveryQueue, feels_out_a_webhook_that_is_down) {
    DeliveryQueue queue(8);
    for (int i = 0; i < 5; ++i) queue.add(delivery(std::to_string(i), "k" + std::to_string(i)));
    queue.add(delivery("x", "k", "t2"));
    const auto first = queue.take(kNow);
    const Timestamp back = kNow.plus(std::chrono::seconds(1));
    queue.again(*first, back, back);
    EXPECT_EQ(queue.down_count("t1"), 1u);
    EXPECT_EQ(queue.take(kNow)->id, "x") << "another webhook goes on";
    EXPECT_FALSE(queue.take(kNow));
    const auto probe = queue.take(back);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(queue.take(back)) << "one at a time";
    queue.done(*probe, true);
    EXPECT_EQ(queue.down_count("t1"), 0u);
    EXPECT_TRUE(queue.take(back));
    EXPECT_TRUE(queue.take(back));
}

TEST(DeliveryQueue, oldest_first_and_empty_at_the_end) {
    DeliveryQueue queue(8);
    queue.add(delivery("late", "a", "t1", "http://h", kNow));
    queue.add(delivery("early", "b", "t2", "http://g", Timestamp{5}));
    auto taken = queue.take(kNow);
    EXPECT_EQ(taken->id, "early");
    queue.done(*taken, true);
    taken = queue.take(kNow);
    EXPECT_EQ(queue.waiting_by_target().at("t1"), 1u);
    queue.done(*taken, true);
    EXPECT_EQ(queue.size(), 0u);
    EXPECT_TRUE(queue.waiting_by_target().empty());
    EXPECT_EQ(queue.next_due(), std::nullopt);
}

}  // namespace
}  // namespace tarn::events
