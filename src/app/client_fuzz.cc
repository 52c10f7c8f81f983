// What the command line reads that is not its own: a server's error, a credentials file.
#include <algorithm>

#include "app/client.h"
#include "app/client_json.h"
#include "base/assert.h"
#include "base/fuzz.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {R"(403 {"error":{"code":"io","message":"no","reason":"disk_full"}})",
            R"(500 {"error":{"message":["a",5]}})",
            "502 <html>",
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s=1\n",
            "[other]\r\naws_access_key_id=a\n[default]\naws_secret_access_key=b\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::app;
    const auto text = tarn::fuzz_text(data, size);
    const int status = size == 0 ? 400 : 400 + data[0];
    TARN_ASSERT(!error_of({status, std::string(text.substr(std::min<size_t>(4, size)))}).message.empty());
    if (const auto pair = parse_key_pair(text, "default"))
        TARN_ASSERT(!pair->access_key_id.empty() && pair->secret.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    (void)text_of(json, "message");
    for (const unsigned char c : encoded(std::string(text))) TARN_ASSERT(c > ' ' && c < 0x7f);
    return 0;
}
