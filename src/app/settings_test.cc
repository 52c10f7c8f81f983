#include "app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::app {
namespace {

TEST(Ports, KeepDefaultsForWhatIsLeftOut) {
    const auto ports = parse_ports("aws=0,mqtt=off").value();
    EXPECT_EQ(ports.at("aws"), 0);
    EXPECT_EQ(ports.at("http"), 8080);
    EXPECT_FALSE(ports.contains("mqtt"));
    EXPECT_EQ(parse_ports("").value().size(), 4u);
}

TEST(Ports, RefuseWhatIsNotAPort) {
    for (const auto* text :
         {"aws", "ftp=21", "aws=65536", "aws=-1", "aws=", "aws=12x", "aws=1,,http=2"})
        EXPECT_EQ(parse_ports(text).error().code, Code::invalid_argument) << text;
}

TEST(Settings, EveryRowPointsAtOneMember) {
    for (const auto& setting : setting_table())
        EXPECT_NE(setting.text == nullptr, setting.number == nullptr) << setting.name;
    EXPECT_THAT(settings_page(),
                ::testing::HasSubstr("| `--drain-seconds` | `TARN_DRAIN_SECONDS` | `8` |"));
}

}  // namespace
}  // namespace tarn::app
