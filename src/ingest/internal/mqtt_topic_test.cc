#include "ingest/internal/mqtt_topic.h"

#include <gtest/gtest.h>

#include "ingest/routes.h"

namespace tarn::ingest {
namespace {

std::string matched(const char* text, const char* topic) {
    const auto made = TopicTemplate::parse(text);
    if (!made.ok()) return "!" + made.error().message;
    std::vector<std::string_view> captured;
    if (!made->matches(topic, &captured)) return "-";
    std::string out = "+";
    for (const auto one : captured) out += std::string(one) + ";";
    return out;
}

TEST(MqttTopic, MatchesAndCaptures) {
    const char* shelves = "stores/{store_id}/shelves/{shelf_id}";
    EXPECT_EQ(matched(shelves, "stores/7/shelves/A-1"), "+7;A-1;");
    EXPECT_EQ(matched(shelves, "stores//shelves/A-1"), "+;A-1;");  // an empty level is a level
    EXPECT_EQ(matched(shelves, "stores/7/shelves"), "-");
    EXPECT_EQ(matched(shelves, "stores/7/shelves/A-1/x"), "-");
    EXPECT_EQ(matched(shelves, "stores/7/doors/A-1"), "-");
    EXPECT_EQ(matched(shelves, "Stores/7/shelves/A-1"), "-");
    EXPECT_EQ(matched(shelves, ""), "-");
    EXPECT_EQ(matched("a/+/{x}/{}", "a/1/2/3"), "+2;");
    EXPECT_EQ(matched("a/{x}/#", "a/1"), "+1;");
    EXPECT_EQ(matched("a/{x}/#", "a/1/2/3"), "+1;");
    EXPECT_EQ(matched("a/{x}/#", "a"), "-");
    EXPECT_EQ(matched("#", "a/b"), "+");
    EXPECT_EQ(matched("#", "$SYS/b"), "-");
    EXPECT_EQ(matched("{x}/b", "$SYS/b"), "-");
    EXPECT_EQ(matched("$SYS/{x}", "$SYS/b"), "+b;");
    EXPECT_EQ(matched("a", "a/"), "-");
}

TEST(MqttTopic, RefusesWhatIsNoTemplate) {
    for (const char* text : {"", "a//b", "/a", "a/", "a/#/b", "a/{x", "a/x}", "a/{x}y", "a+/b",
                             "a/b#", "a/{x}/{x}", "a/{X}", "a/{1x}", "a/{a-b}"})
        EXPECT_EQ(matched(text, "x").substr(0, 1), "!") << text;
    EXPECT_NE(matched("a/{x}/{x}", "x").find("level \"{x}\" is there twice"), std::string::npos);
    std::string deep = "a";
    for (int i = 0; i < 64; ++i) deep += "/a";
    EXPECT_FALSE(TopicTemplate::parse(deep).ok());
    EXPECT_FALSE(TopicTemplate::parse(std::string("a\0b", 3)).ok());
}

bool overlap(const char* a, const char* b) {
    const auto one = TopicTemplate::parse(a).value();
    const auto other = TopicTemplate::parse(b).value();
    EXPECT_EQ(one.overlaps(other), other.overlaps(one));
    return one.overlaps(other);
}

TEST(MqttTopic, Overlaps) {
    EXPECT_TRUE(overlap("a/{x}", "a/b"));
    EXPECT_TRUE(overlap("a/{x}", "{y}/b"));
    EXPECT_TRUE(overlap("a/#", "a"));
    EXPECT_TRUE(overlap("a/#", "a/b/c"));
    EXPECT_TRUE(overlap("#", "a/b"));
    EXPECT_FALSE(overlap("a/{x}", "a/{x}/b"));
    EXPECT_FALSE(overlap("a/{x}", "b/{x}"));
    EXPECT_FALSE(overlap("a/{x}/c", "a/{x}/d"));
    EXPECT_FALSE(overlap("{x}/b", "$SYS/b"));
    EXPECT_EQ(TopicTemplate::parse("a/{x}/{}/#").value().filter(), "a/+/+/#");
}

TEST(MqttRoutes, TheFirstDeclaredSourceTakesATopic) {
    const auto readings = [](const char* name, const char* topic) {
        MqttSource from;
        from.topic = topic;
        return SourceSpec{name, "main", from};
    };
    std::vector<SourceSpec> specs = {readings("doors", "stores/{store_id}/doors/{door}"),
                                     readings("all", "stores/#"),
                                     {"erp", "erp", PostgresSource{}},
                                     readings("wrong", "a//b")};
    const auto routes = Routes::make(specs);
    EXPECT_EQ(routes->stream_of("stores/1/doors/2"), "source.doors");
    EXPECT_EQ(routes->stream_of("stores/1/shelves/2"), "source.all");
    EXPECT_EQ(routes->stream_of("other"), "");
    const auto notes = shared_topics(specs);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].find("doors, which is declared first"), std::string::npos) << notes[0];
    std::swap(specs[0], specs[1]);
    EXPECT_EQ(Routes::make(specs)->stream_of("stores/1/doors/2"), "source.all");
}

}  // namespace
}  // namespace tarn::ingest
