#include "ingest/internal/replication_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "ingest/internal/pgoutput_decode.h"
#include "ingest/internal/replication_receiver.h"
#include "ingest/internal/timeline.h"
#include "ingest/internal/transaction_spool.h"

namespace tarn::ingest {

namespace {

using Said = LogMessage::Kind;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kMessagesPerLook = 512;  // messages between two looks at the stop flag
constexpr auto kInsideWait = std::chrono::milliseconds(1000);  // for the rest of a transaction
constexpr uint32_t kPaddedText = 1042;  // char(n): its blanks at the end mean nothing

int newest_version(int server_version) {
    if (server_version >= 160000) return 4;
    if (server_version >= 150000) return 3;
    return server_version >= 140000 ? 2 : 1;
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// What the source says, as what it means for us.
Error named(Error error, const ReplicationOptions& options) {
    const std::string& why = error.message;
    if (holds(why, "publication \"") && holds(why, "does not exist"))
        return Error(Code::not_found, "a publication of the source is gone: " + why,
                     "publication_gone");
    if (holds(why, "replication slot \"") && holds(why, "does not exist"))
        return Error(Code::not_found,
                     fmt::format("replication slot {} is gone: {}", options.slot, why),
                     "slot_gone");
    if (holds(why, "is active for PID"))
        return Error(
            Code::conflict,
            fmt::format("replication slot {} is used by another process: {}", options.slot, why),
            "slot_taken");
    if (holds(why, "holds already been removed") || holds(why, "invalidated") ||
        holds(why, "can no longer get changes") || holds(why, "can no longer access"))
        return Error(Code::precondition_failed,
                     fmt::format("the source no longer holds the log that replication slot {} "
                                 "stands at: {}",
                                 options.slot, why),
                     "slot_lost");
    return error;
}

/// A table's description and when it came, because a streamed one counts only once its
/// transaction is committed, and not against a newer one.
struct Known {
    Relation relation;
    uint64_t ordinal = 0;
    bool padded = false;
};
using KnownRelations = std::map<uint32_t, Known>;

class Stream final : public ReplicationStream {
 public:
    Stream(ReplicationOptions options, std::unique_ptr<PostgresConnection> connection,
           TransactionSpool spool, StopFlag& stop)
        : options_(std::move(options)),
          connection_(std::move(connection)),
          spool_(std::move(spool)),
          stop_(stop),
          told_(options_.from) {}

    Status start();
    Result<bool> read(ChangeReceiver& receiver, std::chrono::milliseconds wait,
                      SteadyTime until) override;
    Status confirm(Lsn lsn) override;
    Lsn server_end() const override { return server_end_; }
    Lsn told() const override { return told_; }
    int protocol_version() const override { return version_; }
    uint32_t timeline() const override { return timeline_; }

 private:
    std::string command() const;
    Status take(std::string_view piece, ChangeReceiver& receiver);
    Status take_message(std::string_view bytes, ChangeReceiver& receiver);
    Status keep(std::string_view bytes);
    Status replay(ChangeReceiver& receiver);
    Status tell(ChangeReceiver& receiver, const KnownRelations* streamed);
    Result<const Known*> find(uint32_t oid, const KnownRelations* streamed) const;
    Status learn(KnownRelations& known, uint64_t ordinal);

    const ReplicationOptions options_;
    std::unique_ptr<PostgresConnection> connection_;  // until start()
    std::unique_ptr<ReplicationReceiver> receiver_;   // from then on
    TransactionSpool spool_;
    StopFlag& stop_;
    int version_ = 1;
    uint32_t timeline_ = 0;
    Lsn told_, server_end_ = 0;
    KnownRelations relations_;
    uint64_t ordinal_ = 0;
    LogMessage message_;
    std::optional<TransactionInfo> open_;  // between begin and commit
    uint32_t streaming_ = 0;               // between stream_start and stream_stop: its number
    bool whole_ = false;                   // a transaction ended with the last piece
};

std::string Stream::command() const {
    std::string names;
    for (const auto& publication : options_.publications) {
        if (!names.empty()) names += ',';
        names += quote_name(publication);
    }
    std::string out = fmt::format(
        "START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}",
        quote_name(options_.slot), to_text(options_.from), version_, quote_text(names));
    if (version_ >= 2) out += ", streaming 'on', messages 'true'";
    return out + ")";
}

Status Stream::start() {
    TARN_TRY(timeline, check_timeline(*connection_, {options_.timeline, options_.from}));
    timeline_ = timeline;
    version_ = newest_version(connection_->server_version());
    for (;;) {
        const Status started = connection_->start_copy_both(command());
        if (started.ok()) {
            receiver_ = std::make_unique<ReplicationReceiver>(std::move(connection_), told_);
            return ok_status();
        }
        // "client sent proto_version=4 but server only supports protocol 3 or lower"
        const bool too_new = holds(started.error().message, "proto_version");
        if (!too_new || version_ == 1) return named(started.error(), options_);
        --version_;
    }
}

Status Stream::confirm(Lsn lsn) {
    receiver_->confirm(lsn);
    return ok_status();
}

Result<bool> Stream::read(ChangeReceiver& receiver, std::chrono::milliseconds wait,
                          SteadyTime until) {
    bool came = false;
    const auto begun = std::chrono::steady_clock::now();
    for (int count = 1;; ++count) {
        const bool inside = open_.has_value();
        // Keep-alives do not make it longer.
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            begun + wait - std::chrono::steady_clock::now());
        const auto span = came && !inside ? std::chrono::milliseconds(0)
                          : inside        ? kInsideWait
                                          : std::max(left, std::chrono::milliseconds(0));
        auto piece = receiver_->next(span);
        if (!piece.ok()) return named(std::move(piece).error(), options_);
        if ((count % kMessagesPerLook == 0 || !*piece) && stop_.stopped())
            return Error(Code::cancelled, "the source was stopped");
        if (!*piece) {
            if (!inside && (came || std::chrono::steady_clock::now() - begun >= wait)) return came;
            continue;
        }
        whole_ = false;
        TARN_CHECK_OK(take(**piece, receiver));
        came = came || (**piece)[0] == 'w';
        if (whole_ && (receiver.full() || std::chrono::steady_clock::now() >= until)) return true;
    }
}

Status Stream::take(std::string_view piece, ChangeReceiver& receiver) {
    const Error strange(Code::corrupted, "the source sent something else than its log");
    if (piece[0] == 'k') {  // end of the log, clock
        if (piece.size() < 18) return strange;
        server_end_ = std::max(server_end_, load_be<uint64_t>(piece.data() + 1));
        // All before it was sent, and so was told, unless we are in the middle.
        if (!open_ && streaming_ == 0) told_ = std::max(told_, server_end_);
        return ok_status();
    }
    if (piece[0] != 'w' || piece.size() < 25) return strange;
    server_end_ = std::max(server_end_, load_be<uint64_t>(piece.data() + 9));
    return take_message(piece.substr(25), receiver);
}

Status Stream::take_message(std::string_view bytes, ChangeReceiver& receiver) {
    TARN_CHECK_OK(decode_pgoutput(bytes, streaming_ != 0, message_));
    ++ordinal_;
    switch (message_.kind) {
        case Said::stream_start:
            streaming_ = message_.transaction.xid;
            return ok_status();
        case Said::stream_stop:
            streaming_ = 0;
            return ok_status();
        case Said::stream_abort:
            return spool_.abort(message_.transaction.xid, message_.sub_xid);
        case Said::stream_commit:
            return replay(receiver);
        case Said::two_phase:
            return Error(Code::internal,
                         "the source prepares transactions for us, which we did "
                         "not ask for");
        case Said::relation:
            if (streaming_ != 0) return keep(bytes);
            return learn(relations_, ordinal_);
        default:
            if (streaming_ != 0) return keep(bytes);
            return tell(receiver, nullptr);
    }
}

Status Stream::keep(std::string_view bytes) {
    return spool_.add(streaming_, message_.sub_xid, ordinal_, bytes);
}

Status Stream::learn(KnownRelations& known, uint64_t ordinal) {
    auto& one = known[message_.relation.oid];
    one.relation = message_.relation;
    one.relation.serial = ordinal;
    one.ordinal = ordinal;
    one.padded = std::any_of(one.relation.columns.begin(), one.relation.columns.end(),
                             [](const RelationColumn& c) { return c.type == kPaddedText; });
    return ok_status();
}

/// A streamed transaction is committed: told as if it came now.
Status Stream::replay(ChangeReceiver& receiver) {
    const TransactionInfo transaction = message_.transaction;
    KnownRelations streamed;
    open_ = transaction;
    TARN_CHECK_OK(receiver.begin(transaction));
    int count = 0;
    const auto each = [&](uint64_t ordinal, std::string_view bytes) -> Status {
        if (++count % kMessagesPerLook == 0 && stop_.stopped())
            return Error(Code::cancelled, "the source was stopped");
        TARN_CHECK_OK(decode_pgoutput(bytes, true, message_));
        if (message_.kind == Said::relation) return learn(streamed, ordinal);
        return tell(receiver, &streamed);
    };
    TARN_CHECK_OK(spool_.replay(transaction.xid, each));
    spool_.forget(transaction.xid);
    for (auto& [oid, known] : streamed) {
        auto& ours = relations_[oid];
        if (ours.ordinal < known.ordinal) ours = std::move(known);
    }
    TARN_CHECK_OK(receiver.commit(transaction));
    open_.reset();
    told_ = std::max(told_, transaction.end_lsn);
    whole_ = true;
    return ok_status();
}

Result<const Known*> Stream::find(uint32_t oid, const KnownRelations* streamed) const {
    if (streamed) {
        const auto found = streamed->find(oid);
        if (found != streamed->end()) return &found->second;
    }
    const auto found = relations_.find(oid);
    if (found == relations_.end())
        return Error(Code::corrupted, fmt::format("the log holds a row of table {} before its "
                                                  "description",
                                                  oid));
    return &found->second;
}

void unpad(const Relation& relation, Cells& cells) {
    for (size_t i = 0; i < cells.size() && i < relation.columns.size(); ++i)
        if (relation.columns[i].type == kPaddedText)
            while (cells[i].text.ends_with(' ')) cells[i].text.remove_suffix(1);
}

/// A message that belongs to the open transaction, or stands alone.
Status Stream::tell(ChangeReceiver& receiver, const KnownRelations* streamed) {
    const auto outside = [] {
        return Error(Code::corrupted, "the log holds a change outside of any transaction");
    };
    switch (message_.kind) {
        case Said::begin:
            open_ = message_.transaction;
            return receiver.begin(*open_);
        case Said::commit: {
            if (!open_) return outside();
            TransactionInfo done = message_.transaction;
            done.xid = open_->xid;
            TARN_CHECK_OK(receiver.commit(done));
            open_.reset();
            told_ = std::max(told_, done.end_lsn);
            whole_ = true;
            return ok_status();
        }
        case Said::message:
            return receiver.message(message_.prefix, message_.content);
        case Said::insert:
        case Said::update:
        case Said::remove: {
            if (!open_) return outside();
            TARN_TRY(known, find(message_.oid, streamed));
            const auto& relation = known->relation;
            const size_t count = relation.columns.size();
            auto& before = message_.before;
            auto& after = message_.after;
            const bool has_after = message_.kind != Said::remove;
            const bool has_before =
                message_.kind == Said::remove ||
                (message_.kind == Said::update && message_.before_kind != Before::none);
            if ((has_after && after.size() != count) || (has_before && before.size() != count))
                return Error(Code::corrupted,
                             fmt::format("the log holds a row of table {} with {} values for {} "
                                         "columns",
                                         relation.full_name(),
                                         has_after ? after.size() : before.size(), count));
            if (known->padded) {
                if (has_after) unpad(relation, after);
                if (has_before) unpad(relation, before);
            }
            if (message_.kind == Said::insert) return receiver.insert(relation, after);
            if (message_.kind == Said::remove)
                return receiver.remove(relation, message_.before_kind, before);
            return receiver.update(relation, message_.before_kind, before, after);
        }
        case Said::truncate: {
            if (!open_) return outside();
            std::vector<const Relation*> relations;
            for (const uint32_t oid : message_.oids) {
                TARN_TRY(known, find(oid, streamed));
                relations.push_back(&known->relation);
            }
            return receiver.truncate(relations);
        }
        default:
            return ok_status();  // origins and types
    }
}

}  // namespace

Result<std::unique_ptr<ReplicationStream>> ReplicationStream::open(ReplicationOptions options,
                                                                   StopFlag& stop) {
    TARN_TRY(spool, TransactionSpool::open(options.spool_folder, options.spool_max));
    TARN_TRY(connection, PostgresConnection::open_replication(options.url, stop));
    auto stream =
        std::make_unique<Stream>(std::move(options), std::move(connection), std::move(spool), stop);
    TARN_CHECK_OK(stream->start());
    return std::unique_ptr<ReplicationStream>(std::move(stream));
}

}  // namespace tarn::ingest
