// Bucket settings that can't be made here yet answer as S3 does for a bucket without them, so that
// tools which ask for everything (Terraform, backup programs) go on. ACLs are those of a bucket
// whose owner owns all objects.
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

/// Either a document or an error.
struct Unset {
    std::string_view operation;
    std::string_view root;     // of the answer; empty: the error
    std::string_view content;  // inside the root
    std::string_view error;
    std::string_view message;
};

constexpr std::string_view kNoConfiguration = "The specified configuration does not exist.";

constexpr Unset kUnset[] = {
    {"GetBucketAccelerateConfiguration", "AccelerateConfiguration", "", "", ""},
    {"GetBucketAnalyticsConfiguration", "", "", "NoSuchConfiguration", kNoConfiguration},
    {"ListBucketAnalyticsConfigurations", "ListBucketAnalyticsConfigurationResult",
     "<IsTruncated>false</IsTruncated>", "", ""},
    {"GetBucketCors", "", "", "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    {"GetBucketEncryption", "", "", "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found"},
    {"GetBucketIntelligentTieringConfiguration", "", "", "NoSuchConfiguration", kNoConfiguration},
    {"ListBucketIntelligentTieringConfigurations",
     "ListBucketIntelligentTieringConfigurationsOutput", "<IsTruncated>false</IsTruncated>", "",
     ""},
    {"GetBucketInventoryConfiguration", "", "", "NoSuchConfiguration", kNoConfiguration},
    {"ListBucketInventoryConfigurations", "ListInventoryConfigurationsResult",
     "<IsTruncated>false</IsTruncated>", "", ""},
    {"GetBucketLifecycleConfiguration", "", "", "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist"},
    {"GetBucketLogging", "BucketLoggingStatus", "", "", ""},
    {"GetBucketMetricsConfiguration", "", "", "NoSuchConfiguration", kNoConfiguration},
    {"ListBucketMetricsConfigurations", "ListMetricsConfigurationsResult",
     "<IsTruncated>false</IsTruncated>", "", ""},
    {"GetBucketNotificationConfiguration", "NotificationConfiguration", "", "", ""},
    {"GetObjectLockConfiguration", "", "", "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {"GetBucketOwnershipControls", "OwnershipControls",
     "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>", "", ""},
    {"GetBucketPolicy", "", "", "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"GetBucketPolicyStatus", "", "", "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"GetPublicAccessBlock", "", "", "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration was not found"},
    {"GetBucketReplication", "", "", "ReplicationConfigurationNotFoundError",
     "The replication configuration was not found"},
    {"GetBucketRequestPayment", "RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>", "",
     ""},
    {"GetBucketVersioning", "VersioningConfiguration", "", "", ""},
    {"GetBucketWebsite", "", "", "NoSuchWebsiteConfiguration",
     "The specified bucket does not have a website configuration"},
};

const Unset* find_unset(std::string_view operation) {
    for (const auto& unset : kUnset)
        if (unset.operation == operation) return &unset;
    return nullptr;
}

}  // namespace

Status get_bucket_configuration(Exchange& exchange) {
    TARN_CHECK_OK(exchange.store().head_bucket(exchange.bucket()));
    const auto* unset = find_unset(exchange.operation->name);
    TARN_ASSERT(unset);
    if (unset->root.empty())
        return Error(Code::not_found, std::string(unset->message), std::string(unset->error));
    XmlWriter xml(unset->root);
    xml.raw(unset->content);
    return exchange.respond_xml(xml.finish());
}

Status get_acl(Exchange& exchange) {
    if (exchange.key().empty()) {
        TARN_CHECK_OK(exchange.store().head_bucket(exchange.bucket()));
    } else {
        TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
        TARN_CHECK_OK(exchange.store().head(exchange.bucket(), exchange.key()));
    }
    const auto& owner = exchange.context().owner_id;
    XmlWriter xml("AccessControlPolicy");
    xml.open("Owner").element("ID", owner).element("DisplayName", "tarn").close();
    xml.open("AccessControlList").open("Grant");
    xml.raw(
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:type=\"CanonicalUser\">");
    xml.element("ID", owner).element("DisplayName", "tarn").raw("</Grantee>");
    xml.element("Permission", "FULL_CONTROL");
    return exchange.respond_xml(xml.finish());
}

Status get_object_lock_state(Exchange& exchange) {
    TARN_CHECK_OK(exchange.store().head(exchange.bucket(), exchange.key()));
    return Error(Code::invalid_argument, "Bucket is missing Object Lock Configuration",
                 "InvalidRequest");
}

}  // namespace tarn::s3
