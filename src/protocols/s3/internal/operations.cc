// clang-format off
#include "protocols/s3/internal/operations.h"

#include <algorithm>
#include <array>

#include "protocols/s3/internal/handlers.h"

namespace tarn::s3 {

namespace {

constexpr auto kService = Target::service;
constexpr auto kBucket = Target::bucket;
constexpr auto kObject = Target::object;

constexpr Operation kOperations[] = {
    // name                                             method    target    sub-resource              also                    IAM action                                 handler
    {"ListBuckets",                                     "GET",    kService, "",                       "",                     "s3:ListAllMyBuckets",                     list_buckets},

    {"ListObjectsV2",                                   "GET",    kBucket,  "list-type",              "",                     "s3:ListBucket",                           list_objects_v2},
    {"GetBucketLocation",                               "GET",    kBucket,  "location",               "",                     "s3:GetBucketLocation",                    get_bucket_location},
    {"ListMultipartUploads",                            "GET",    kBucket,  "uploads",                "",                     "s3:ListBucketMultipartUploads",           list_multipart_uploads},
    {"ListObjectVersions",                              "GET",    kBucket,  "versions",               "",                     "s3:ListBucketVersions",                   list_object_versions},
    {"GetBucketAbac",                                   "GET",    kBucket,  "abac",                   "",                     "s3:GetBucketAbac",                        nullptr},
    {"GetBucketAccelerateConfiguration",                "GET",    kBucket,  "accelerate",             "",                     "s3:GetAccelerateConfiguration",           get_bucket_configuration},
    {"GetBucketAcl",                                    "GET",    kBucket,  "acl",                    "",                     "s3:GetBucketAcl",                         get_acl},
    {"GetBucketAnalyticsConfiguration",                 "GET",    kBucket,  "analytics",              "id",                   "s3:GetAnalyticsConfiguration",            get_bucket_configuration},
    {"ListBucketAnalyticsConfigurations",               "GET",    kBucket,  "analytics",              "",                     "s3:GetAnalyticsConfiguration",            get_bucket_configuration},
    {"GetBucketCors",                                   "GET",    kBucket,  "cors",                   "",                     "s3:GetBucketCORS",                        get_bucket_configuration},
    {"GetBucketEncryption",                             "GET",    kBucket,  "encryption",             "",                     "s3:GetEncryptionConfiguration",           get_bucket_configuration},
    {"GetBucketIntelligentTieringConfiguration",        "GET",    kBucket,  "intelligent-tiering",    "id",                   "s3:GetIntelligentTieringConfiguration",   get_bucket_configuration},
    {"ListBucketIntelligentTieringConfigurations",      "GET",    kBucket,  "intelligent-tiering",    "",                     "s3:GetIntelligentTieringConfiguration",   get_bucket_configuration},
    {"GetBucketInventoryConfiguration",                 "GET",    kBucket,  "inventory",              "id",                   "s3:GetInventoryConfiguration",            get_bucket_configuration},
    {"ListBucketInventoryConfigurations",               "GET",    kBucket,  "inventory",              "",                     "s3:GetInventoryConfiguration",            get_bucket_configuration},
    {"GetBucketLifecycleConfiguration",                 "GET",    kBucket,  "lifecycle",              "",                     "s3:GetLifecycleConfiguration",            get_bucket_configuration},
    {"GetBucketLogging",                                "GET",    kBucket,  "logging",                "",                     "s3:GetBucketLogging",                     get_bucket_configuration},
    {"GetBucketMetadataConfiguration",                  "GET",    kBucket,  "metadataConfiguration",  "",                     "s3:GetBucketMetadataTableConfiguration",  nullptr},
    {"GetBucketMetadataTableConfiguration",             "GET",    kBucket,  "metadataTable",          "",                     "s3:GetBucketMetadataTableConfiguration",  nullptr},
    {"GetBucketMetricsConfiguration",                   "GET",    kBucket,  "metrics",                "id",                   "s3:GetMetricsConfiguration",              get_bucket_configuration},
    {"ListBucketMetricsConfigurations",                 "GET",    kBucket,  "metrics",                "",                     "s3:GetMetricsConfiguration",              get_bucket_configuration},
    {"GetBucketNotificationConfiguration",              "GET",    kBucket,  "notification",           "",                     "s3:GetBucketNotification",                get_bucket_configuration},
    {"GetObjectLockConfiguration",                      "GET",    kBucket,  "object-lock",            "",                     "s3:GetBucketObjectLockConfiguration",     get_bucket_configuration},
    {"GetBucketOwnershipControls",                      "GET",    kBucket,  "ownershipControls",      "",                     "s3:GetBucketOwnershipControls",           get_bucket_configuration},
    {"GetBucketPolicy",                                 "GET",    kBucket,  "policy",                 "",                     "s3:GetBucketPolicy",                      get_bucket_configuration},
    {"GetBucketPolicyStatus",                           "GET",    kBucket,  "policyStatus",           "",                     "s3:GetBucketPolicyStatus",                get_bucket_configuration},
    {"GetPublicAccessBlock",                            "GET",    kBucket,  "publicAccessBlock",      "",                     "s3:GetBucketPublicAccessBlock",           get_bucket_configuration},
    {"GetBucketReplication",                            "GET",    kBucket,  "replication",            "",                     "s3:GetReplicationConfiguration",          get_bucket_configuration},
    {"GetBucketRequestPayment",                         "GET",    kBucket,  "requestPayment",         "",                     "s3:GetBucketRequestPayment",              get_bucket_configuration},
    {"CreateSession",                                   "GET",    kBucket,  "session",                "",                     "s3express:CreateSession",                 nullptr},
    {"GetBucketTagging",                                "GET",    kBucket,  "tagging",                "",                     "s3:GetBucketTagging",                     get_bucket_tagging},
    {"GetBucketVersioning",                             "GET",    kBucket,  "versioning",             "",                     "s3:GetBucketVersioning",                  get_bucket_configuration},
    {"GetBucketWebsite",                                "GET",    kBucket,  "website",                "",                     "s3:GetBucketWebsite",                     get_bucket_configuration},
    {"ListObjects",                                     "GET",    kBucket,  "",                       "",                     "s3:ListBucket",                           list_objects},

    {"HeadBucket",                                      "HEAD",   kBucket,  "",                       "",                     "s3:ListBucket",                           head_bucket},

    {"PutBucketAbac",                                   "PUT",    kBucket,  "abac",                   "",                     "s3:PutBucketAbac",                        nullptr},
    {"PutBucketAccelerateConfiguration",                "PUT",    kBucket,  "accelerate",             "",                     "s3:PutAccelerateConfiguration",           nullptr},
    {"PutBucketAcl",                                    "PUT",    kBucket,  "acl",                    "",                     "s3:PutBucketAcl",                         nullptr},
    {"PutBucketAnalyticsConfiguration",                 "PUT",    kBucket,  "analytics",              "",                     "s3:PutAnalyticsConfiguration",            nullptr},
    {"PutBucketCors",                                   "PUT",    kBucket,  "cors",                   "",                     "s3:PutBucketCORS",                        nullptr},
    {"PutBucketEncryption",                             "PUT",    kBucket,  "encryption",             "",                     "s3:PutEncryptionConfiguration",           nullptr},
    {"PutBucketIntelligentTieringConfiguration",        "PUT",    kBucket,  "intelligent-tiering",    "",                     "s3:PutIntelligentTieringConfiguration",   nullptr},
    {"PutBucketInventoryConfiguration",                 "PUT",    kBucket,  "inventory",              "",                     "s3:PutInventoryConfiguration",            nullptr},
    {"PutBucketLifecycleConfiguration",                 "PUT",    kBucket,  "lifecycle",              "",                     "s3:PutLifecycleConfiguration",            nullptr},
    {"PutBucketLogging",                                "PUT",    kBucket,  "logging",                "",                     "s3:PutBucketLogging",                     nullptr},
    {"UpdateBucketMetadataAnnotationTableConfiguration","PUT",    kBucket,  "metadataAnnotationTable","",                     "s3:UpdateBucketMetadataAnnotationTableConfiguration", nullptr},
    {"UpdateBucketMetadataInventoryTableConfiguration", "PUT",    kBucket,  "metadataInventoryTable", "",                     "s3:UpdateBucketMetadataInventoryTableConfiguration", nullptr},
    {"UpdateBucketMetadataJournalTableConfiguration",   "PUT",    kBucket,  "metadataJournalTable",   "",                     "s3:UpdateBucketMetadataJournalTableConfiguration", nullptr},
    {"PutBucketMetricsConfiguration",                   "PUT",    kBucket,  "metrics",                "",                     "s3:PutMetricsConfiguration",              nullptr},
    {"PutBucketNotificationConfiguration",              "PUT",    kBucket,  "notification",           "",                     "s3:PutBucketNotification",                nullptr},
    {"PutObjectLockConfiguration",                      "PUT",    kBucket,  "object-lock",            "",                     "s3:PutBucketObjectLockConfiguration",     nullptr},
    {"PutBucketOwnershipControls",                      "PUT",    kBucket,  "ownershipControls",      "",                     "s3:PutBucketOwnershipControls",           nullptr},
    {"PutBucketPolicy",                                 "PUT",    kBucket,  "policy",                 "",                     "s3:PutBucketPolicy",                      nullptr},
    {"PutPublicAccessBlock",                            "PUT",    kBucket,  "publicAccessBlock",      "",                     "s3:PutBucketPublicAccessBlock",           nullptr},
    {"PutBucketReplication",                            "PUT",    kBucket,  "replication",            "",                     "s3:PutReplicationConfiguration",          nullptr},
    {"PutBucketRequestPayment",                         "PUT",    kBucket,  "requestPayment",         "",                     "s3:PutBucketRequestPayment",              nullptr},
    {"PutBucketTagging",                                "PUT",    kBucket,  "tagging",                "",                     "s3:PutBucketTagging",                     put_bucket_tagging},
    {"PutBucketVersioning",                             "PUT",    kBucket,  "versioning",             "",                     "s3:PutBucketVersioning",                  nullptr},
    {"PutBucketWebsite",                                "PUT",    kBucket,  "website",                "",                     "s3:PutBucketWebsite",                     nullptr},
    {"CreateBucket",                                    "PUT",    kBucket,  "",                       "",                     "s3:CreateBucket",                         create_bucket},

    {"DeleteObjects",                                   "POST",   kBucket,  "delete",                 "",                     "s3:DeleteObject",                         delete_objects},
    {"CreateBucketMetadataConfiguration",               "POST",   kBucket,  "metadataConfiguration",  "",                     "s3:CreateBucketMetadataTableConfiguration", nullptr},
    {"CreateBucketMetadataTableConfiguration",          "POST",   kBucket,  "metadataTable",          "",                     "s3:CreateBucketMetadataTableConfiguration", nullptr},
    {"PostObject",                                      "POST",   kBucket,  "",                       "",                     "s3:PutObject",                            nullptr},

    {"DeleteBucketAnalyticsConfiguration",              "DELETE", kBucket,  "analytics",              "",                     "s3:PutAnalyticsConfiguration",            nullptr},
    {"DeleteBucketCors",                                "DELETE", kBucket,  "cors",                   "",                     "s3:PutBucketCORS",                        nullptr},
    {"DeleteBucketEncryption",                          "DELETE", kBucket,  "encryption",             "",                     "s3:PutEncryptionConfiguration",           nullptr},
    {"DeleteBucketIntelligentTieringConfiguration",     "DELETE", kBucket,  "intelligent-tiering",    "",                     "s3:PutIntelligentTieringConfiguration",   nullptr},
    {"DeleteBucketInventoryConfiguration",              "DELETE", kBucket,  "inventory",              "",                     "s3:PutInventoryConfiguration",            nullptr},
    {"DeleteBucketLifecycle",                           "DELETE", kBucket,  "lifecycle",              "",                     "s3:PutLifecycleConfiguration",            nullptr},
    {"DeleteBucketMetadataConfiguration",               "DELETE", kBucket,  "metadataConfiguration",  "",                     "s3:DeleteBucketMetadataTableConfiguration", nullptr},
    {"DeleteBucketMetadataTableConfiguration",          "DELETE", kBucket,  "metadataTable",          "",                     "s3:DeleteBucketMetadataTableConfiguration", nullptr},
    {"DeleteBucketMetricsConfiguration",                "DELETE", kBucket,  "metrics",                "",                     "s3:PutMetricsConfiguration",              nullptr},
    {"DeleteBucketOwnershipControls",                   "DELETE", kBucket,  "ownershipControls",      "",                     "s3:PutBucketOwnershipControls",           nullptr},
    {"DeleteBucketPolicy",                              "DELETE", kBucket,  "policy",                 "",                     "s3:DeleteBucketPolicy",                   nullptr},
    {"DeletePublicAccessBlock",                         "DELETE", kBucket,  "publicAccessBlock",      "",                     "s3:PutBucketPublicAccessBlock",           nullptr},
    {"DeleteBucketReplication",                         "DELETE", kBucket,  "replication",            "",                     "s3:PutReplicationConfiguration",          nullptr},
    {"DeleteBucketTagging",                             "DELETE", kBucket,  "tagging",                "",                     "s3:PutBucketTagging",                     delete_bucket_tagging},
    {"DeleteBucketWebsite",                             "DELETE", kBucket,  "website",                "",                     "s3:DeleteBucketWebsite",                  nullptr},
    {"DeleteBucket",                                    "DELETE", kBucket,  "",                       "",                     "s3:DeleteBucket",                         delete_bucket},

    {"ListParts",                                       "GET",    kObject,  "uploadId",               "",                     "s3:ListMultipartUploadParts",             list_parts},
    {"GetObjectAcl",                                    "GET",    kObject,  "acl",                    "",                     "s3:GetObjectAcl",                         get_acl},
    {"GetObjectAnnotation",                             "GET",    kObject,  "annotation",             "annotationName",       "s3:GetObjectAnnotation",                  nullptr},
    {"ListObjectAnnotations",                           "GET",    kObject,  "annotation",             "",                     "s3:ListObjectAnnotations",                nullptr},
    {"GetObjectAttributes",                             "GET",    kObject,  "attributes",             "",                     "s3:GetObjectAttributes",                  get_object_attributes},
    {"GetObjectLegalHold",                              "GET",    kObject,  "legal-hold",             "",                     "s3:GetObjectLegalHold",                   get_object_lock_state},
    {"GetObjectRetention",                              "GET",    kObject,  "retention",              "",                     "s3:GetObjectRetention",                   get_object_lock_state},
    {"GetObjectTagging",                                "GET",    kObject,  "tagging",                "",                     "s3:GetObjectTagging",                     get_object_tagging},
    {"GetObjectTorrent",                                "GET",    kObject,  "torrent",                "",                     "s3:GetObjectTorrent",                     nullptr},
    {"GetObject",                                       "GET",    kObject,  "",                       "",                     "s3:GetObject",                            get_object},

    {"HeadObject",                                      "HEAD",   kObject,  "",                       "",                     "s3:GetObject",                            head_object},

    {"UploadPartCopy",                                  "PUT",    kObject,  "uploadId",               "x-amz-copy-source",    "s3:PutObject",                            upload_part_copy},
    {"UploadPart",                                      "PUT",    kObject,  "uploadId",               "",                     "s3:PutObject",                            upload_part},
    {"PutObjectAcl",                                    "PUT",    kObject,  "acl",                    "",                     "s3:PutObjectAcl",                         nullptr},
    {"PutObjectAnnotation",                             "PUT",    kObject,  "annotation",             "",                     "s3:PutObjectAnnotation",                  nullptr},
    {"UpdateObjectEncryption",                          "PUT",    kObject,  "encryption",             "",                     "s3:UpdateObjectEncryption",               nullptr},
    {"PutObjectLegalHold",                              "PUT",    kObject,  "legal-hold",             "",                     "s3:PutObjectLegalHold",                   nullptr},
    {"RenameObject",                                    "PUT",    kObject,  "renameObject",           "",                     "s3:PutObject",                            nullptr},
    {"PutObjectRetention",                              "PUT",    kObject,  "retention",              "",                     "s3:PutObjectRetention",                   nullptr},
    {"PutObjectTagging",                                "PUT",    kObject,  "tagging",                "",                     "s3:PutObjectTagging",                     put_object_tagging},
    {"CopyObject",                                      "PUT",    kObject,  "",                       "x-amz-copy-source",    "s3:PutObject",                            copy_object},
    {"PutObject",                                       "PUT",    kObject,  "",                       "",                     "s3:PutObject",                            put_object},

    {"CreateMultipartUpload",                           "POST",   kObject,  "uploads",                "",                     "s3:PutObject",                            create_multipart_upload},
    {"CompleteMultipartUpload",                         "POST",   kObject,  "uploadId",               "",                     "s3:PutObject",                            complete_multipart_upload},
    {"RestoreObject",                                   "POST",   kObject,  "restore",                "",                     "s3:RestoreObject",                        nullptr},
    {"SelectObjectContent",                             "POST",   kObject,  "select",                 "",                     "s3:GetObject",                            nullptr},
    {"WriteGetObjectResponse",                          "POST",   kObject,  "",                       "x-amz-request-route",  "s3-object-lambda:WriteGetObjectResponse", nullptr},

    {"AbortMultipartUpload",                            "DELETE", kObject,  "uploadId",               "",                     "s3:AbortMultipartUpload",                 abort_multipart_upload},
    {"DeleteObjectAnnotation",                          "DELETE", kObject,  "annotation",             "",                     "s3:DeleteObjectAnnotation",               nullptr},
    {"DeleteObjectTagging",                             "DELETE", kObject,  "tagging",                "",                     "s3:DeleteObjectTagging",                  delete_object_tagging},
    {"DeleteObject",                                    "DELETE", kObject,  "",                       "",                     "s3:DeleteObject",                         delete_object},
};

bool carries(const RequestShape& shape, std::string_view what) {
    if (what.empty()) return true;
    return what.starts_with("x-") ? shape.has_header(what) : shape.has_query(what);
}

/// A sub-resource of this target, under whichever method: asking for it must never run the plain operation.
bool asks_for_sub_resource(const RequestShape& shape) {
    return std::any_of(std::begin(kOperations), std::end(kOperations), [&](const Operation& operation) {
        return operation.target == shape.target && !operation.sub_resource.empty() &&
               operation.sub_resource != "list-type" && shape.has_query(operation.sub_resource);
    });
}

}  // namespace

std::span<const Operation> operations() { return kOperations; }

Result<const Operation*> find_operation(const RequestShape& shape) {
    bool method_known = false;
    for (const auto& operation : kOperations) {
        if (operation.target != shape.target || operation.method != shape.method) continue;
        method_known = true;
        if (!operation.sub_resource.empty() && !shape.has_query(operation.sub_resource)) continue;
        if (!carries(shape, operation.also)) continue;
        if (operation.sub_resource.empty() && asks_for_sub_resource(shape)) break;
        return &operation;
    }
    if (method_known && !asks_for_sub_resource(shape))
        return Error(Code::unimplemented, "A header or query parameter you provided implies functionality that is not implemented",
                     "NotImplemented");
    return Error(Code::invalid_argument, "The specified method is not allowed against this resource.",
                 "MethodNotAllowed");
}

}  // namespace tarn::s3
// clang-format on
