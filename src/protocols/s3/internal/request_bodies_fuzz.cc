// Any text as each of the XML bodies. What is taken is written as XML whose reading is the same.
#include "protocols/s3/internal/request_bodies.h"

#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/s3/internal/xml_writer.h"

namespace {

using namespace tarn::s3;

std::string written(const DeleteObjectsBody& body) {
    XmlWriter xml("Delete");
    for (const auto& object : body.objects) {
        xml.open("Object").element("Key", object.key);
        if (!object.version_id.empty()) xml.element("VersionId", object.version_id);
        if (object.etag) xml.element("ETag", *object.etag);
        if (object.size) xml.element("Size", *object.size);
        xml.close();
    }
    xml.flag("Quiet", body.quiet);
    return xml.finish();
}

void check_deletes(std::string_view text) {
    const auto body = parse_delete_objects(text);
    if (!body.ok()) return;
    const auto again = parse_delete_objects(written(*body));
    TARN_ASSERT(again.ok() && again->objects.size() == body->objects.size() &&
                again->quiet == body->quiet);
    for (size_t i = 0; i < body->objects.size(); ++i) {
        TARN_ASSERT(!body->objects[i].key.empty() && again->objects[i].key == body->objects[i].key);
        TARN_ASSERT(again->objects[i].etag == body->objects[i].etag &&
                    again->objects[i].size == body->objects[i].size);
    }
}

void check_tags(std::string_view text) {
    const auto tags = parse_tagging(text);
    if (!tags.ok()) return;
    XmlWriter xml("Tagging");
    xml.open("TagSet");
    for (const auto& [key, value] : *tags)
        xml.open("Tag").element("Key", key).element("Value", value).close();
    xml.close();
    TARN_ASSERT(*parse_tagging(xml.finish()) == *tags);
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        "<Delete "
        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;&#x62;</"
        "Key><VersionId>null</VersionId></Object>"
        "<Object><Key><![CDATA[<c>]]></Key><ETag>\"e\"</ETag><Size>5</Size></Object><Quiet>true</"
        "Quiet></Delete>",
        "<?xml version=\"1.0\" "
        "encoding=\"UTF-8\"?>\n<CompleteMultipartUpload><Part><PartNumber>1</"
        "PartNumber><ETag>\"e\"</ETag>"
        "<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>",
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></"
        "CreateBucketConfiguration>",
        "<Tagging><TagSet><Tag><Key>k</Key><Value> v\r\n </Value></Tag></TagSet></Tagging>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>",
        "<a><a><a><a><a><a><a/></a></a></a></a></a></a>"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto text = tarn::fuzz_text(data, size);
    check_deletes(text);
    check_tags(text);
    if (const auto body = parse_complete_upload(text); body.ok())
        for (const auto& part : body->parts)
            TARN_ASSERT(part.number >= 1 && part.number <= 10'000 && !part.etag.empty());
    (void)parse_create_bucket(text).ok();
    return 0;
}
