// The bytes of one record in the index, and the index's own keys. docs/formats/meta.md describes
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {

/// A record as the index holds it. `value` borrows from the bytes it was decoded from.
struct StoredRecord {
    Version version = 0;
    std::optional<wal::BodyRef> body;
    std::string_view value;
};

std::string encode_record(const StoredRecord& record);
/// nullopt: these bytes are no record.
std::optional<StoredRecord> decode_record(std::string_view bytes);

inline constexpr size_t kBodyRefBytes = 20;
void append_body_ref(std::string& out, const wal::BodyRef& body);
/// Precondition: `bytes` has kBodyRefBytes.
wal::BodyRef load_body_ref(std::string_view bytes);

/// Keys that begin with this byte belong to the index: no batch may name them, no scan shows them.
inline constexpr char kInternal = '\x00';
/// The smallest key that is not internal.
inline constexpr std::string_view kFirstKey = "\x01";

/// The one record that says which format and how far the index is.
std::string state_key();
struct IndexState {
    wal::Sequence sequence = 0;
};
std::string encode_state(const IndexState& state);
/// corrupted, or unimplemented for a format version that this program does not know.
Result<IndexState> decode_state(std::string_view bytes);

/// Live body bytes of one segment (8 bytes, little endian); absent when there are none.
std::string live_key(wal::SegmentId segment);
std::string live_prefix();
std::optional<wal::SegmentId> decode_live_key(std::string_view key);

/// Which record owns the body at this place; the entry's value is the record's key. Lets reclaim
/// read only what is alive in a segment, in the order of the segment.
std::string owner_key(wal::SegmentId segment, uint64_t offset);
std::string owner_prefix(wal::SegmentId segment);
std::optional<uint64_t> decode_owner_offset(std::string_view key);

}  // namespace tarn::meta
