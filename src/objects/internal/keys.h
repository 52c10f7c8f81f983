// The keys of this module in meta/, all in one place. docs/formats/keys.md is the register.
#pragma once

#include <string>

#include "meta/keys.h"
#include "objects/bytes.h"

namespace tarn::objects::internal {

inline std::string bucket_key(std::string_view bucket) {
    return meta::Key("b").rest(bucket).str();
}
inline std::string bucket_objects_key(std::string_view bucket) {
    return meta::Key("bc").text(bucket).rest("objects").str();
}
inline std::string bucket_bytes_key(std::string_view bucket) {
    return meta::Key("bc").text(bucket).rest("bytes").str();
}
inline std::string bucket_documents(std::string_view bucket) {
    return meta::Key("bd").text(bucket).str();
}
inline std::string bucket_document_key(std::string_view bucket, std::string_view name) {
    return meta::Key("bd").text(bucket).rest(name).str();
}

/// The prefix of all objects of a bucket; an object's key follows as it is.
inline std::string objects_of(std::string_view bucket) {
    return meta::Key("o").text(bucket).str();
}
inline std::string object_key(std::string_view bucket, std::string_view key) {
    return meta::Key("o").text(bucket).rest(key).str();
}

inline std::string uploads_of(std::string_view bucket) {
    return meta::Key("mu").text(bucket).str();
}
inline std::string upload_key(std::string_view bucket, std::string_view key,
                              std::string_view upload_id) {
    return meta::Key("mu").text(bucket).text(key).rest(upload_id).str();
}
inline std::string parts_of(std::string_view upload_id) {
    return meta::Key("mp").text(upload_id).str();
}
inline std::string part_key(std::string_view upload_id, uint32_t number) {
    return meta::Key("mp").text(upload_id).number(number).str();
}

inline std::string extent_file_key(uint64_t file) {
    return meta::Key("xf").number(file).str();
}
inline std::string extents_of(uint64_t file) {
    return meta::Key("x").number(file).str();
}
inline std::string extent_key(const Extent& extent) {
    return meta::Key("x").number(extent.file).number(extent.offset).number(extent.length).str();
}
inline std::string dead_extents_of(uint64_t file) {
    return meta::Key("xd").number(file).str();
}
inline std::string dead_extent_key(const Extent& extent) {
    return meta::Key("xd").number(extent.file).number(extent.offset).number(extent.length).str();
}

}  // namespace tarn::objects::internal
