// GetObjectAttributes: the facts about an object in one answer.
#include <array>

#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/range.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

struct Wanted {
    bool etag = false, checksum = false, parts = false, storage_class = false, size = false;
    uint64_t parts_max = 1000;
    uint64_t parts_after = 0;
};

Result<Wanted> read_wanted(const Exchange& exchange) {
    Wanted wanted;
    auto list = exchange.request().headers().joined("x-amz-object-attributes");
    if (list.empty())
        return Error(Code::invalid_argument, "The x-amz-object-attributes header is required",
                     "InvalidRequest");
    const std::array<std::pair<std::string_view, bool*>, 5> names{
        {{"ETag", &wanted.etag},
         {"Checksum", &wanted.checksum},
         {"ObjectParts", &wanted.parts},
         {"StorageClass", &wanted.storage_class},
         {"ObjectSize", &wanted.size}}};
    std::string_view rest = list;
    while (!rest.empty()) {
        auto comma = rest.find(',');
        auto name = rest.substr(0, comma);
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        bool known = false;
        for (const auto& [word, flag] : names)
            if (name == word) known = *flag = true;
        if (!known)
            return Error(Code::invalid_argument, "Invalid attribute name specified.",
                         "InvalidArgument");
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    for (auto [header, into] : {std::pair{"x-amz-max-parts", &wanted.parts_max},
                                std::pair{"x-amz-part-number-marker", &wanted.parts_after}}) {
        auto text = exchange.header(header);
        if (text.empty()) continue;
        auto number = parse_number(text);
        if (!number)
            return Error(Code::invalid_argument, std::string(header) + " must be a number",
                         "InvalidArgument");
        *into = *number;
    }
    if (wanted.parts_max > 1000) wanted.parts_max = 1000;
    return wanted;
}

void add_parts(XmlWriter& xml, const objects::ObjectInfo& info, const Wanted& wanted) {
    std::vector<const objects::PartInfo*> page;
    bool truncated = false;
    for (const auto& part : info.parts) {
        if (part.number <= wanted.parts_after) continue;
        if (page.size() == wanted.parts_max) {
            truncated = true;
            break;
        }
        page.push_back(&part);
    }
    xml.open("ObjectParts").element("PartsCount", info.parts.size());
    // S3 lists the parts only of uploads with additional checksums.
    bool with_checksums = !info.parts.empty() && info.parts.front().checksum.has_value();
    if (with_checksums) {
        xml.element("PartNumberMarker", wanted.parts_after);
        xml.element("NextPartNumberMarker", page.empty() ? 0 : page.back()->number);
        xml.element("MaxParts", wanted.parts_max).flag("IsTruncated", truncated);
        for (const auto* part : page) {
            xml.open("Part").element("PartNumber", part->number).element("Size", part->size);
            if (part->checksum) add_checksum_elements(xml, {*part->checksum}, 1, false);
            xml.close();
        }
    }
    xml.close();
}

}  // namespace

Status get_object_attributes(Exchange& exchange) {
    TARN_CHECK_OK(
        exchange.authorize("s3:GetObject", Access::read, exchange.bucket(), exchange.key()));
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    TARN_TRY(wanted, read_wanted(exchange));
    TARN_TRY(info, exchange.store().head(exchange.bucket(), exchange.key()));
    XmlWriter xml("GetObjectAttributesResponse");
    if (wanted.etag) xml.element("ETag", info.etag);
    if (wanted.checksum && !info.checksums.empty()) {
        xml.open("Checksum");
        add_checksum_elements(xml, info.checksums, info.parts.size());
        xml.close();
    }
    if (wanted.parts && !info.parts.empty()) add_parts(xml, info, wanted);
    if (wanted.storage_class) xml.element("StorageClass", info.metadata.storage_class);
    if (wanted.size) xml.element("ObjectSize", info.size);
    http::ResponseHeaders headers;
    headers.add("Last-Modified", format_http_date(info.modified));
    return exchange.respond_xml(xml.finish(), std::move(headers));
}

}  // namespace tarn::s3
