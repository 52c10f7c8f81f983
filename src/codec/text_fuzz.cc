// Hexadecimal and base64: what is taken is the one text of its bytes, and OpenSSL reads the same.
#include <openssl/evp.h>

#include "base/assert.h"
#include "base/fuzz.h"
#include "codec/text.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {codec::base64_encode("a"),
            codec::base64_encode("ab"),
            codec::base64_encode("abc\xff\xfe\xfd"),
            codec::base64url_encode("\xff\xfe\xfd\xfc"),
            codec::hex_encode("\x01\xab"),
            "DEADbeef"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::codec;
    const auto text = tarn::fuzz_text(data, size);
    TARN_ASSERT(*hex_decode(hex_encode(text)) == text);
    TARN_ASSERT(*base64_decode(base64_encode(text)) == text);
    TARN_ASSERT(*base64url_decode(base64url_encode(text)) == text);
    if (const auto bytes = hex_decode(text); bytes.ok())
        TARN_ASSERT(*hex_decode(hex_encode(*bytes)) == *bytes);
    if (const auto bytes = base64url_decode(text); bytes.ok())
        TARN_ASSERT(base64url_encode(*bytes) == text.substr(0, text.find('=')));
    const auto bytes = base64_decode(text);
    if (!bytes.ok() || text.empty()) return 0;
    TARN_ASSERT(base64_encode(*bytes) == text);
    std::string other(text.size(), '\0');
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(other.data()), data,
                                       static_cast<int>(size));
    TARN_ASSERT(length >= 0 && other.starts_with(*bytes));
    return 0;
}
