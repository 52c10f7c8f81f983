// The Cookie header as browsers, proxies and others send it.
#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/admin/internal/sign_in.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"a\na=1", "a\nb=2; a=1;  a=3", "tarn_session\ntarn_session=00ff; theme=dark",
            "a\n=; a; a==;;a=\"x;y\""};
}

/// First line: the name; behind it the header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto [name, header] = tarn::fuzz_line(tarn::fuzz_text(data, size));
    if (name.empty() || name.find_first_of("=; ") != name.npos) return 0;
    const auto value = tarn::admin::cookie(header, name);
    TARN_ASSERT(value.find(';') == value.npos);
    // What is put before all others is found, as it is.
    std::string sent(name);
    sent.append("=").append(value).append("; ").append(header);
    TARN_ASSERT(tarn::admin::cookie(sent, name) == value);
    // And one of another name is not.
    const std::string other = std::string(name) + "x";
    sent = other + "=1";
    TARN_ASSERT(tarn::admin::cookie(sent, name).empty());
    return 0;
}
