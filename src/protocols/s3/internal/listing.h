// What all listings share: how keys are written, limits, common prefixes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

/// Writes keys as they are, or percent-encoded under encoding-type=url.
struct KeyText {
    bool url = false;
    std::string operator()(std::string_view key) const;
};
Result<KeyText> key_text(Exchange& exchange);

/// `max-keys` and its like: absent is 1000, more than 1000 is 1000. InvalidArgument for what is no
/// number.
Result<size_t> entries_limit(Exchange& exchange, std::string_view parameter);

void add_common_prefixes(XmlWriter& xml, const std::vector<std::string>& prefixes,
                         const KeyText& text);

}  // namespace tarn::s3
