#include "protocols/s3/internal/operations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "protocols/s3/internal/errors.h"

namespace tarn::s3 {
namespace {

std::string found(std::string_view method, Target target, std::vector<std::string_view> query = {},
                  std::vector<std::string_view> headers = {}) {
    auto has = [](const std::vector<std::string_view>& names) {
        return [&names](std::string_view name) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
    };
    auto operation = find_operation({method, target, has(query), has(headers)});
    return operation.ok() ? std::string((*operation)->name) : operation.error().reason;
}

TEST(Operations, ThePlainOnes) {
    EXPECT_EQ(found("GET", Target::service), "ListBuckets");
    EXPECT_EQ(found("GET", Target::bucket), "ListObjects");
    EXPECT_EQ(found("GET", Target::bucket, {"list-type", "prefix"}), "ListObjectsV2");
    EXPECT_EQ(found("PUT", Target::bucket), "CreateBucket");
    EXPECT_EQ(found("PUT", Target::object, {"x-id"}), "PutObject");
    EXPECT_EQ(found("PUT", Target::object, {}, {"x-amz-copy-source"}), "CopyObject");
    EXPECT_EQ(found("PUT", Target::object, {"uploadId", "partNumber"}), "UploadPart");
    EXPECT_EQ(found("PUT", Target::object, {"uploadId", "partNumber"}, {"x-amz-copy-source"}),
              "UploadPartCopy");
    EXPECT_EQ(found("POST", Target::object, {"uploads"}), "CreateMultipartUpload");
    EXPECT_EQ(found("POST", Target::object, {"uploadId"}), "CompleteMultipartUpload");
    EXPECT_EQ(found("GET", Target::object, {"partNumber"}), "GetObject");
    EXPECT_EQ(found("DELETE", Target::object, {"uploadId"}), "AbortMultipartUpload");
}

TEST(Operations, ASubResourceNeverRunsThePlainOperation) {
    EXPECT_EQ(found("DELETE", Target::bucket, {"acl"}), "MethodNotAllowed");
    EXPECT_EQ(found("DELETE", Target::bucket, {"versioning"}), "MethodNotAllowed");
    EXPECT_EQ(found("PUT", Target::object, {"torrent"}), "MethodNotAllowed");
    EXPECT_EQ(found("DELETE", Target::object, {"acl"}), "MethodNotAllowed");
    EXPECT_EQ(found("HEAD", Target::object, {"acl"}), "MethodNotAllowed");
}

TEST(Operations, WhatS3DoesNotHave) {
    EXPECT_EQ(found("PATCH", Target::object), "MethodNotAllowed");
    EXPECT_EQ(found("DELETE", Target::service), "MethodNotAllowed");
    EXPECT_EQ(found("POST", Target::object), "NotImplemented");
}

TEST(Operations, EachRowCanBeReached) {
    std::set<std::string_view> names;
    for (const auto& operation : operations()) {
        EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
        EXPECT_NE(operation.action.find(':'), std::string_view::npos) << operation.name;
        std::vector<std::string_view> query, headers;
        if (!operation.sub_resource.empty()) query.push_back(operation.sub_resource);
        if (!operation.also.empty())
            (operation.also.starts_with("x-") ? headers : query).push_back(operation.also);
        EXPECT_EQ(found(operation.method, operation.target, query, headers), operation.name);
    }
    EXPECT_GE(names.size(), 105u);
}

TEST(Errors, ReasonFirstThenCode) {
    EXPECT_EQ(s3_error(Error(Code::not_found, "", "NoSuchBucket")).code, "NoSuchBucket");
    EXPECT_EQ(s3_error(Error(Code::not_found, "", "NoSuchBucket")).status, 404);
    EXPECT_EQ(s3_error(Error(Code::not_found, "", "unheard_of")).code, "NoSuchKey");
    EXPECT_EQ(s3_error(Error(Code::exhausted, "")).status, 503);
    EXPECT_EQ(s3_error(Error(Code::corrupted, "")).status, 500);
    auto body = error_body({"InternalError", 500}, Error(Code::io, "/secret/path: no"), "/b/<k>",
                           "ID", "HOST");
    EXPECT_EQ(body.find("secret"), std::string::npos);
    EXPECT_NE(body.find("<Resource>/b/&lt;k&gt;</Resource>"), std::string::npos);
}

}  // namespace
}  // namespace tarn::s3
