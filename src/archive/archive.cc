#include "archive/archive.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "archive/internal/follower.h"
#include "archive/internal/names.h"
#include "archive/internal/point_maker.h"
#include "archive/internal/retention.h"
#include "archive/progress.h"
#include "base/lane.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "security/keyring.h"
#include "security/passphrase.h"

namespace tarn::archive {
namespace {

constexpr std::string_view kSealedName = "tarn root key";
constexpr std::string_view kCheckPurpose = "tarn copy key check 1";

Result<std::string> load_history(io::Disk& disk, const std::string& path) {
    TARN_TRY(known, disk.exists(path));
    if (!known) {
        const auto made = random_hex(16);
        TARN_CHECK_OK(io::replace_file(disk, path, made + "\n"));
        return made;
    }
    TARN_TRY(text, io::read_file(disk, path, 1024));
    while (text.ends_with('\n')) text.pop_back();
    if (!is_history(text))
        return Error(Code::corrupted, path +
                                          " does not hold 32 hexadecimal digits: remove it, and "
                                          "the next copy begins a new history");
    return text;
}

class ArchiveImpl final : public Archive {
 public:
    ArchiveImpl(Source source, Metrics& metrics, ArchiveOptions options, Identity identity)
        : source_(std::move(source)), options_(std::move(options)), identity_(std::move(identity)) {
        if (options_.archive)
            follower_ = std::make_unique<Follower>(
                source_, metrics, copies_, identity_,
                FollowerOptions{*options_.archive,
                                std::chrono::hours(24 * options_.archive_keep_days),
                                [this] { return seal(options_.archive_passphrase); }},
                cancel_);
    }

    ~ArchiveImpl() override { stop(); }

    void start() override {
        if (follower_) follower_->start();
    }

    void stop() override {
        if (follower_) follower_->finish();
        cancel_ = true;
        if (follower_) follower_->stop();
        copies_.stop();
    }

    Status start_backup(BackupRequest request) override {
        if (!request.passphrase.empty())
            TARN_CHECK_OK(security::check_passphrase(request.passphrase));
        TARN_CHECK_OK(check_place(request.place));
        {
            MutexLock lock(mutex_);
            if (backup_ && backup_->running)
                return Error(Code::conflict, "a backup to " + backup_->to + " is running");
            backup_.emplace();
            backup_->to = request.place.to;
            backup_->running = true;
            backup_->started = source_.clock.now();
            progress_ = std::make_shared<Progress>();
        }
        if (copies_.try_submit([this, request = std::move(request)] { run_backup(request); }))
            return ok_status();
        MutexLock lock(mutex_);
        backup_.reset();
        return Error(Code::unavailable, "the server is stopping");
    }

    std::optional<BackupState> backup() const override {
        MutexLock lock(mutex_);
        auto state = backup_;
        if (!state) return state;
        state->bytes_total = progress_->bytes_total;
        state->bytes_done = progress_->bytes_done;
        state->bytes_sent = progress_->bytes_sent;
        return state;
    }

    std::optional<ArchiveState> archive() const override {
        if (!follower_) return std::nullopt;
        return follower_->state();
    }

 private:
    /// A copy inside of what it copies would grow for ever.
    Status check_place(const Place& place) const {
        if ((place.to + "/").starts_with(source_.data + "/"))
            return Error(Code::invalid_argument,
                         place.to + " lies in the data folder: a copy belongs on another disk");
        return ok_status();
    }

    /// The root key under the passphrase; empty when there is none.
    Result<std::string> seal(const std::string& passphrase) const {
        if (passphrase.empty()) return std::string();
        return security::seal_with_passphrase(kSealedName, options_.root_key, passphrase);
    }

    void run_backup(const BackupRequest& request) {
        std::shared_ptr<Progress> progress;
        {
            MutexLock lock(mutex_);
            progress = progress_;
        }
        auto made = make_backup(request, *progress);
        if (!made.ok())
            log_warning("archive", "a backup failed",
                        {{"to", request.place.to}, {"why", made.error().message}});
        MutexLock lock(mutex_);
        backup_->running = false;
        backup_->finished = source_.clock.now();
        if (!made.ok()) {
            backup_->error = made.error().message;
            return;
        }
        backup_->point = made->point;
        backup_->has_key = !made->sealed_key.empty();
        backup_->damage = made->damage;
    }

    Result<Manifest> make_backup(const BackupRequest& request, Progress& progress) {
        TARN_TRY(destination, open_destination(source_.disk, source_.clock, request.place,
                                               Use::write, &cancel_));
        auto identity = identity_;
        TARN_TRY(sealed, seal(request.passphrase));
        identity.sealed_key = std::move(sealed);
        PointMaker maker(source_, *destination, identity, progress, cancel_);
        PointMaker::Options options;
        options.full = request.full;
        TARN_TRY(made, maker.make(options));
        log_info("archive", "a backup is done",
                 {{"to", request.place.to},
                  {"point", made.manifest.point},
                  {"bytes", made.manifest.bytes},
                  {"sent", made.manifest.sent_bytes}});
        if (request.keep > 0) {
            Retention rule;
            rule.keep_backups = request.keep;
            rule.keep_archive = rule.keep_tails = kForEver;
            TARN_CHECK_OK(
                expire(*destination, identity.history, rule, source_.clock.now(), true, cancel_));
        }
        return std::move(made.manifest);
    }

    const Source source_;
    const ArchiveOptions options_;
    const Identity identity_;
    std::atomic<bool> cancel_{false};
    mutable Mutex mutex_;
    std::optional<BackupState> backup_ TARN_GUARDED_BY(mutex_);
    std::shared_ptr<Progress> progress_ TARN_GUARDED_BY(mutex_);
    Lane copies_{{"copies", 1, 8}};  // one point is made at a time
    std::unique_ptr<Follower> follower_;
};

}  // namespace

Result<std::unique_ptr<Archive>> Archive::open(Source source, Metrics& metrics,
                                               ArchiveOptions options) {
    Identity identity;
    TARN_TRY(history, load_history(source.disk, options.history_file));
    identity.history = history;
    identity.key_check = key_check_of(options.root_key);
    if (!options.archive_passphrase.empty())
        TARN_CHECK_OK(security::check_passphrase(options.archive_passphrase));
    return std::unique_ptr<Archive>(
        new ArchiveImpl(std::move(source), metrics, std::move(options), std::move(identity)));
}

std::string key_check_of(const std::string& root_key) {
    return security::Keyring(root_key).derive(kCheckPurpose);
}

Result<std::string> open_root_key(const std::string& sealed_key, const std::string& passphrase,
                                  const std::string& key_check) {
    TARN_TRY(key, security::unseal_with_passphrase(kSealedName, sealed_key, passphrase));
    if (key.size() != 32 || key_check_of(key) != key_check)
        return Error(Code::unauthenticated, "the sealed root key is another lake's");
    return key;
}

}  // namespace tarn::archive
