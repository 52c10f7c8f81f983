// What copies are made of: the running lake. docs/decisions/0008-kept-copies.md lists every file of
// a data folder and why it is in a copy or not.
#pragma once

#include <string>

#include "base/time.h"
#include "io/disk.h"
#include "meta/copying.h"
#include "meta/store.h"
#include "objects/bytes.h"

namespace tarn::archive {

/// Everything outlives the copies.
struct Source {
    meta::LocalStore& store;
    objects::BytesBackend& bytes;
    io::Disk& disk;
    const Clock& clock;
    std::string data;                      // holds state/ and extents/
    uint64_t free_bytes_min = 512u << 20;  // a copy keeps bytes from being freed: below it, it ends
};

/// How a lake's copies are known to be its own.
struct Identity {
    std::string history;     // of this data folder: a restored one begins another
    std::string key_check;   // see Manifest
    std::string sealed_key;  // empty: the root key is left out
};

}  // namespace tarn::archive
