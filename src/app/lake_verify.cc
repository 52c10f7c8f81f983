#include "app/lake_verify.h"

#include "app/lake.h"
#include "meta/verify.h"
#include "objects/verify.h"
#include "security/audit_check.h"
#include "tables/verify.h"

namespace tarn::app {
namespace {

constexpr size_t kStreamPageBytes = 1 << 20;
constexpr uint64_t kAuditRecordsAtOnce = 100'000;
/// Writers stage data files before the commit that names them.
constexpr auto kOrphanAge = std::chrono::hours(24);

Status verify_stream(const streams::Streams& streams, const std::string& name, Findings& findings) {
    TARN_TRY(end, streams.end(name));
    TARN_TRY(at, streams.begin(name));
    while (at < end && !findings.stopped()) {
        TARN_TRY(page, streams.read(name, at, kStreamPageBytes));
        if (page.records.empty())
            return Error(Code::corrupted, "its records end at " + std::to_string(at) + ", not at " +
                                              std::to_string(end));
        uint64_t bytes = 0;
        for (const auto& record : page.records) {
            // Forgotten meanwhile is no hole.
            TARN_TRY(begin, streams.begin(name));
            if (record.offset != at && record.offset != begin)
                return Error(Code::corrupted, "record " + std::to_string(at) + " is missing");
            at = record.offset + 1;
            bytes += record.key.size() + record.payload.size();
        }
        findings.looked_at("stream records", bytes, page.records.size());
    }
    return ok_status();
}

Status verify_audit(Lake& lake, Findings& findings) {
    for (std::optional<uint64_t> from = 0; from && !findings.stopped();) {
        TARN_TRY(check,
                 security::check_audit(*lake.store->snapshot(), lake.audit_chain->public_key(),
                                       *from, kAuditRecordsAtOnce));
        for (const auto& problem : check.problems) findings.damage("audit trail", problem.text);
        findings.looked_at("audit records", 0, check.records);
        from = check.next;
    }
    return ok_status();
}

}  // namespace

void verify_lake(Lake& lake, Findings& findings) {
    meta::verify_store(*lake.store, findings);
    objects::LocalBytesOptions extents;
    extents.directory = lake.folder->file("extents");
    extents.lake_id = lake.store->lake_id();
    if (!findings.stopped())
        objects::verify_objects(*lake.store, *lake.bytes, lake.disk, extents, findings);
    if (!findings.stopped())
        tables::verify_tables(*lake.catalog, *lake.objects, lake.clock.now().plus(-kOrphanAge),
                              findings);
    for (const auto& stream : lake.streams->list()) {
        if (findings.stopped()) return;
        const Status whole = verify_stream(*lake.streams, stream, findings);
        if (!whole.ok()) findings.damage("stream " + stream, whole.error().message);
    }
    const Status audit = verify_audit(lake, findings);
    if (!audit.ok()) findings.damage("audit trail", audit.error().message);
}

LakeVerifier::~LakeVerifier() {
    stop();
}

Status LakeVerifier::start() {
    MutexLock lock(mutex_);
    if (stopped_) return Error(Code::unavailable, "the server is shutting down");
    if (last_ && last_->running)
        return Error(Code::conflict, "a look over the lake goes on already");
    if (thread_.joinable()) thread_.join();  // it has ended
    findings_ = std::make_unique<Findings>();
    last_ = admin::LakeVerdict{};
    last_->running = true;
    last_->started = lake_.clock.now();
    thread_ = std::thread([this, findings = findings_.get()] { run(*findings); });
    return ok_status();
}

void LakeVerifier::run(Findings& findings) {
    verify_lake(lake_, findings);
    MutexLock lock(mutex_);
    last_->running = false;
    last_->complete = !findings.stopped();
    last_->finished = lake_.clock.now();
}

std::optional<admin::LakeVerdict> LakeVerifier::verdict() const {
    MutexLock lock(mutex_);
    auto out = last_;
    if (out) out->found = findings_->state();
    return out;
}

void LakeVerifier::stop() {
    std::thread ending;
    {
        MutexLock lock(mutex_);
        stopped_ = true;
        if (findings_) findings_->stop();
        ending = std::move(thread_);
    }
    if (ending.joinable()) ending.join();
}

}  // namespace tarn::app
