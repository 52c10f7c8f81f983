// Looks over the state of a lake: the log, the index, and that they fit each other.
#pragma once

#include "base/findings.h"
#include "meta/store.h"

namespace tarn::meta {

/// While the store is in use. Every byte of the log's frames and of the index's files is read, and
/// every record of one state with its body; the live counts and owners of bodies are counted again.
/// Lane: background.
void verify_store(const LocalStore& store, Findings& findings);

}  // namespace tarn::meta
