// Looks over all bytes that objects name: large bodies, and the files that they lie in.
#pragma once

#include <string>

#include "base/findings.h"
#include "io/disk.h"
#include "meta/store.h"
#include "objects/bytes.h"

namespace tarn::objects {

/// While the lake is in use, over one state of it. Every object and every part of an upload under
/// way is read against its checksums, its size, and its ETag where that is the MD5 of the bytes;
/// references to extents are counted again; each extent file must be one of this lake, and named.
/// (Bodies in the log are read by meta/verify.h, too.) Lane: background.
void verify_objects(const meta::Store& store, BytesBackend& bytes, io::Disk& disk,
                    const LocalBytesOptions& options, Findings& findings);

}  // namespace tarn::objects
