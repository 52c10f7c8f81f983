// Is a restored folder the lake that it should be?
#pragma once

#include <string>

#include "base/findings.h"
#include "base/result.h"

namespace tarn::app {

/// Opens the state in `data`, which nobody serves: the log is replayed, and must end with change
/// `sequence`. With DIR/root.key there, DIR/root.credentials is written.
Status settle_restored(const std::string& data, uint64_t sequence);

/// Reads all that is stored: with DIR/root.key as `tarn verify --data` does, without it every
/// record, body and extent.
void check_restored(const std::string& data, Findings& findings);

}  // namespace tarn::app
