// Any text as an address: what inet_pton does not read, but for a zone, is no address of the open
// internet.
#include <arpa/inet.h>

#include "base/assert.h"
#include "base/fuzz.h"
#include "net/http_client.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"8.8.8.8",         "127.0.0.1",     "2001:4860:4860::8888", "::ffff:10.0.0.1",
            "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string text(tarn::fuzz_text(data, size));
    unsigned char bytes[16];
    const std::string bare = text.substr(0, text.find('%'));
    const bool readable = inet_pton(AF_INET, bare.c_str(), bytes) == 1 ||
                          inet_pton(AF_INET6, bare.c_str(), bytes) == 1;
    if (tarn::net::classify_address(text) == tarn::net::AddressKind::global)
        TARN_ASSERT(readable && text.find('\0') == text.npos);
    return 0;
}
