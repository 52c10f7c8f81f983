#include "protocols/s3/internal/listing.h"

#include <algorithm>

#include "protocols/s3/internal/address.h"
#include "protocols/s3/internal/range.h"

namespace tarn::s3 {

namespace {
constexpr size_t kEntriesMax = 1000;
constexpr uint64_t kAskedMax = 2147483647;
}  // namespace

std::string KeyText::operator()(std::string_view key) const {
    return url ? listing_encode(key) : std::string(key);
}

Result<KeyText> key_text(Exchange& exchange) {
    auto encoding = exchange.query("encoding-type");
    if (!encoding || encoding->empty()) return KeyText{};
    if (*encoding != "url")
        return Error(Code::invalid_argument, "Invalid Encoding Method specified in Request",
                     "InvalidArgument");
    return KeyText{true};
}

Result<size_t> entries_limit(Exchange& exchange, std::string_view parameter) {
    auto asked = exchange.query(parameter);
    if (!asked || asked->empty()) return kEntriesMax;
    auto number = parse_number(*asked);
    if (!number || *number > kAskedMax)
        return Error(
            Code::invalid_argument,
            "Argument " + std::string(parameter) + " must be an integer between 0 and 2147483647",
            "InvalidArgument");
    return std::min<size_t>(*number, kEntriesMax);
}

void add_common_prefixes(XmlWriter& xml, const std::vector<std::string>& prefixes,
                         const KeyText& text) {
    for (const auto& prefix : prefixes)
        xml.open("CommonPrefixes").element("Prefix", text(prefix)).close();
}

}  // namespace tarn::s3
