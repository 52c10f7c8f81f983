#include "security/scram.h"

#include "base/assert.h"
#include "base/fuzz.h"

std::vector<std::string> tarn::fuzz_seeds() {
    const std::string proof(43, 'A');
    return {"\x04n,,n=,r=client\nc=biws,r=clientnonce,p=" + proof + "=",
            "\x05p=tls-server-end-point,,n=ann,r=c\nc=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsYmluZGluZw==,"
            "r=cnonce,p=" +
                proof + "=",
            "\x06y,,n=a=2Cb=3Dc,r=x\nc=eSws,r=xnonce,p=AA==", "\x04n,a=other,n=,r=c\n"};
}

// Two messages, parted by a line feed; the first byte picks channel binding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::security;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const size_t end = text.find('\n');
    ScramServer::Options options;
    options.account = {"salt", 4096, {{std::string(32, 'a'), std::string(32, 'b')}}};
    options.nonce = "nonce";
    options.plus = (data[0] & 1) != 0;
    options.plus_offered = (data[0] & 2) != 0;
    options.channel_binding = "binding";
    ScramServer server(options);
    (void)server.first(text.substr(0, end));
    if (end != text.npos) TARN_ASSERT(!server.final(text.substr(end + 1)).ok());
    return 0;
}
