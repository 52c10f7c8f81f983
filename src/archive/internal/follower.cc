#include "archive/internal/follower.h"

#include <algorithm>
#include <utility>

#include "archive/internal/retention.h"
#include "base/log.h"

namespace tarn::archive {
namespace {

constexpr std::chrono::milliseconds kWatchEvery{250};
constexpr std::chrono::seconds kPauseMax{15};
constexpr std::chrono::seconds kFinishMax{5};

}  // namespace

Follower::Follower(const Source& source, Metrics& metrics, Lane& copies, Identity identity,
                   FollowerOptions options, const std::atomic<bool>& cancel)
    : source_(source),
      copies_(copies),
      identity_(std::move(identity)),
      options_(std::move(options)),
      cancel_(cancel),
      lag_gauge_(metrics.gauge("tarn_archive_lag_seconds",
                               "What losing the machine now would lose: age of the oldest change "
                               "that may not be in the archive")),
      sent_counter_(metrics.counter("tarn_archive_sent_bytes", "Bytes sent to the archive")),
      failing_gauge_(metrics.gauge("tarn_archive_failing",
                                   "1 while the last try to write to the archive failed")) {
    state_.to = options_.place.to;
    shipped_until_ = source_.clock.now();
}

Follower::~Follower() {
    stop();
}

void Follower::start() {
    {
        MutexLock lock(mutex_);
        ended_ = false;
    }
    thread_ = std::thread([this] { run(); });
    watcher_ = std::thread([this] { watch(); });
}

void Follower::finish() {
    const auto until = std::chrono::steady_clock::now() + kFinishMax;
    MutexLock lock(mutex_);
    finishing_ = true;
    wake_.notify_all();
    while (!ended_)
        if (!wake_.wait_until(mutex_, until)) return;
}

void Follower::stop() {
    {
        MutexLock lock(mutex_);
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    if (watcher_.joinable()) watcher_.join();
}

double Follower::lag() const {
    if (state_.following && source_.store.last_version() == state_.shipped_sequence) return 0;
    return std::max(
        0.0, std::chrono::duration<double>(source_.clock.now().since(shipped_until_)).count());
}

ArchiveState Follower::state() const {
    MutexLock lock(mutex_);
    auto state = state_;
    state.lag_seconds = lag();
    state.bytes_sent = progress_.bytes_sent;
    return state;
}

void Follower::watch() {
    name_thread("archive-lag");
    uint64_t counted = 0;
    MutexLock lock(mutex_);
    while (!cancel_) {
        lag_gauge_.set(lag());
        failing_gauge_.set(state_.error.empty() ? 0 : 1);
        const uint64_t sent = progress_.bytes_sent;
        sent_counter_.add(static_cast<double>(sent - counted));
        counted = sent;
        wake_.wait_until(mutex_, std::chrono::steady_clock::now() + kWatchEvery);
    }
}

void Follower::run() {
    name_thread("archive");
    uint32_t failures = 0;
    for (bool last = false; !cancel_ && !last;) {
        {
            MutexLock lock(mutex_);
            last = finishing_;
        }
        const auto begun = std::chrono::steady_clock::now();
        const Status outcome = step();
        note(outcome);
        // A point that has only begun proves nothing of the destination.
        if (!outcome.ok())
            ++failures;
        else if (shipper_)
            failures = 0;
        if (!outcome.ok()) give_up_waiting();
        std::chrono::milliseconds pause = options_.every;
        if (failures > 0)
            pause = std::min<std::chrono::milliseconds>(
                kPauseMax, options_.every * (1 << std::min(failures - 1, 5u)));
        const auto until = begun + pause;
        MutexLock lock(mutex_);
        // A point that is done is taken over at once.
        while (!last && !cancel_ && !finishing_ && making_ != Making::done)
            if (!wake_.wait_until(mutex_, until)) break;
    }
    // What keeps the log goes before the log.
    shipper_.reset();
    MutexLock lock(mutex_);
    ended_ = true;
    wake_.notify_all();
}

void Follower::note(const Status& outcome) {
    if (!outcome.ok() && outcome.error().code == Code::cancelled) return;
    MutexLock lock(mutex_);
    if (outcome.ok() && !shipper_) return;  // a point has begun: what was wrong may be so still
    const auto before = state_.error;
    state_.error = outcome.ok() ? "" : outcome.error().message;
    if (outcome.ok() && state_.following) state_.last_success = source_.clock.now();
    if (shipper_) {
        state_.following = true;
        state_.point = shipper_->point();
        state_.shipped_sequence = shipper_->shipped_sequence();
        shipped_until_ = std::max(shipped_until_, shipper_->shipped_until());
    }
    if (!state_.error.empty() && before.empty())
        log_warning("archive", "the archive can't be written; it is tried again",
                    {{"to", state_.to}, {"why", state_.error}});
    else if (state_.error.empty() && !before.empty())
        log_info("archive", "the archive is written again", {{"to", state_.to}});
}

Status Follower::open() {
    if (destination_) return ok_status();
    TARN_TRY(opened,
             open_destination(source_.disk, source_.clock, options_.place, Use::write, &cancel_));
    TARN_TRY(sealed, options_.seal_key());
    identity_.sealed_key = std::move(sealed);
    destination_ = std::move(opened);
    maker_ = std::make_unique<PointMaker>(source_, *destination_, identity_, progress_, cancel_);
    MutexLock lock(mutex_);
    state_.has_key = !identity_.sealed_key.empty();
    return ok_status();
}

Status Follower::step() {
    TARN_CHECK_OK(open());
    TARN_CHECK_OK(take_point());
    bool making;
    {
        MutexLock lock(mutex_);
        making = making_ != Making::no;
    }
    if (!making && (!shipper_ || point_is_due())) begin_point();
    return shipper_ ? shipper_->ship() : ok_status();
}

bool Follower::point_is_due() const {
    return shipper_->tails() >= options_.tails_max ||
           shipper_->log_bytes() >= options_.tail_log_bytes_max ||
           (shipper_->tails() > 0 &&
            source_.clock.now().since(shipper_->begun()) >= options_.point_every);
}

void Follower::begin_point() {
    sent_ = shipper_ ? shipper_->sent() : SentExtents();
    {
        MutexLock lock(mutex_);
        making_ = Making::running;
    }
    const bool taken = copies_.try_submit([this] {
        PointMaker::Options options;
        options.kind = Kind::archive;
        options.sent = &sent_;
        auto made = maker_->make(options);
        const bool ok = made.ok();
        {
            MutexLock done(mutex_);
            made_ = std::move(made);
            making_ = Making::done;
            wake_.notify_all();
        }
        if (ok) expire_old();
    });
    if (taken) return;
    MutexLock lock(mutex_);
    making_ = Making::no;
}

/// From the point that was made on the log is followed anew; tails of the one before end.
Status Follower::take_point() {
    std::optional<Result<PointMaker::Made>> made;
    {
        MutexLock lock(mutex_);
        if (making_ != Making::done) return ok_status();
        making_ = Making::no;
        made.swap(made_);
    }
    if (!made->ok()) return std::move(*made).error();
    TARN_TRY(shipper, TailShipper::begin(source_, *destination_, std::move(*made).value(),
                                         progress_, cancel_));
    shipper_ = std::move(shipper);
    return ok_status();
}

/// A destination that is away must not fill the lake's disk: the log is let go, and a new point
/// will have it all.
void Follower::give_up_waiting() {
    if (!shipper_) return;
    const auto waiting = shipper_->waiting_bytes();
    const auto free = source_.disk.free_bytes(source_.data);
    const bool too_much = waiting.ok() && *waiting > options_.waiting_bytes_max;
    const bool no_room = free.ok() && *free < source_.free_bytes_min;
    if (!too_much && !no_room) return;
    log_warning("archive", "the log is no longer kept for the archive; it will begin a new point",
                {{"bytes", waiting.ok() ? *waiting : 0}});
    shipper_.reset();
    MutexLock lock(mutex_);
    state_.following = false;
}

/// On the lane of copies, so that no point is made meanwhile.
void Follower::expire_old() {
    Retention rule;
    rule.keep_archive = options_.keep;
    const auto now = std::chrono::steady_clock::now();
    const bool sweep =
        swept_.time_since_epoch().count() == 0 || now - swept_ >= options_.sweep_every;
    const auto expired =
        expire(*destination_, identity_.history, rule, source_.clock.now(), sweep, cancel_);
    if (!expired.ok()) {
        if (expired.error().code != Code::cancelled)
            log_warning("archive", "old points were not removed",
                        {{"why", expired.error().message}});
        return;
    }
    if (sweep) swept_ = now;
    if (expired->points + expired->pieces > 0)
        log_info(
            "archive", "old points are removed",
            {{"points", expired->points}, {"pieces", expired->pieces}, {"bytes", expired->bytes}});
}

}  // namespace tarn::archive
