#include "security/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::security;
    if (size == 0) return 0;
    const auto kind = data[0] % 2 == 0 ? PolicyKind::identity : PolicyKind::resource;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto policy = Policy::parse(text, kind, "fuzz");
    if (!policy.ok()) return 0;
    const PolicyRequest request{
        "s3:GetObject",
        "arn:aws:s3:::bucket/key*?",
        "arn:aws:iam::123456789012:user/ann",
        "123456789012",
        {{"aws:username", {"ann"}}, {"aws:SourceIp", {"10.0.0.1"}}, {"s3:prefix", {"a", "b"}}}};
    (void)evaluate({policy.value()}, request);
    return 0;
}
