// One connection between its loop and its lane: the mailbox of messages, the job that empties it,
// the output, cancelling and the end.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "net/transport.h"
#include "protocols/postgres/internal/conversation.h"
#include "protocols/postgres/internal/messages.h"
#include "protocols/postgres/internal/shared.h"
#include "protocols/postgres/internal/sign_in.h"

namespace tarn::postgres {

/// Held by its session, by its job, and by the door's registry (weakly). There is at most one job
/// of a connection at a time; it ends when no message waits or the peer does not read, and is
/// submitted again by whoever changes that.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
    Connection(std::shared_ptr<Door::Shared> door, net::Transport& transport);
    ~Connection();

    // ---- the loop's
    /// The startup packet; starts the sign-in.
    void start(StartupPacket packet, Peer peer);
    /// True: pause reading until the lane resumes it.
    bool deliver(Message message);
    void on_drained();
    /// The peer sends no more: what is under way is cancelled unless it said good-bye.
    void on_eof();
    /// True when nothing is under way: the session may end at once. Otherwise the lane ends it.
    bool on_drain();
    void on_gone();
    bool signed_in() const { return signed_in_; }

    // ---- any lane's
    void cancel(std::string_view key);

    // ---- the lane's
    void run();

 private:
    enum class Turn { again, released };

    void schedule() TARN_EXCLUDES(mutex_);
    void cancel_statement() TARN_REQUIRES(mutex_);
    Lane& lane() const;
    bool submit();
    void run_turns();
    Turn turn();
    void handle(const Message& message, char next_type);
    void sign_in(const Message* message);
    Status try_sign_in(const Message* message);
    void flush();
    /// No message waits: gives the job back. False when one came meanwhile.
    bool release();
    /// The peer does not read: gives the job back until it does. False when it has read meanwhile.
    bool release_until_drained();
    bool release_finished();
    std::optional<Message> take(char& next_type);
    void finish(const Error* why);
    Status still_signed_in();
    void dismantle();
    bool has_gone() const;
    bool is_draining() const;

    const std::shared_ptr<Door::Shared> door_;
    net::Transport& transport_;  // on the loop only, while the session lives
    const std::shared_ptr<net::Wire> wire_;
    const std::string key_;  // of cancel requests
    std::atomic<bool> signed_in_{false};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> at_rest_{false};

    // The job's.
    std::unique_ptr<SignIn> sign_in_;
    std::unique_ptr<Conversation> conversation_;
    std::string out_;  // while signing in
    int32_t process_id_ = 0;
    security::Caller caller_;  // once signed in
    std::chrono::steady_clock::time_point signed_in_until_;  // then its rights are looked at again
    bool has_place_ = false;
    bool finished_ = false;

    mutable Mutex mutex_;
    std::deque<Message> mailbox_ TARN_GUARDED_BY(mutex_);
    size_t mailbox_bytes_ TARN_GUARDED_BY(mutex_) = 0;
    bool paused_ TARN_GUARDED_BY(mutex_) = false;
    bool scheduled_ TARN_GUARDED_BY(mutex_) = false;
    bool waits_for_drain_ TARN_GUARDED_BY(mutex_) = false;
    bool draining_ TARN_GUARDED_BY(mutex_) = false;
    bool gone_ TARN_GUARDED_BY(mutex_) = false;
    query::Session* cancellable_ TARN_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace tarn::postgres
