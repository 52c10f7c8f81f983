#include "base/fuzz.h"
#include "security/policy.h"

std::vector<std::string> tarn::fuzz_seeds() {
    const std::string identity =
        R"({"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:Get*","s3:?ut*"],)"
        R"("Resource":"arn:aws:s3:::bucket/${aws:username}/*","Condition":{"StringLike":{"s3:prefix":["a*"]},)"
        R"("IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"ForAnyValue:StringEquals":{"s3:prefix":"b"},)"
        R"("NumericLessThanIfExists":{"s3:max-keys":"10"},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},)"
        R"("Bool":{"aws:SecureTransport":"true"},"Null":{"aws:username":"false"},"ArnLike":{"aws:SourceArn":"arn:*"}}},)"
        R"({"Effect":"Deny","NotAction":"iam:*","NotResource":["arn:aws:s3:::*"]}]})";
    const std::string resource =
        R"({"Version":"2008-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["*","123456789012"]},)"
        R"("Action":"*","Resource":"*"}})";
    return {"\x02" + identity, "\x01" + resource,
            "\x02{\"Version\":\"2012-10-17\",\"Statement\":[]}"};
}

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
