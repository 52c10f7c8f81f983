#include "codec/text.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {
namespace {

constexpr uint64_t kPageBytesMax = 4u << 20;

/// Text when it is UTF-8, else base64 under another name.
void put_bytes(Json& record, const char* name, const std::string& bytes) {
    try {
        static_cast<void>(Json(bytes).dump());
        record[name] = bytes;
    } catch (const Json::exception&) {
        record[std::string(name) + "_base64"] = codec::base64_encode(bytes);
    }
}

}  // namespace

Result<ApiResponse> list_streams(const DoorParts& parts, ApiRequest&) {
    Json streams = Json::array();
    for (const auto& name : parts.streams->list()) {
        TARN_TRY(begin, parts.streams->begin(name));
        TARN_TRY(end, parts.streams->end(name));
        streams.push_back({{"name", name}, {"begin", begin}, {"end", end}});
    }
    return ApiResponse{200, {{"streams", streams}}, {}};
}

Result<ApiResponse> read_stream(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(offset, number_in(request.http, "offset"));
    TARN_TRY(bytes, number_in(request.http, "bytes"));
    const std::string& name = request.path_values[0];
    TARN_TRY(page, parts.streams->read(name, offset.value_or(0),
                                       std::min(bytes.value_or(1u << 20), kPageBytesMax)));
    Json records = Json::array();
    for (const auto& record : page.records) {
        Json one = {{"offset", record.offset}, {"at", format_iso8601(record.at)}};
        put_bytes(one, "key", record.key);
        put_bytes(one, "payload", record.payload);
        records.push_back(std::move(one));
    }
    return ApiResponse{200, {{"records", records}, {"next", page.next}}, {}};
}

}  // namespace tarn::admin
