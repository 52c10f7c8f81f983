#include "protocols/s3/internal/object_headers.h"

#include <algorithm>
#include <cctype>

#include "base/ascii.h"

namespace tarn::s3 {

namespace {

constexpr std::string_view kMetaPrefix = "x-amz-meta-";

bool starts_ignoring_case(std::string_view text, std::string_view start) {
    return text.size() >= start.size() &&
           http::equal_ignoring_case(text.substr(0, start.size()), start);
}

/// Content-Encoding without aws-chunked, which is the transfer's and not the object's.
std::string content_encoding(std::string_view list) {
    std::string kept;
    while (!list.empty()) {
        auto comma = list.find(',');
        auto coding = trim(list.substr(0, comma));
        if (!coding.empty() && !http::equal_ignoring_case(coding, "aws-chunked")) {
            if (!kept.empty()) kept += ", ";
            kept += coding;
        }
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return kept;
}

Error not_implemented(std::string_view header) {
    return Error(Code::unimplemented,
                 "A header you provided implies functionality that is not implemented: " +
                     std::string(header),
                 "NotImplemented");
}

bool is_storage_class(std::string_view name) {
    static constexpr std::string_view kClasses[] = {"REDUCED_REDUNDANCY",
                                                    "STANDARD_IA",
                                                    "ONEZONE_IA",
                                                    "INTELLIGENT_TIERING",
                                                    "GLACIER",
                                                    "DEEP_ARCHIVE",
                                                    "OUTPOSTS",
                                                    "GLACIER_IR",
                                                    "SNOW",
                                                    "EXPRESS_ONEZONE",
                                                    "FSX_OPENZFS",
                                                    "FSX_ONTAP"};
    return std::find(std::begin(kClasses), std::end(kClasses), name) != std::end(kClasses);
}

Status refuse_unsupported(const http::Request& request) {
    const auto& headers = request.headers();
    for (size_t i = 0; i < headers.size(); ++i) {
        auto name = headers[i].name;
        if (starts_ignoring_case(name, "x-amz-server-side-encryption"))
            return not_implemented(name);
        if (starts_ignoring_case(name, "x-amz-object-lock-"))
            return Error(Code::invalid_argument, "Bucket is missing Object Lock Configuration",
                         "InvalidRequest");
        if (starts_ignoring_case(name, "x-amz-grant-"))
            return Error(Code::invalid_argument, "The bucket does not allow ACLs",
                         "AccessControlListNotSupported");
    }
    auto acl = headers.get("x-amz-acl");
    if (!acl.empty() && acl != "private" && acl != "bucket-owner-full-control")
        return Error(Code::invalid_argument, "The bucket does not allow ACLs",
                     "AccessControlListNotSupported");
    auto storage_class = headers.get("x-amz-storage-class");
    if (is_storage_class(storage_class))
        return not_implemented("x-amz-storage-class: " + std::string(storage_class));
    if (!storage_class.empty() && storage_class != "STANDARD")
        return Error(Code::invalid_argument, "The storage class you specified is not valid",
                     "InvalidStorageClass");
    return ok_status();
}

std::optional<Timestamp> date_of(std::string_view text) {
    auto at = parse_time(text);
    if (text.empty() || !at.ok()) return std::nullopt;
    return at.value();
}

std::optional<std::string> etag_of(std::string_view text) {
    text = trim(text);
    if (text.empty()) return std::nullopt;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

}  // namespace

std::string quoted(std::string_view etag) {
    std::string out;
    out.reserve(etag.size() + 2);
    out += '"';
    out += etag;
    out += '"';
    return out;
}

Result<objects::Tags> parse_tag_header(std::string_view text) {
    objects::Tags tags;
    TARN_TRY(pairs, http::parse_query(text, true));
    for (auto& pair : pairs) {
        if (!tags.emplace(std::move(pair.name), std::move(pair.value)).second)
            return Error(Code::invalid_argument, "Cannot provide multiple Tags with the same key",
                         "InvalidTag");
    }
    return tags;
}

Result<objects::Metadata> metadata_of(const http::Request& request) {
    TARN_CHECK_OK(refuse_unsupported(request));
    objects::Metadata metadata;
    const auto& headers = request.headers();
    metadata.headers.content_type = headers.get("content-type");
    metadata.headers.content_encoding = content_encoding(headers.get("content-encoding"));
    metadata.headers.content_disposition = headers.get("content-disposition");
    metadata.headers.content_language = headers.get("content-language");
    metadata.headers.cache_control = headers.get("cache-control");
    metadata.headers.expires = headers.get("expires");
    metadata.headers.website_redirect = headers.get("x-amz-website-redirect-location");
    for (size_t i = 0; i < headers.size(); ++i) {
        auto [name, value] = headers[i];
        if (!starts_ignoring_case(name, kMetaPrefix)) continue;
        auto& stored = metadata.user[lower_ascii(name.substr(kMetaPrefix.size()))];
        if (!stored.empty()) stored += ",";
        stored += value;
    }
    if (auto tagging = headers.get("x-amz-tagging"); !tagging.empty()) {
        TARN_TRY(tags, parse_tag_header(tagging));
        metadata.tags = std::move(tags);
    }
    return metadata;
}

Result<objects::WriteConditions> write_conditions(const http::Request& request) {
    objects::WriteConditions conditions;
    if (auto none_match = trim(request.header("if-none-match")); !none_match.empty()) {
        if (none_match != "*") return not_implemented("If-None-Match with an entity tag");
        conditions.if_none_match_any = true;
    }
    conditions.if_match = etag_of(request.header("if-match"));
    return conditions;
}

objects::ReadConditions copy_source_conditions(const http::Request& request) {
    objects::ReadConditions conditions;
    conditions.if_match = etag_of(request.header("x-amz-copy-source-if-match"));
    conditions.if_none_match = etag_of(request.header("x-amz-copy-source-if-none-match"));
    conditions.if_modified_since = date_of(request.header("x-amz-copy-source-if-modified-since"));
    conditions.if_unmodified_since =
        date_of(request.header("x-amz-copy-source-if-unmodified-since"));
    return conditions;
}

Conditions read_conditions(const http::Request& request) {
    return {request.header("if-match"), request.header("if-none-match"),
            request.header("if-modified-since"), request.header("if-unmodified-since")};
}

Result<http::ResponseHeaders> object_headers(Exchange& exchange, const objects::ObjectInfo& info) {
    http::ResponseHeaders headers;
    const auto& kept = info.metadata.headers;
    headers.add("ETag", quoted(info.etag));
    headers.add("Last-Modified", format_http_date(info.modified));
    headers.add("Accept-Ranges", "bytes");
    const bool overrides = !exchange.request().query().empty();
    auto tell = [&](std::string_view name, std::string_view parameter, std::string_view value) {
        auto asked = overrides ? exchange.query(parameter) : std::nullopt;
        if (asked) value = *asked;
        if (!value.empty()) headers.add(name, value);
    };
    tell("Content-Type", "response-content-type",
         kept.content_type.empty() ? std::string_view("binary/octet-stream") : kept.content_type);
    tell("Content-Encoding", "response-content-encoding", kept.content_encoding);
    tell("Content-Disposition", "response-content-disposition", kept.content_disposition);
    tell("Content-Language", "response-content-language", kept.content_language);
    tell("Cache-Control", "response-cache-control", kept.cache_control);
    tell("Expires", "response-expires", kept.expires);
    if (!kept.website_redirect.empty())
        headers.add("x-amz-website-redirect-location", kept.website_redirect);
    for (const auto& [name, value] : info.metadata.user)
        headers.add(std::string(kMetaPrefix) + name, value);
    if (!info.metadata.tags.empty())
        headers.add("x-amz-tagging-count", std::to_string(info.metadata.tags.size()));
    return headers;
}

Status check_expected_owner(const Exchange& exchange) {
    for (std::string_view name :
         {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
        auto owner = exchange.header(name);
        if (!owner.empty() && owner != exchange.context().options.account_id)
            return Error(Code::permission_denied,
                         "Access Denied: the bucket belongs to another account", "AccessDenied");
    }
    return ok_status();
}

}  // namespace tarn::s3
