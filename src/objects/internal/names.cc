#include "objects/internal/names.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace tarn::objects::internal {
namespace {

Error bad_bucket(std::string_view bucket, std::string why) {
    return {Code::invalid_argument,
            "The bucket name \"" + std::string(bucket.substr(0, 64)) + "\" is not valid: " + why,
            "InvalidBucketName"};
}

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_address(std::string_view name) {
    const bool numeric = std::all_of(name.begin(), name.end(),
                                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    return numeric && std::count(name.begin(), name.end(), '.') == 3;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

/// The length of the sequence that `lead` begins, and the least code point it may hold; 0: not a
/// lead byte.
size_t sequence_length(unsigned char lead, uint32_t& value, uint32_t& least) {
    if (lead < 0x80) return value = lead, least = 0, 1;
    if ((lead & 0xe0) == 0xc0) return value = lead & 0x1f, least = 0x80, 2;
    if ((lead & 0xf0) == 0xe0) return value = lead & 0x0f, least = 0x800, 3;
    if ((lead & 0xf8) == 0xf0) return value = lead & 0x07, least = 0x10000, 4;
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        uint32_t value = 0, least = 0;
        const size_t length = sequence_length(static_cast<unsigned char>(text[at]), value, least);
        if (length == 0 || length > text.size() - at) return false;
        for (size_t i = 1; i < length; ++i) {
            const auto byte = static_cast<unsigned char>(text[at + i]);
            if ((byte & 0xc0) != 0x80) return false;
            value = value << 6 | (byte & 0x3fu);
        }
        if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return false;
        at += length;
    }
    return true;
}

Status check_bucket_name(std::string_view bucket) {
    if (bucket.size() < 3 || bucket.size() > 63)
        return bad_bucket(bucket, "it must have 3 to 63 characters");
    if (!std::all_of(bucket.begin(), bucket.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.'; }))
        return bad_bucket(bucket, "only a-z, 0-9, '-' and '.' may appear");
    if (!is_lower_or_digit(bucket.front()) || !is_lower_or_digit(bucket.back()))
        return bad_bucket(bucket, "it must begin and end with a letter or digit");
    if (bucket.find("..") != std::string_view::npos)
        return bad_bucket(bucket, "'..' may not appear");
    if (is_address(bucket)) return bad_bucket(bucket, "it must not look like an IP address");
    for (std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"})
        if (bucket.substr(0, prefix.size()) == prefix)
            return bad_bucket(bucket, "the prefix " + std::string(prefix) + " is reserved");
    for (std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"})
        if (bucket.size() >= suffix.size() &&
            bucket.substr(bucket.size() - suffix.size()) == suffix)
            return bad_bucket(bucket, "the suffix " + std::string(suffix) + " is reserved");
    return {};
}

Status check_key(std::string_view key) {
    if (key.empty())
        return Error(Code::invalid_argument, "An object key must not be empty.", "InvalidArgument");
    if (key.size() > kKeyBytesMax)
        return Error(Code::invalid_argument, "Your key is too long: at most 1024 bytes.",
                     "KeyTooLongError");
    if (key.find('\0') != std::string_view::npos || !is_utf8(key))
        return Error(Code::invalid_argument, "An object key must be UTF-8 without NUL.",
                     "InvalidArgument");
    return {};
}

Status check_tags(const Tags& tags) {
    if (tags.size() > 10)
        return Error(Code::invalid_argument, "An object has at most 10 tags.", "BadRequest");
    for (const auto& [name, value] : tags) {
        if (name.empty() || name.size() > 128 * 4 || !is_utf8(name))
            return Error(Code::invalid_argument, "A tag's key has 1 to 128 characters.",
                         "InvalidTag");
        if (value.size() > 256 * 4 || !is_utf8(value))
            return Error(Code::invalid_argument, "A tag's value has at most 256 characters.",
                         "InvalidTag");
    }
    return {};
}

Status check_metadata(const Metadata& metadata) {
    size_t user_bytes = 0;
    for (const auto& [name, value] : metadata.user) {
        user_bytes += name.size() + value.size();
        if (name.empty() || has_control(name) || has_control(value))
            return Error(Code::invalid_argument,
                         "A metadata header has no name or holds a line break.", "InvalidArgument");
    }
    if (user_bytes > kUserMetadataBytesMax)
        return Error(Code::invalid_argument,
                     "Your metadata headers exceed the maximum allowed size of 2 KiB.",
                     "MetadataTooLarge");
    const auto& headers = metadata.headers;
    for (const auto* text :
         {&headers.content_type, &headers.content_encoding, &headers.content_disposition,
          &headers.content_language, &headers.cache_control, &headers.expires,
          &headers.website_redirect, &metadata.storage_class})
        if (text->size() > 8192 || has_control(*text))
            return Error(Code::invalid_argument, "A header is too long or holds a line break.",
                         "InvalidArgument");
    return check_tags(metadata.tags);
}

}  // namespace tarn::objects::internal
