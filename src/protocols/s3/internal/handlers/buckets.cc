// ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation.
#include <algorithm>

#include "codec/text.h"
#include "protocols/s3/internal/body.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/range.h"
#include "protocols/s3/internal/request_bodies.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

constexpr size_t kBucketsMax = 10'000;

/// The part of a region's name that a client may ask for; any one is served from here.
bool is_region(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

}  // namespace

Status list_buckets(Exchange& exchange) {
    size_t entries_max = kBucketsMax;
    if (auto asked = exchange.query("max-buckets")) {
        auto number = parse_number(*asked);
        if (!number || *number < 1 || *number > kBucketsMax)
            return Error(Code::invalid_argument,
                         "Argument max-buckets must be an integer between 1 and 10000",
                         "InvalidArgument");
        entries_max = *number;
    }
    auto prefix = exchange.query("prefix").value_or("");
    std::string after;
    if (auto token = exchange.query("continuation-token"); token && !token->empty()) {
        auto decoded = codec::base64url_decode(*token);
        if (!decoded.ok())
            return Error(Code::invalid_argument, "The continuation token provided is incorrect",
                         "InvalidArgument");
        after = std::move(decoded).value();
    }
    TARN_TRY(buckets, exchange.store().list_buckets(prefix, after, entries_max + 1));
    bool truncated = buckets.size() > entries_max;
    if (truncated) buckets.resize(entries_max);

    XmlWriter xml("ListAllMyBucketsResult");
    xml.open("Owner")
        .element("ID", exchange.context().owner_id)
        .element("DisplayName", "tarn")
        .close();
    xml.open("Buckets");
    for (const auto& bucket : buckets) {
        xml.open("Bucket")
            .element("Name", bucket.name)
            .element("CreationDate", format_iso8601(bucket.created));
        xml.element("BucketRegion", bucket.region).close();
    }
    xml.close();
    if (truncated) xml.element("ContinuationToken", codec::base64url_encode(buckets.back().name));
    if (!prefix.empty()) xml.element("Prefix", prefix);
    return exchange.respond_xml(xml.finish());
}

namespace {

/// Headers of CreateBucket that ask for a bucket of another kind than there is: the owner owns all.
Status check_kind(const Exchange& exchange) {
    for (const auto& [name, value] : {std::pair("x-amz-bucket-object-lock-enabled", "false"),
                                      std::pair("x-amz-bucket-namespace", "false"),
                                      std::pair("x-amz-object-ownership", "BucketOwnerEnforced")})
        if (auto asked = exchange.header(name); !asked.empty() && asked != value)
            return Error(Code::unimplemented,
                         "A header you provided implies functionality that is not implemented: " +
                             std::string(name),
                         "NotImplemented");
    const auto acl = exchange.header("x-amz-acl");
    bool others = !acl.empty() && acl != "private" && acl != "bucket-owner-full-control";
    for (const char* name : {"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-write",
                             "x-amz-grant-read-acp", "x-amz-grant-write-acp"})
        others = others || !exchange.header(name).empty();
    if (others)
        return Error(
            Code::invalid_argument,
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            "InvalidBucketAclWithObjectOwnership");
    return ok_status();
}

}  // namespace

Status create_bucket(Exchange& exchange) {
    TARN_CHECK_OK(check_kind(exchange));
    TARN_TRY(document, read_document(exchange, kCreateBucketBodyMax));
    TARN_TRY(body, parse_create_bucket(document));
    if (!body.location_constraint.empty() && !is_region(body.location_constraint))
        return Error(Code::invalid_argument, "The specified location-constraint is not valid",
                     "InvalidLocationConstraint");
    const auto made = exchange.store().create_bucket(exchange.caller, exchange.bucket());
    if (!made.ok()) {
        // Amazon's first region answers the owner as if it were made just now, and scripts that make their bucket at each
        // start count on it.
        const bool again = made.error().reason == "BucketAlreadyOwnedByYou" && exchange.context().options.region == "us-east-1";
        if (!again) return made.error();
        exchange.record_failure(made.error(), exchange.caller.resource);
    }
    http::ResponseHeaders headers;
    headers.add("Location", "/" + exchange.bucket());
    return exchange.respond(200, std::move(headers));
}

Status head_bucket(Exchange& exchange) {
    TARN_TRY(bucket, exchange.store().head_bucket(exchange.bucket()));
    http::ResponseHeaders headers;
    headers.add("x-amz-bucket-region", bucket.region).add("x-amz-access-point-alias", "false");
    headers.add("Content-Type", "application/xml");
    return exchange.respond(200, std::move(headers));
}

Status delete_bucket(Exchange& exchange) {
    TARN_CHECK_OK(exchange.store().delete_bucket(exchange.caller, exchange.bucket()));
    return exchange.respond(204);
}

Status get_bucket_location(Exchange& exchange) {
    TARN_TRY(bucket, exchange.store().head_bucket(exchange.bucket()));
    // us-east-1 is told as nothing, for history's sake.
    std::string xml =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    if (bucket.region == "us-east-1") {
        xml += "/>";
    } else {
        xml += '>';
        append_xml_text(xml, bucket.region);
        xml += "</LocationConstraint>";
    }
    return exchange.respond_xml(std::move(xml));
}

}  // namespace tarn::s3
