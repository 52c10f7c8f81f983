#include "security/sigv4.h"

#include <gtest/gtest.h>

#include "codec/hash.h"
#include "codec/text.h"
#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

// The credentials and the time of the examples in AWS's documentation.
constexpr char kKeyId[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const Timestamp kExampleTime = parse_time("20130524T000000Z").value();
const std::string kEmptyHash(kEmptySha256);

std::optional<std::string> secret_of(std::string_view id) {
    if (id == kKeyId) return kSecret;
    return std::nullopt;
}

SignatureRules rules_at(Timestamp now) {
    return {now, {}, {}};
}

Result<Verified> check(const SignedRequest& request, Timestamp now = kExampleTime) {
    return verify(request, rules_at(now), secret_of);
}

std::string reason(const Result<Verified>& result) {
    return result.ok() ? "ok" : result.error().reason;
}

std::string authorization(std::string_view names, std::string_view signature,
                          std::string_view scope = "20130524/us-east-1/s3/aws4_request") {
    return "AWS4-HMAC-SHA256 Credential=" + std::string(kKeyId) + "/" + std::string(scope) +
           ",SignedHeaders=" + std::string(names) + ",Signature=" + std::string(signature);
}

// S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a
// Single Chunk".
TEST(SigV4Examples, GetObject) {
    const std::string value =
        authorization("host;range;x-amz-content-sha256;x-amz-date",
                      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    const SignedRequest request{"GET",
                                "/test.txt",
                                "",
                                {{"Host", "examplebucket.s3.amazonaws.com"},
                                 {"Range", "bytes=0-9"},
                                 {"x-amz-content-sha256", kEmptyHash},
                                 {"x-amz-date", "20130524T000000Z"},
                                 {"Authorization", value}},
                                ""};
    const auto verified = check(request);
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    EXPECT_EQ(verified->access_key_id, kKeyId);
    EXPECT_EQ(verified->payload, PayloadKind::hash);
    EXPECT_EQ(verified->payload_sha256, kEmptyHash);
    EXPECT_FALSE(verified->presigned);
}

TEST(SigV4Examples, PutObject) {
    const std::string value =
        authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    const std::string hash = codec::hex_encode(codec::sha256("Welcome to Amazon S3."));
    const SignedRequest request{"PUT",
                                "/test%24file.text",
                                "",
                                {{"Host", "examplebucket.s3.amazonaws.com"},
                                 {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                 {"Authorization", value},
                                 {"x-amz-date", "20130524T000000Z"},
                                 {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                 {"x-amz-content-sha256", hash}},
                                ""};
    EXPECT_EQ(reason(check(request)), "ok");
}

TEST(SigV4Examples, GetBucketLifecycle) {
    const std::string value =
        authorization("host;x-amz-content-sha256;x-amz-date",
                      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    const SignedRequest request{"GET",
                                "/",
                                "lifecycle",
                                {{"Host", "examplebucket.s3.amazonaws.com"},
                                 {"Authorization", value},
                                 {"x-amz-date", "20130524T000000Z"},
                                 {"x-amz-content-sha256", kEmptyHash}},
                                ""};
    EXPECT_EQ(reason(check(request)), "ok");
}

TEST(SigV4Examples, ListObjects) {
    const std::string value =
        authorization("host;x-amz-content-sha256;x-amz-date",
                      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    SignedRequest request{"GET",
                          "/",
                          "max-keys=2&prefix=J",
                          {{"Host", "examplebucket.s3.amazonaws.com"},
                           {"Authorization", value},
                           {"x-amz-date", "20130524T000000Z"},
                           {"x-amz-content-sha256", kEmptyHash}},
                          ""};
    EXPECT_EQ(reason(check(request)), "ok");
    request.raw_query = "prefix=J&max-keys=2";
    EXPECT_EQ(reason(check(request)), "ok");
    request.raw_query = "prefix=J&max-keys=3";
    EXPECT_EQ(reason(check(request)), "SignatureDoesNotMatch");
}

// S3 API Reference, "Authenticating Requests: Using Query Parameters".
SignedRequest presigned_example() {
    return {"GET",
            "/test.txt",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            {{"Host", "examplebucket.s3.amazonaws.com"}},
            ""};
}

TEST(SigV4Examples, PresignedUrl) {
    const auto verified = check(presigned_example());
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    EXPECT_TRUE(verified->presigned);
    EXPECT_EQ(verified->payload, PayloadKind::unsigned_payload);
}

TEST(SigV4Examples, PresignWritesTheSameUrl) {
    const Signer signer{kKeyId, kSecret, "us-east-1", "s3"};
    const SignedRequest request{
        "GET", "/test.txt", "", {{"Host", "examplebucket.s3.amazonaws.com"}}, ""};
    EXPECT_EQ(presign(request, signer, kExampleTime, 86400), presigned_example().raw_query);
}

// IAM User Guide, "Create a signed AWS API request" (its older example).
TEST(SigV4Examples, IamListUsers) {
    const std::string value =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    SignedRequest request{"GET",
                          "/",
                          "Action=ListUsers&Version=2010-05-08",
                          {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                           {"Host", "iam.amazonaws.com"},
                           {"X-Amz-Date", "20150830T123600Z"},
                           {"Authorization", value}},
                          kEmptyHash};
    const auto lookup = [](std::string_view) {
        return std::optional<std::string>("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    };
    const auto rules = rules_at(parse_time("20150830T123600Z").value());
    EXPECT_EQ(reason(verify(request, rules, lookup)), "ok");
    request.body_sha256 = codec::hex_encode(codec::sha256("x"));
    EXPECT_EQ(reason(verify(request, rules, lookup)), "SignatureDoesNotMatch");
}

// The general suite's cases that bend the canonical form: signed for service "service" with these
// expected signatures.
struct SuiteCase {
    const char* name;
    const char* path;
    const char* query;
    HeaderViews headers;
    const char* names;
    const char* signature;
};

TEST(SigV4Examples, GeneralSuite) {
    const HeaderViews plain = {};
    const SuiteCase cases[] = {
        {"get-vanilla", "/", "", plain, "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-relative", "/example/..", "", plain, "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-relative-relative", "/example1/example2/../..", "", plain, "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-slash", "//", "", plain, "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-slash-dot-slash", "/./", "", plain, "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-vanilla-query-order-key-case", "/", "Param2=value2&Param1=value1", plain,
         "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-header-key-duplicate",
         "/",
         "",
         {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
         "host;my-header1;x-amz-date",
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-trim",
         "/",
         "",
         {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
         "host;my-header1;my-header2;x-amz-date",
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    };
    const auto lookup = [](std::string_view) {
        return std::optional<std::string>("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    };
    const auto rules = rules_at(parse_time("20150830T123600Z").value());
    for (const SuiteCase& one : cases) {
        const std::string value =
            std::string(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                "SignedHeaders=") +
            one.names + ", Signature=" + one.signature;
        SignedRequest request{"GET", one.path, one.query, one.headers, kEmptyHash};
        request.headers.emplace_back("Host", "example.amazonaws.com");
        request.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
        request.headers.emplace_back("Authorization", value);
        EXPECT_EQ(reason(verify(request, rules, lookup)), "ok") << one.name;
    }
}

// Our own requests, signed and then tampered with, part by part.
class RoundTrip : public testing::Test {
 protected:
    void sign_it(std::string_view service = "s3", std::string_view payload = {}) {
        signer_.service = service;
        const std::string stated = payload.empty() ? hash_ : std::string(payload);
        if (service != "s3") request_.body_sha256 = hash_;
        result_ = sign(request_, signer_, kExampleTime, stated);
        for (const auto& [name, value] : result_.headers)
            request_.headers.emplace_back(name, value);
    }
    std::string_view& header(std::string_view name) {
        for (auto& [key, value] : request_.headers)
            if (key == name) return value;
        ADD_FAILURE() << "no header " << name;
        return request_.headers.front().second;
    }
    void drop_header(std::string_view name) {
        std::erase_if(request_.headers, [&](const auto& one) { return one.first == name; });
    }
    std::string outcome(Timestamp now = kExampleTime) { return reason(check(request_, now)); }

    const std::string hash_ = codec::hex_encode(codec::sha256("body"));
    Signer signer_{kKeyId, kSecret, "us-east-1", "s3"};
    SignedRequest request_{"PUT",
                           "/bucket/a%20key%2Bwith%3Dsigns",
                           "partNumber=1&uploadId=a%2Fb",
                           {{"host", "localhost:4566"}, {"x-amz-meta-colour", "blue"}},
                           ""};
    SignatureHeaders result_;
};

TEST_F(RoundTrip, Accepts) {
    sign_it();
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(RoundTrip, AcceptsOtherServices) {
    request_.raw_path = "/v1/functions/a%20b//c/../d";
    sign_it("lambda");
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(RoundTrip, RefusesEachChangedPart) {
    sign_it();
    const SignedRequest good = request_;
    const auto expect_mismatch = [&](const char* part) {
        EXPECT_EQ(outcome(), "SignatureDoesNotMatch") << part;
        request_ = good;
    };
    request_.method = "GET";
    expect_mismatch("method");
    request_.raw_path = "/bucket/a%20key%2Bwith%3Dsign";
    expect_mismatch("path");
    request_.raw_query = "partNumber=2&uploadId=a%2Fb";
    expect_mismatch("query");
    request_.raw_query = "partNumber=1&uploadId=a%2Fb&acl";
    expect_mismatch("query parameter added");
    header("host") = "localhost:4567";
    expect_mismatch("host");
    header("x-amz-meta-colour") = "red";
    expect_mismatch("header");
    drop_header("x-amz-meta-colour");
    expect_mismatch("header dropped");
    header("x-amz-date") = "20130524T000001Z";
    expect_mismatch("date");
    header("x-amz-content-sha256") = kEmptySha256;
    expect_mismatch("hash");
    header("x-amz-content-sha256") = "UNSIGNED-PAYLOAD";
    expect_mismatch("payload kind");
    const auto change_authorization = [&](std::string_view from, std::string_view to) {
        std::string value(header("authorization"));
        value.replace(value.find(from), from.size(), to);
        return value;
    };
    const std::string region = change_authorization("/us-east-1/", "/eu-west-1/");
    header("authorization") = region;
    expect_mismatch("region");
    const std::string names = change_authorization("host;", "");
    header("authorization") = names;
    EXPECT_EQ(outcome(), "AccessDenied");
    request_ = good;
    const std::string unlisted = change_authorization("x-amz-meta-colour", "");
    header("authorization") = unlisted;
    EXPECT_EQ(outcome(), "AuthorizationHeaderMalformed");
    request_ = good;
    std::string signature(header("authorization"));
    signature.back() = signature.back() == '0' ? '1' : '0';
    header("authorization") = signature;
    expect_mismatch("signature");
    const std::string key = change_authorization(kKeyId, "AKIAIOSFODNN7UNKNOWN");
    header("authorization") = key;
    EXPECT_EQ(outcome(), "InvalidAccessKeyId");
    request_ = good;
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(RoundTrip, RefusesHeadersAddedAfterSigning) {
    sign_it();
    request_.headers.emplace_back("X-Amz-Copy-Source", "/secrets/plans.pdf");
    EXPECT_EQ(outcome(), "AccessDenied");
}

TEST_F(RoundTrip, RefusesRequestsFarFromNow) {
    sign_it();
    using std::chrono::seconds;
    EXPECT_EQ(outcome(kExampleTime.plus(seconds(15 * 60))), "ok");
    EXPECT_EQ(outcome(kExampleTime.plus(seconds(15 * 60 + 1))), "RequestTimeTooSkewed");
    EXPECT_EQ(outcome(kExampleTime.plus(-seconds(15 * 60))), "ok");
    EXPECT_EQ(outcome(kExampleTime.plus(-seconds(15 * 60 + 1))), "RequestTimeTooSkewed");
}

TEST_F(RoundTrip, RefusesScopesOutsideTheRules) {
    sign_it();
    const auto with = [&](std::vector<std::string> regions, std::vector<std::string> services) {
        return verify(request_, {kExampleTime, std::move(regions), std::move(services)}, secret_of);
    };
    EXPECT_EQ(reason(with({"us-east-1"}, {"s3"})), "ok");
    const auto region = with({"eu-west-1"}, {});
    EXPECT_EQ(reason(region), "AuthorizationHeaderMalformed");
    EXPECT_NE(region.error().message.find("expecting 'eu-west-1'"), std::string::npos);
    EXPECT_EQ(reason(with({}, {"glue"})), "AuthorizationHeaderMalformed");
}

TEST_F(RoundTrip, RefusesWhatIsNotIn) {
    sign_it();
    const SignedRequest good = request_;
    drop_header("x-amz-content-sha256");
    EXPECT_EQ(outcome(), "InvalidRequest");
    request_ = good;
    drop_header("x-amz-date");
    EXPECT_EQ(outcome(), "AccessDenied");
    request_ = good;
    drop_header("host");
    EXPECT_EQ(outcome(), "SignatureDoesNotMatch");
    request_ = good;
    drop_header("authorization");
    EXPECT_EQ(outcome(), "AccessDenied");
    EXPECT_FALSE(is_signed(request_));
    request_ = good;
    header("x-amz-content-sha256") = "anything";
    EXPECT_EQ(outcome(), "InvalidArgument");
    request_ = good;
    request_.headers.emplace_back("x-amz-security-token", "token");
    EXPECT_EQ(outcome(), "InvalidToken");
    request_ = good;
    request_.raw_query = "prefix=%zz";
    EXPECT_EQ(outcome(), "InvalidURI");
}

TEST_F(RoundTrip, ComparesTheStatedHashWithTheBodys) {
    sign_it();
    request_.body_sha256 = codec::hex_encode(codec::sha256("other"));
    EXPECT_EQ(outcome(), "XAmzContentSHA256Mismatch");
    request_.body_sha256 = hash_;
    EXPECT_EQ(outcome(), "ok");
}

TEST_F(RoundTrip, KnowsThePayloadKinds) {
    const std::pair<const char*, PayloadKind> kinds[] = {
        {"UNSIGNED-PAYLOAD", PayloadKind::unsigned_payload},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PayloadKind::chunks_signed},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PayloadKind::chunks_signed_trailer},
        {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PayloadKind::chunks_unsigned_trailer},
    };
    const SignedRequest bare = request_;
    for (const auto& [word, kind] : kinds) {
        request_ = bare;
        sign_it("s3", word);
        const auto verified = check(request_);
        ASSERT_TRUE(verified.ok()) << word;
        EXPECT_EQ(verified->payload, kind);
        EXPECT_EQ(verified->signing.seed_signature, result_.signing.seed_signature);
        EXPECT_EQ(verified->signing.key, result_.signing.key);
    }
    request_ = bare;
    sign_it("s3", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD");
    EXPECT_EQ(outcome(), "NotImplemented");
}

TEST_F(RoundTrip, AcceptsAPathSignedAsSent) {
    // The canonical form would encode '=' and '+'; this client signed what it sent.
    request_.raw_path = "/bucket/a=b+c:d";
    request_.headers = {{"host", "localhost"}};
    const auto scope = CredentialScope{"20130524", "us-east-1", "s3"};
    request_.headers.emplace_back("x-amz-content-sha256", hash_);
    request_.headers.emplace_back("x-amz-date", "20130524T000000Z");
    const std::vector<std::string> names = {"host", "x-amz-content-sha256", "x-amz-date"};
    const CanonicalRequest canonical{"PUT",
                                     std::string(request_.raw_path),
                                     "partNumber=1&uploadId=a%2Fb",
                                     canonical_headers(request_.headers, names),
                                     join(names, ';'),
                                     hash_};
    const std::string value = authorization(
        join(names, ';'), signature_of(signing_key(kSecret, scope),
                                       string_to_sign(canonical, "20130524T000000Z", scope)));
    request_.headers.emplace_back("authorization", value);
    EXPECT_EQ(outcome(), "ok");
    request_.raw_path = "/bucket/a=b+c:e";
    EXPECT_EQ(outcome(), "SignatureDoesNotMatch");
}

TEST_F(RoundTrip, PlusInAQueryIsASpace) {
    request_.raw_query = "prefix=a%20b";
    sign_it();
    request_.raw_query = "prefix=a+b";
    EXPECT_EQ(outcome(), "ok");
    request_.raw_query = "prefix=a%2Bb";
    EXPECT_EQ(outcome(), "SignatureDoesNotMatch");
}

TEST(Presigned, LivesAsLongAsItSays) {
    using std::chrono::seconds;
    const auto request = presigned_example();
    EXPECT_EQ(reason(check(request, kExampleTime.plus(seconds(86400)))), "ok");
    const auto expired = check(request, kExampleTime.plus(seconds(86401)));
    EXPECT_EQ(reason(expired), "AccessDenied");
    EXPECT_EQ(expired.error().message, "Request has expired");
    EXPECT_EQ(reason(check(request, kExampleTime.plus(-seconds(15 * 60)))), "ok");
    EXPECT_EQ(reason(check(request, kExampleTime.plus(-seconds(15 * 60 + 1)))), "AccessDenied");
}

TEST(Presigned, RefusesHeadersThatWereNotSigned) {
    auto request = presigned_example();
    request.method = "PUT";
    EXPECT_EQ(reason(check(request)), "SignatureDoesNotMatch");
    request = presigned_example();
    request.headers.emplace_back("x-amz-copy-source", "/other/secret");
    EXPECT_EQ(reason(check(request)), "AccessDenied");
    request = presigned_example();
    request.headers.emplace_back("range", "bytes=0-9");
    EXPECT_EQ(reason(check(request)), "ok");
}

TEST(Presigned, RefusesMalformedParameters) {
    const std::string good(presigned_example().raw_query);
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string query = good;
        query.replace(query.find(from), from.size(), to);
        auto request = presigned_example();
        request.raw_query = query;
        return reason(check(request));
    };
    const std::string word = "AuthorizationQueryParametersError";
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=604801"), word);
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=0"), word);
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=-1"), word);
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=soon"), word);
    EXPECT_EQ(with("X-Amz-Expires=86400&", ""), word);
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Expires=86400"), word);
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=86401"), "SignatureDoesNotMatch");
    EXPECT_EQ(with("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), word);
    EXPECT_EQ(with("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "NotImplemented");
    EXPECT_EQ(with("20130524T000000Z", "2013-05-24T00:00:00Z"), word);
    EXPECT_EQ(with("20130524T000000Z", "20130525T000000Z"), word);
    EXPECT_EQ(with("aws4_request", "aws5_request"), word);
    EXPECT_EQ(with("aeeed9", "AEEED9"), word);
    EXPECT_EQ(with("aeeed9", "aeeed8"), "SignatureDoesNotMatch");
    EXPECT_EQ(with("SignedHeaders=host", "SignedHeaders=range"), "AccessDenied");
    EXPECT_EQ(with("SignedHeaders=host", "SignedHeaders=Host"), word);
    EXPECT_EQ(with("IOSFODNN7EXAMPLE", "IOSFODNN7UNKNOWN"), "InvalidAccessKeyId");
    EXPECT_EQ(with("X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Security-Token=x"),
              "InvalidToken");
}

TEST(Presigned, RoundTripsWithSignedHeadersAndParameters) {
    const Signer signer{kKeyId, kSecret, "eu-central-1", "s3"};
    SignedRequest request{"PUT",
                          "/b/k%C3%A9y",
                          "partNumber=7&uploadId=u%2Bv",
                          {{"host", "h"}, {"content-type", "text/csv"}, {"x-amz-acl", "private"}},
                          ""};
    const std::string query = presign(request, signer, kExampleTime, 60);
    request.raw_query = query;
    EXPECT_EQ(reason(check(request)), "ok");
    request.headers.back().second = "public-read";
    EXPECT_EQ(reason(check(request)), "SignatureDoesNotMatch");
    request.headers.pop_back();
    EXPECT_EQ(reason(check(request)), "SignatureDoesNotMatch");
}

TEST(AuthorizationHeader, RefusesMalformedOnes) {
    const std::string sig(64, 'a');
    const std::string scope = "AKIA/20130524/us-east-1/s3/aws4_request";
    const std::pair<std::string, const char*> cases[] = {
        {"", "InvalidArgument"},
        {"Basic dXNlcjpwYXNz", "InvalidArgument"},
        {"AWS AKIA:c2lnbmF0dXJl", "InvalidRequest"},
        {"AWS4-ECDSA-P256-SHA256 Credential=x", "NotImplemented"},
        {"AWS4-HMAC-SHA256", "InvalidArgument"},
        {"AWS4-HMAC-SHA256 x", "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope, "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=" + sig,
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=;, Signature=" + sig,
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=Host, Signature=" + sig,
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=host, Signature=abc",
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=host, Signature=" + sig +
             ", Extra=1",
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=" + scope + ", Credential=" + scope +
             ", SignedHeaders=host, Signature=" + sig,
         "AuthorizationHeaderMalformed"},
        {"AWS4-HMAC-SHA256 Credential=AKIA/20130525/us-east-1/s3/aws4_request, SignedHeaders=host, "
         "Signature=" +
             sig,
         "AuthorizationHeaderMalformed"},
    };
    for (const auto& [value, expected] : cases) {
        const SignedRequest request{"GET",
                                    "/",
                                    "",
                                    {{"host", "h"},
                                     {"x-amz-date", "20130524T000000Z"},
                                     {"x-amz-content-sha256", kEmptyHash},
                                     {"authorization", value}},
                                    ""};
        EXPECT_EQ(reason(check(request)), expected) << value;
        EXPECT_TRUE(is_signed(request));
    }
}

TEST(AuthorizationHeader, RefusesTwoMechanisms) {
    auto request = presigned_example();
    request.headers.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=x");
    EXPECT_EQ(reason(check(request)), "InvalidArgument");
    const SignedRequest version_2{
        "GET", "/", "AWSAccessKeyId=a&Signature=b&Expires=1", {{"host", "h"}}, ""};
    EXPECT_EQ(reason(check(version_2)), "InvalidRequest");
}

TEST(AuthorizationHeader, GivesTheScopeForRouting) {
    const auto scope = claimed_scope(presigned_example());
    ASSERT_TRUE(scope.has_value());
    EXPECT_EQ(scope->service, "s3");
    EXPECT_EQ(scope->str(), "20130524/us-east-1/s3/aws4_request");
    EXPECT_FALSE(claimed_scope({"GET", "/", "", {}, ""}).has_value());
}

}  // namespace
}  // namespace tarn::security
