// verify_store() over what the store reads from.
#pragma once

#include "base/findings.h"
#include "meta/internal/reading.h"

namespace tarn::meta {

void verify_parts(const ReadSources& sources, Findings& findings);

}  // namespace tarn::meta
