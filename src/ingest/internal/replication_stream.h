// One logical replication connection (PostgreSQL manual, "Streaming Replication Protocol" and
// "Logical Replication Message Formats"): pgoutput in the newest protocol version that both sides
// know (1 to 4), streamed transactions kept on disk until they commit, answers to keep-alives. The
// slot's position is confirmed only where confirm() said. One thread calls; between the calls the
// stream is read ahead (replication_receiver.h).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ingest/internal/change_events.h"
#include "ingest/internal/runner.h"

namespace tarn::ingest {

struct ReplicationOptions {
    std::string url;
    std::string slot;
    std::vector<std::string> publications;
    Lsn from =
        0;  // what was committed here; transactions that end at or before it do not come again
    uint32_t timeline = 0;     // that `from` is a place of; 0: not known
    std::string spool_folder;  // for streamed transactions; emptied at open
    uint64_t spool_max = 0;    // bytes; 0: as the disk has room
};

class ReplicationStream {
 public:
    /// Errors say what to do: not_found (slot or publication gone), conflict (slot in use by
    /// another: its pid and application), permission_denied, unavailable, precondition_failed (the
    /// slot lost its log: reason "slot_lost"; the server lacks log before `from`, because it took
    /// over without it: reason "timeline_diverged").
    static Result<std::unique_ptr<ReplicationStream>> open(ReplicationOptions options,
                                                           StopFlag& stop);
    virtual ~ReplicationStream() = default;

    /// Tells what has come to `receiver`, waiting at most `wait` for the first byte, and returns at
    /// the latest at the first transaction's end after `until` has passed. False: nothing came.
    virtual Result<bool> read(ChangeReceiver& receiver, std::chrono::milliseconds wait,
                              std::chrono::steady_clock::time_point until) = 0;
    /// Everything up to here is durable in the lake: the source may forget it. Told to it within a
    /// fraction of a second.
    virtual Status confirm(Lsn lsn) = 0;
    /// The end of the source's log when it last spoke, and how far everything was told: when
    /// nothing is pending, this may be confirmed, so that an idle slot does not hold the log of a
    /// busy server.
    virtual Lsn server_end() const = 0;
    virtual Lsn told() const = 0;
    virtual int protocol_version() const = 0;
    /// That what is told is a place of.
    virtual uint32_t timeline() const = 0;
};

}  // namespace tarn::ingest
