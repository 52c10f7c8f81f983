#include "protocols/s3/internal/request_bodies.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "protocols/s3/internal/address.h"
#include "protocols/s3/internal/range.h"

namespace tarn::s3 {

namespace {

constexpr size_t kDeleteObjectsMax = 1000;
constexpr uint32_t kPartNumberMax = 10000;
constexpr int kDepthMax = 5;
constexpr size_t kTagKeyCharacters = 128;
constexpr size_t kTagValueCharacters = 256;

Error malformed() {
    return Error(
        Code::invalid_argument,
        "The XML you provided was not well-formed or did not validate against our published schema",
        "MalformedXML");
}

/// pugixml keeps texts as C strings, so that a NUL would cut a key short, counts the number of a
/// reference modulo 2^32, and takes numbers that are no characters.
bool has_bad_character(std::string_view xml) {
    if (xml.find('\0') != std::string_view::npos) return true;
    for (auto at = xml.find("&#"); at != std::string_view::npos; at = xml.find("&#", at + 2)) {
        auto digits = xml.substr(at + 2);
        const bool hexadecimal = digits.starts_with("x");
        if (hexadecimal) digits.remove_prefix(1);
        uint32_t point = 0;
        const char* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, point, hexadecimal ? 16 : 10);
        if (read.ec == std::errc::invalid_argument) continue;  // text, not a reference
        if (read.ec != std::errc() || point == 0 || point > 0x10ffff ||
            (point >= 0xd800 && point <= 0xdfff))
            return true;
    }
    return false;
}

bool too_deep(const pugi::xml_document& document) {
    struct Walker : pugi::xml_tree_walker {
        bool for_each(pugi::xml_node&) override { return depth() < kDepthMax; }
    } walker;
    return !const_cast<pugi::xml_document&>(document).traverse(walker);
}

/// The root element, when the document is well formed and its root is called `name`.
Result<pugi::xml_node> load(pugi::xml_document& document, std::string_view xml, size_t bytes_max,
                            const char* name) {
    if (xml.size() > bytes_max || has_bad_character(xml) || !is_utf8(xml)) return malformed();
    auto parsed = document.load_buffer(
        xml.data(), xml.size(),
        pugi::parse_default | pugi::parse_doctype | pugi::parse_ws_pcdata_single,
        pugi::encoding_utf8);
    if (!parsed || too_deep(document)) return malformed();
    for (auto node : document.children())
        if (node.type() == pugi::node_doctype) return malformed();
    auto root = document.document_element();
    if (std::string_view(root.name()) != name || root.next_sibling()) return malformed();
    return root;
}

/// The element's text; fails when it has elements inside.
Result<std::string> text_of(const pugi::xml_node& element) {
    std::string text;
    for (auto child : element.children()) {
        if (child.type() == pugi::node_element) return malformed();
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
            text += child.value();
    }
    return text;
}

/// Calls visit(name, element) for each child element; text between them must be blank.
template <typename Visit>
Status each_child(const pugi::xml_node& parent, Visit visit) {
    for (auto child : parent.children()) {
        if (child.type() == pugi::node_element) {
            TARN_CHECK_OK(visit(std::string_view(child.name()), child));
        } else if (std::string_view(child.value()).find_first_not_of(" \t\r\n") !=
                   std::string_view::npos) {
            return malformed();
        }
    }
    return ok_status();
}

std::string without_quotes(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '"'), text.end());
    return text;
}

Status read_object(const pugi::xml_node& element, DeleteObjectsBody::Object& object) {
    bool has_key = false;
    TARN_CHECK_OK(
        each_child(element, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            TARN_TRY(text, text_of(child));
            if (name == "Key") {
                object.key = std::move(text);
                has_key = true;
            } else if (name == "VersionId") {
                object.version_id = std::move(text);
            } else if (name == "ETag") {
                object.etag = without_quotes(std::move(text));
            } else if (name == "Size") {
                object.size = parse_number(text);
                if (!object.size) return malformed();
            } else if (name == "LastModifiedTime") {
                object.modified = std::move(text);
            } else {
                return malformed();
            }
            return ok_status();
        }));
    return has_key && !object.key.empty() ? ok_status() : Status(malformed());
}

