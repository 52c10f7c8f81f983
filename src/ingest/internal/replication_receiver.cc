#include "ingest/internal/replication_receiver.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace tarn::ingest {

namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr uint64_t kReadyMax = 24ull << 20;             // two seconds of a quick source's log
constexpr auto kAnswerEvery = std::chrono::seconds(5);  // what the source hears of us at the latest
constexpr auto kConfirmEvery = std::chrono::milliseconds(50);  // for what is to be confirmed
constexpr int kPiecesPerLook = 512;                         // between two looks at the clock

}  // namespace

ReplicationReceiver::ReplicationReceiver(std::unique_ptr<PostgresConnection> connection,
                                         Lsn confirmed)
    : connection_(std::move(connection)),
      confirmed_(confirmed),
      answered_(std::chrono::steady_clock::now()),
      thread_([this] { run(); }) {}

ReplicationReceiver::~ReplicationReceiver() {
    ending_ = true;
    taken_.notify_all();
    thread_.join();
}

Result<std::optional<std::string_view>> ReplicationReceiver::next(std::chrono::milliseconds wait) {
    using Piece = std::optional<std::string_view>;
    if (read_ == reading_.size()) {
        const auto deadline = std::chrono::steady_clock::now() + wait;
        const MutexLock lock(mutex_);
        while (ready_.empty() && ended_.ok())
            if (wait.count() <= 0 || !came_.wait_until(mutex_, deadline)) break;
        if (ready_.empty()) return ended_.ok() ? Result<Piece>(Piece()) : ended_.error();
        reading_ = std::move(ready_.front());
        ready_.pop_front();
        ready_bytes_ -= reading_.size();
        read_ = 0;
        taken_.notify_all();
    }
    const auto size = load_le<uint32_t>(reading_.data() + read_);
    const std::string_view piece(reading_.data() + read_ + sizeof size, size);
    read_ += sizeof size + size;
    return Piece(piece);
}

void ReplicationReceiver::run() {
    Status done = ok_status();
    try {
        done = receive();
    } catch (const std::exception& problem) {
        done = Error(Code::internal, std::string("reading the log: ") + problem.what());
    }
    if (!filling_.empty()) (void)hand_over();
    const MutexLock lock(mutex_);
    ended_ = done.ok() ? Error(Code::cancelled, "the reading of the log was ended") : done;
    came_.notify_all();
}

Status ReplicationReceiver::receive() {
    TARN_CHECK_OK(answer(true));
    for (int count = 1; !ending_; ++count) {
        TARN_TRY(piece, connection_->next_copy(std::chrono::milliseconds(0)));
        if (!piece) {
            if (!filling_.empty()) TARN_CHECK_OK(hand_over());
            TARN_TRY(later, connection_->next_copy(kConfirmEvery));
            piece = later;
        }
        if (piece) {
            note(*piece);
            append_le(filling_, static_cast<uint32_t>(piece->size()));
            filling_.append(*piece);
            if (filling_.size() >= kBlockBytes) TARN_CHECK_OK(hand_over());
        }
        if (!piece || asked_ || count % kPiecesPerLook == 0) TARN_CHECK_OK(answer_when_due());
    }
    return ok_status();
}

void ReplicationReceiver::note(std::string_view piece) {
    const bool keep_alive = piece[0] == 'k';
    if (piece.size() < (keep_alive ? 18u : 25u)) return;  // the reader of it says so
    received_ = std::max(received_, load_be<uint64_t>(piece.data() + (keep_alive ? 1 : 9)));
    asked_ = asked_ || (keep_alive && piece[17] != 0);
}

/// Standby status update; `ask`: the source is to say where its log ends.
Status ReplicationReceiver::answer(bool ask) {
    const Lsn confirmed = confirmed_.load(std::memory_order_relaxed);
    std::string out = "r";
    append_be(out, std::max(received_, confirmed));
    append_be(out, confirmed);
    append_be(out, confirmed);
    append_be(out, uint64_t{0});  // our clock is of no use there
    out.push_back(ask ? '\1' : '\0');
    answered_ = std::chrono::steady_clock::now();
    asked_ = false;
    told_ = confirmed;
    return connection_->send_copy(out);
}

Status ReplicationReceiver::answer_when_due() {
    const bool late = std::chrono::steady_clock::now() - answered_ > kAnswerEvery;
    if (!late && !asked_ && confirmed_.load(std::memory_order_relaxed) == told_) return ok_status();
    return answer(late);
}

/// Waits while enough lies ready.
Status ReplicationReceiver::hand_over() {
    for (;;) {
        {
            const MutexLock lock(mutex_);
            if (ready_bytes_ >= kReadyMax && !ending_) taken_.wait_for(mutex_, kConfirmEvery);
            if (ready_bytes_ < kReadyMax || ending_) {
                ready_bytes_ += filling_.size();
                ready_.push_back(std::move(filling_));
                filling_.clear();
                came_.notify_all();
                return ok_status();
            }
        }
        TARN_CHECK_OK(answer_when_due());
    }
}

}  // namespace tarn::ingest
