// What every request pays here: a signature, a decision, an audit record.
#include <benchmark/benchmark.h>

#include "security/internal/audit_record.h"
#include "security/policy.h"
#include "security/sigv4.h"

namespace tarn::security {
namespace {

constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

void verify_put(benchmark::State& state) {
    const Timestamp now{1'750'000'000'000'000};
    SignedRequest request{"PUT",
                          "/bucket/some/key%20with/parts",
                          "",
                          {{"host", "localhost:4566"},
                           {"content-length", "4096"},
                           {"x-amz-checksum-crc32", "DUoRhQ=="}},
                          ""};
    const auto signature = sign(request, {"AKIAIOSFODNN7EXAMPLE", kSecret, "us-east-1", "s3"}, now,
                                "UNSIGNED-PAYLOAD");
    for (const auto& [name, value] : signature.headers) request.headers.emplace_back(name, value);
    const SignatureRules rules{now, {}, {"s3"}};
    for (auto _ : state) {
        const auto verified = verify(
            request, rules, [](std::string_view) { return std::optional<std::string>(kSecret); });
        if (!verified.ok()) state.SkipWithError("not verified");
    }
}
BENCHMARK(verify_put);

void derive_signing_key(benchmark::State& state) {
    const CredentialScope scope{"20260101", "us-east-1", "s3"};
    for (auto _ : state) benchmark::DoNotOptimize(signing_key(kSecret, scope));
}
BENCHMARK(derive_signing_key);

void evaluate_policy(benchmark::State& state) {
    const auto policy = Policy::parse(
        R"({"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],
             "Resource":"arn:aws:s3:::lake/${aws:username}/*"},
            {"Effect":"Deny","Action":"*","Resource":"*",
             "Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]})",
        PolicyKind::identity, "p");
    const PolicyRequest request{"s3:PutObject",
                                "arn:aws:s3:::lake/ann/some/key",
                                "arn:aws:iam::123456789012:user/ann",
                                "123456789012",
                                {{"aws:username", {"ann"}}, {"aws:SourceIp", {"10.1.2.3"}}}};
    const std::vector<Policy> policies{policy.value()};
    for (auto _ : state) benchmark::DoNotOptimize(evaluate(policies, request));
}
BENCHMARK(evaluate_policy);

void audit_record(benchmark::State& state) {
    Caller caller;
    caller.principal.arn = "arn:aws:iam::123456789012:user/ann";
    caller.principal.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    caller.request_id = "4442587FB7D0A2F9";
    caller.door = "s3";
    caller.source_ip = "127.0.0.1";
    caller.user_agent = "aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source/x86_64";
    caller.action = "s3:PutObject";
    caller.resource = "arn:aws:s3:::lake/ann/some/key";
    for (auto _ : state) benchmark::DoNotOptimize(make_record(caller, {}, 1).to_json());
}
BENCHMARK(audit_record);

}  // namespace
}  // namespace tarn::security
