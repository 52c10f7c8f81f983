#include <charconv>

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

Result<std::string> ApiRequest::text(const char* name) const {
    const auto found = body.is_object() ? body.find(name) : body.end();
    if (!body.is_object() || found == body.end() || !found->is_string())
        return Error(Code::invalid_argument,
                     std::string("the body needs a text field \"") + name + "\"");
    return found->get<std::string>();
}

std::string ApiRequest::text_or(const char* name, std::string otherwise) const {
    auto found = text(name);
    return found.ok() ? std::move(found).value() : std::move(otherwise);
}

Result<std::optional<uint64_t>> number_in(http::Request& request, const char* name) {
    const auto text = request.query_value(name);
    if (!text || text->empty()) return std::optional<uint64_t>();
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failed != std::errc() || end != text->data() + text->size())
        return Error(Code::invalid_argument,
                     std::string(name) + " is not a number: '" + text->substr(0, 40) + "'");
    return std::optional<uint64_t>(number);
}

meta::Batch audit_batch(const DoorParts& parts, const ApiRequest& request) {
    meta::Batch batch;
    parts.audit->attach(batch, request.caller, {});
    return batch;
}

}  // namespace tarn::admin