Status read_part(const pugi::xml_node& element, CompleteUploadBody::Part& part) {
    TARN_CHECK_OK(
        each_child(element, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            TARN_TRY(text, text_of(child));
            if (name == "PartNumber") {
                auto number = parse_number(text);
                if (!number || *number < 1 || *number > kPartNumberMax) return malformed();
                part.number = static_cast<uint32_t>(*number);
            } else if (name == "ETag") {
                part.etag = without_quotes(std::move(text));
            } else if (name.starts_with("Checksum")) {
                part.checksums.emplace_back(name, std::move(text));
            } else {
                return malformed();
            }
            return ok_status();
        }));
    return part.number != 0 && !part.etag.empty() ? ok_status() : Status(malformed());
}

/// Of UTF-8, which load() has checked.
size_t characters_in(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

Status read_tag(const pugi::xml_node& element, std::map<std::string, std::string>& tags) {
    std::optional<std::string> key, value;
    TARN_CHECK_OK(
        each_child(element, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            if (name != "Key" && name != "Value") return malformed();
            TARN_TRY(text, text_of(child));
            (name == "Key" ? key : value) = std::move(text);
            return ok_status();
        }));
    if (!key || !value) return malformed();
    if (key->empty() || characters_in(*key) > kTagKeyCharacters)
        return Error(Code::invalid_argument, "The TagKey you have provided is invalid",
                     "InvalidTag");
    if (characters_in(*value) > kTagValueCharacters)
        return Error(Code::invalid_argument, "The TagValue you have provided is invalid",
                     "InvalidTag");
    if (!tags.emplace(std::move(*key), std::move(*value)).second)
        return Error(Code::invalid_argument, "Cannot provide multiple Tags with the same key",
                     "InvalidTag");
    return ok_status();
}

}  // namespace

Result<CreateBucketBody> parse_create_bucket(std::string_view xml) {
    CreateBucketBody body;
    if (xml.empty()) return body;
    pugi::xml_document document;
    TARN_TRY(root, load(document, xml, kCreateBucketBodyMax, "CreateBucketConfiguration"));
    TARN_CHECK_OK(
        each_child(root, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            if (name != "LocationConstraint") return malformed();
            TARN_TRY(text, text_of(child));
            body.location_constraint = std::move(text);
            return ok_status();
        }));
    return body;
}

Result<DeleteObjectsBody> parse_delete_objects(std::string_view xml) {
    pugi::xml_document document;
    TARN_TRY(root, load(document, xml, kDeleteObjectsBodyMax, "Delete"));
    DeleteObjectsBody body;
    TARN_CHECK_OK(
        each_child(root, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            if (name == "Object" && body.objects.size() < kDeleteObjectsMax)
                return read_object(child, body.objects.emplace_back());
            if (name != "Quiet") return malformed();
            TARN_TRY(text, text_of(child));
            if (text != "true" && text != "false") return malformed();
            body.quiet = text == "true";
            return ok_status();
        }));
    if (body.objects.empty()) return malformed();
    return body;
}

Result<CompleteUploadBody> parse_complete_upload(std::string_view xml) {
    pugi::xml_document document;
    TARN_TRY(root, load(document, xml, kCompleteUploadBodyMax, "CompleteMultipartUpload"));
    CompleteUploadBody body;
    TARN_CHECK_OK(
        each_child(root, [&](std::string_view name, const pugi::xml_node& child) -> Status {
            if (name != "Part" || body.parts.size() >= kPartNumberMax) return malformed();
            return read_part(child, body.parts.emplace_back());
        }));
    if (body.parts.empty()) return malformed();
    return body;
}

Result<std::map<std::string, std::string>> parse_tagging(std::string_view xml) {
    pugi::xml_document document;
    TARN_TRY(root, load(document, xml, kTaggingBodyMax, "Tagging"));
    std::map<std::string, std::string> tags;
    TARN_CHECK_OK(
        each_child(root, [&](std::string_view set, const pugi::xml_node& child) -> Status {
            if (set != "TagSet") return malformed();
            return each_child(child,
                              [&](std::string_view name, const pugi::xml_node& tag) -> Status {
                                  return name == "Tag" ? read_tag(tag, tags) : Status(malformed());
                              });
        }));
    return tags;
}

}  // namespace tarn::s3
