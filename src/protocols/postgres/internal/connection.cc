#include "protocols/postgres/internal/connection.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "protocols/postgres/internal/errors.h"

namespace tarn::postgres {
namespace {

constexpr size_t kSendBytes = 128 * 1024;  // gathered before they are sent
constexpr size_t kMessageOverhead = 64;    // what an empty message costs the mailbox
constexpr size_t kTurnsMax = 64;           // before others on the lane have theirs
constexpr std::chrono::seconds kRightsGrain{1};

Error shutting_down() {
    return Error(Code::unavailable, "terminating connection due to administrator command", "57P01");
}

}  // namespace

Connection::Connection(std::shared_ptr<Door::Shared> door, net::Transport& transport)
    : door_(std::move(door)),
      transport_(transport),
      wire_(transport.wire()),
      key_(random_bytes(4)) {}

Connection::~Connection() = default;

void Connection::start(StartupPacket packet, Peer peer) {
    sign_in_ = std::make_unique<SignIn>(*door_, std::move(packet), std::move(peer));
    deliver({});
}

bool Connection::deliver(Message message) {
    bool full = false;
    {
        MutexLock lock(mutex_);
        mailbox_bytes_ += message.body.size() + kMessageOverhead;
        mailbox_.push_back(std::move(message));
        full = mailbox_bytes_ >= door_->options.waiting_bytes_max;
        paused_ = paused_ || full;
    }
    schedule();
    return full;
}

void Connection::on_drained() {
    {
        MutexLock lock(mutex_);
        if (!waits_for_drain_) return;
    }
    schedule();
}

void Connection::on_eof() {
    {
        MutexLock lock(mutex_);
        const bool good_bye = !mailbox_.empty() && mailbox_.back().type == 'X';
        if (!good_bye) {  // what it asked for and has not begun is for nobody
            mailbox_.clear();
            mailbox_bytes_ = 0;
            cancel_statement();
        }
    }
    deliver({'X', {}});
}

bool Connection::on_drain() {
    MutexLock lock(mutex_);
    draining_ = true;
    return !scheduled_ && at_rest_;
}

void Connection::on_gone() {
    {
        MutexLock lock(mutex_);
        gone_ = true;
        cancel_statement();
    }
    schedule();
}

void Connection::cancel(std::string_view key) {
    if (!equal_constant_time(key, key_)) return;
    {
        MutexLock lock(mutex_);
        if (cancellable_ == nullptr || at_rest_) return;
        cancel_statement();
    }
    schedule();
}

/// The session's comes first, so that who sees ours can make it forget.
void Connection::cancel_statement() {
    if (cancellable_ == nullptr) return;
    cancellable_->cancel();
    cancelled_ = true;  // of a statement that is between two steps
}

void Connection::schedule() {
    {
        MutexLock lock(mutex_);
        if (scheduled_) return;
        scheduled_ = true;
        waits_for_drain_ = false;
    }
    if (submit()) return;
    {
        MutexLock lock(mutex_);
        scheduled_ = false;
        if (gone_) {
            door_->adopt_orphan(shared_from_this());
            return;
        }
    }
    std::string out;
    append_error(out, Severity::fatal,
                 Error(Code::exhausted, "the server is busy: too much work waits; try again later",
                       "53300"));
    wire_->send(std::move(out));
    wire_->close_after_send();
}

Lane& Connection::lane() const {
    return signed_in_ ? door_->parts.query_lane : door_->parts.sign_in_lane;
}

bool Connection::submit() {
    return lane().try_submit([self = shared_from_this()] { self->run(); });
}

void Connection::run() {
    for (const auto& orphan : door_->take_orphans()) orphan->dismantle();
    try {
        run_turns();
    } catch (const std::exception& problem) {
        log_error("postgres", "a job ended by an exception", {{"what", problem.what()}});
        wire_->abort();
        MutexLock lock(mutex_);
        scheduled_ = false;
    }
}

void Connection::run_turns() {
    for (size_t turns = 0;; ++turns) {
        if (turns >= kTurnsMax && lane().queued() > 0 && submit()) return;
        if (turn() == Turn::released) return;
    }
}

Connection::Turn Connection::turn() {
    if (has_gone()) {
        dismantle();
        return release() ? Turn::released : Turn::again;
    }
    if (finished_) return release_finished() ? Turn::released : Turn::again;
    if (conversation_) {
        if (cancelled_.exchange(false)) {
            conversation_->session().forget_cancel();
            conversation_->interrupt();
        }
        if (conversation_->take_flush() || conversation_->out().size() >= kSendBytes) flush();
        if (wire_->unsent_bytes() > door_->options.unsent_bytes_max)
            return release_until_drained() ? Turn::released : Turn::again;
        if (conversation_->working()) {
            conversation_->step();
            return Turn::again;
        }
    }
    char next_type = 0;
    if (auto message = take(next_type)) {
        handle(*message, next_type);
        return Turn::again;
    }
    flush();
    if (conversation_ && conversation_->at_rest() && is_draining()) {
        const Error why = shutting_down();
        finish(&why);
        return Turn::again;
    }
    return release() ? Turn::released : Turn::again;
}

void Connection::handle(const Message& message, char next_type) {
    if (!conversation_) return sign_in(message.type == 0 ? nullptr : &message);
    at_rest_ = false;
    const Status good = still_signed_in();
    if (!good.ok()) return finish(&good.error());
    conversation_->handle(message, next_type);
    if (conversation_->ended()) finish(nullptr);
}

/// A session has the rights with which it began: when they were taken away since, it ends, at the
/// latest a second later.
Status Connection::still_signed_in() {
    const auto now = door_->parts.clock.steady();
    if (now < signed_in_until_) return ok_status();
    signed_in_until_ = now + kRightsGrain;
    const security::Principal& then = caller_.principal;
    const auto credential = door_->parts.users.find_key(then.access_key_id);
    if (credential != nullptr && credential->principal.roles == then.roles &&
        credential->principal.attributes == then.attributes &&
        door_->parts.authorizer.decide(caller_).ok())
        return ok_status();
    Status ended = Error(Code::permission_denied,
                         "terminating connection because the access key or the user's rights were "
                         "changed\nHINT: connect again",
                         "57P01");
    auto result = security::AuditResult::of(ended);
    result.error_code = "57P01";
    caller_.at = door_->parts.clock.now();
    if (door_->parts.audit != nullptr) (void)door_->parts.audit->record(caller_, result);
    return ended;
}

void Connection::sign_in(const Message* message) {
    if (message != nullptr && message->type == 'X') return finish(nullptr);
    const Status done = try_sign_in(message);
    if (done.ok()) return;
    (void)sign_in_->audit(done);
    finish(&done.error());
}

/// Without a message: the first answer to the startup packet.
Status Connection::try_sign_in(const Message* message) {
    if (message == nullptr) return sign_in_->begin(out_);
    TARN_TRY(proven, sign_in_->handle(*message, out_));
    if (!proven) return ok_status();
    if (!door_->take_place())
        return Error(Code::exhausted, "sorry, too many clients already", "53300");
    has_place_ = true;
    TARN_TRY(session, sign_in_->connect());
    TARN_CHECK_OK(sign_in_->audit(ok_status()));
    append_authentication(out_, Authentication::ok);
    caller_ = sign_in_->caller();
    signed_in_until_ = door_->parts.clock.steady() + kRightsGrain;
    conversation_ = std::make_unique<Conversation>(*door_, std::move(session), caller_);
    conversation_->out() = std::move(out_);
    process_id_ = door_->enroll(shared_from_this());
    conversation_->greet(process_id_, key_);
    sign_in_.reset();
    {
        MutexLock lock(mutex_);
        cancellable_ = &conversation_->session();
    }
    signed_in_ = true;
    wire_->set_deadline(std::chrono::milliseconds(0));
    return ok_status();
}

void Connection::flush() {
    std::string& out = conversation_ ? conversation_->out() : out_;
    if (!out.empty()) wire_->send(std::exchange(out, {}));
}

std::optional<Message> Connection::take(char& next_type) {
    bool resume = false;
    std::optional<Message> message;
    {
        MutexLock lock(mutex_);
        if (mailbox_.empty()) return std::nullopt;
        message = std::move(mailbox_.front());
        mailbox_.pop_front();
        mailbox_bytes_ -= message->body.size() + kMessageOverhead;
        next_type = mailbox_.empty() ? '\0' : mailbox_.front().type;
        resume = paused_ && mailbox_bytes_ < door_->options.waiting_bytes_max / 2;
        if (resume) paused_ = false;
    }
    if (resume) wire_->post([this] { transport_.resume_reading(); });
    return message;
}

bool Connection::release() {
    const bool resting = conversation_ && conversation_->at_rest();
    MutexLock lock(mutex_);
    if (gone_ && (conversation_ || sign_in_)) return false;
    if (!gone_ && (!mailbox_.empty() || cancelled_ || (draining_ && resting))) return false;
    at_rest_ = resting;
    scheduled_ = false;
    return true;
}

bool Connection::release_until_drained() {
    {
        MutexLock lock(mutex_);
        if (gone_) return false;
        waits_for_drain_ = true;
        scheduled_ = false;
    }
    // on_drained came before the flag, or will see it.
    if (wire_->unsent_bytes() >= net::kLowWaterBytes) return true;
    MutexLock lock(mutex_);
    if (scheduled_) return true;
    scheduled_ = true;
    waits_for_drain_ = false;
    return false;
}

bool Connection::release_finished() {
    MutexLock lock(mutex_);
    if (gone_) return false;
    mailbox_.clear();
    scheduled_ = false;
    return true;
}

/// Nothing more is said after this. The session's on_close brings the rest.
void Connection::finish(const Error* why) {
    finished_ = true;
    std::string& out = conversation_ ? conversation_->out() : out_;
    if (why != nullptr) append_error(out, Severity::fatal, *why);
    flush();
    wire_->close_after_send();
}

void Connection::dismantle() {
    {
        MutexLock lock(mutex_);
        cancellable_ = nullptr;
        mailbox_.clear();
    }
    cancelled_ = false;
    conversation_.reset();
    sign_in_.reset();
    if (process_id_ != 0) door_->leave(std::exchange(process_id_, 0));
    if (std::exchange(has_place_, false)) door_->give_place();
}

bool Connection::has_gone() const {
    MutexLock lock(mutex_);
    return gone_;
}

bool Connection::is_draining() const {
    MutexLock lock(mutex_);
    return draining_;
}

}  // namespace tarn::postgres
