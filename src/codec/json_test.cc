#include "codec/json.h"

#include <gtest/gtest.h>

namespace tarn::codec {
namespace {

TEST(JsonWriterTest, PutsCommasAndNesting) {
    JsonWriter json;
    json.begin_object()
        .member("a", 1)
        .key("b")
        .begin_array()
        .value("x")
        .value(true)
        .null()
        .end_array();
    json.key("c").begin_object().end_object().key("d").raw("[2]").end_object();
    EXPECT_EQ(json.text(), R"({"a":1,"b":["x",true,null],"c":{},"d":[2]})");
}

TEST(JsonWriterTest, Escapes) {
    std::string out;
    append_json_string(
        out,
        "q\" b\\ \n\t\x01 \xc3\xa4 \xf0\x9f\x98\x80 \xff\xc3 \xed\xa0\x80");
    EXPECT_EQ(out,
              "\"q\\\" b\\\\ \\n\\t\\u0001 \xc3\xa4 \xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd "
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace tarn::codec
