// Messages of PostgreSQL's output plugin pgoutput, protocol versions 1 to 4 (PostgreSQL manual,
// "Logical Replication Message Formats"). Pure: bytes in, values out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/change_events.h"

namespace tarn::ingest {

/// One message. Which members say something depends on `kind`.
struct LogMessage {
    enum class Kind : uint8_t {
        begin,          // transaction
        commit,         // transaction
        origin,         // nothing that we keep
        type,           // nothing that we keep
        relation,       // relation
        insert,         // oid, after
        update,         // oid, before_kind, before, after
        remove,         // oid, before_kind, before
        truncate,       // oids
        message,        // prefix, content, transactional
        stream_start,   // transaction.xid, first_segment
        stream_stop,    // nothing
        stream_commit,  // transaction
        stream_abort,   // transaction.xid, sub_xid (the same: all of it)
        two_phase,      // prepared transactions, which we do not ask for
    };
    Kind kind = Kind::origin;
    /// Inside a stream: the (sub)transaction that the change belongs to; else 0.
    uint32_t sub_xid = 0;
    TransactionInfo transaction;
    Relation relation;
    uint32_t oid = 0;
    std::vector<uint32_t> oids;
    Before before_kind = Before::none;
    Cells before, after;
    std::string_view prefix, content;
    bool transactional = false, first_segment = false;
};

/// Decodes one message (of one CopyData, behind the header of XLogData) into `into`, whose texts
/// and cells lie in `bytes`. `streamed`: between stream_start and stream_stop, where messages
/// carry the number of their transaction. Reuses the memory of `into`. corrupted: no message.
Status decode_pgoutput(std::string_view bytes, bool streamed, LogMessage& into);

}  // namespace tarn::ingest
