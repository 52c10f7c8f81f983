// `tarn try`: sources and tables of a lakefile on a sample, with the caller's own grants; nothing
// is kept.
#pragma once

#include <string>

#include "lakefile/applier.h"

namespace tarn::lakefile {

/// As Applier::try_out, of a text without problems.
Result<std::string> sample_items(const ApplierParts& parts, const Parsed& parsed,
                                 const security::Caller& caller, const Sampling& what);

}  // namespace tarn::lakefile
