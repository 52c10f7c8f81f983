// The last verdict of a source as it is kept: docs/formats/ingest.md, "The last comparison". Pure.
#pragma once

#include <string>
#include <string_view>

#include "ingest/verify.h"

namespace tarn::ingest {

std::string verdict_key(const std::string& source);
std::string encode_verdict(const Verdict& verdict);
/// corrupted.
Result<Verdict> decode_verdict(std::string_view bytes);

}  // namespace tarn::ingest
