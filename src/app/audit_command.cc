#include "app/audit_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/archive_settings.h"
#include "app/audit_anchor.h"
#include "app/client_json.h"
#include "app/table_print.h"
#include "codec/text.h"
#include "io/disk.h"
#include "security/audit_digest.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;
using security::AuditDigest;

constexpr uint64_t kFileBytesMax = 1 << 16;

struct AuditWanted {
    std::string from, to, principal, action, resource, outcome;
    uint64_t limit = 100;
    archive::Place anchor;
    std::string anchor_credentials_file, public_key;
};

// --- list

std::string path_of(const AuditWanted& wanted, uint64_t limit, const std::string& before) {
    std::string path = "/api/v1/audit?limit=" + std::to_string(limit);
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) path += "&" + std::string(name) + "=" + encoded(value);
    };
    add("from", wanted.from);
    add("to", wanted.to);
    add("principal", wanted.principal);
    add("action", wanted.action);
    add("resource", wanted.resource);
    add("outcome", wanted.outcome);
    add("before", before);
    return path;
}

/// A page may be short of records although there are more: it ends after so many were looked at.
Result<Json> collect(const ClientOptions& options, const AuditWanted& wanted) {
    Json records = Json::array();
    std::string before;
    do {
        const uint64_t rest = std::min<uint64_t>(wanted.limit - records.size(), 1000);
        TARN_TRY(page, ask(options, "GET", path_of(wanted, rest, before)));
        for (auto& record : page.at("records")) records.push_back(std::move(record));
        before = text_of(page, "next");
    } while (!before.empty() && records.size() < wanted.limit);
    return records;
}

int run_list(const ClientOptions& options, const AuditWanted& wanted) {
    const auto records = collect(options, wanted);
    if (!records.ok()) return fail("audit", records.error());
    if (options.json) {
        for (const auto& record : *records) std::cout << record.dump() << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& record : *records)
        rows.push_back({text_of(record, "time"), text_of(record, "door"),
                        text_of(record, "principal"), text_of(record, "action"),
                        text_of(record, "resource"), text_of(record, "outcome"),
                        text_of(record, "error"), text_of(record, "count")});
    std::fputs(print_table({{"time"},
                            {"door"},
                            {"principal"},
                            {"action"},
                            {"resource"},
                            {"outcome"},
                            {"error"},
                            {"count", true}},
                           rows)
                   .c_str(),
               stdout);
    return 0;
}

// --- verify

struct Verdict {
    uint64_t records = 0, digests = 0;
    std::vector<std::string> problems;
    Json end;  // of the last page
};

Result<Verdict> check_records(const ClientOptions& options) {
    Verdict verdict;
    std::string from = "0";
    while (!from.empty()) {
        TARN_TRY(page, ask(options, "GET", "/api/v1/audit/check?from=" + from));
        verdict.records += page.at("records").get<uint64_t>();
        verdict.digests += page.at("digests").get<uint64_t>();
        for (const auto& problem : page.at("problems"))
            verdict.problems.push_back(text_of(problem, "text"));
        from = text_of(page, "next");
        verdict.end = std::move(page);
    }
    return verdict;
}

/// null: none was named.
Result<std::shared_ptr<security::AuditAnchor>> find_anchor(io::Disk& disk, const Clock& clock,
                                                           const AuditWanted& wanted) {
    auto place = wanted.anchor;
    if (place.to.empty()) return std::shared_ptr<security::AuditAnchor>();
    TARN_CHECK_OK(read_destination_key(wanted.anchor_credentials_file, kAnchorKeyPrefix, place));
    return open_anchor(disk, clock, place, nullptr);
}

/// The key to trust: one that was kept by hand or stands in the anchor; else what the lake says.
Result<std::string> trusted_key(const AuditWanted& wanted, security::AuditAnchor* anchor,
                                const std::string& account, const std::string& stated) {
    std::string text = stated;
    if (!wanted.public_key.empty()) {
        io::RealDisk disk;
        TARN_TRY(kept, io::read_file(disk, wanted.public_key, kFileBytesMax));
        text = std::move(kept);
    } else if (anchor != nullptr) {
        const auto name = security::anchor_key_name(account);
        TARN_TRY(kept, anchor->get(name));
        if (!kept)
            return Error(Code::not_found, wanted.anchor.to + " has no " + name +
                                              ": it is no anchor of this lake's audit trail");
        text = std::move(*kept);
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return codec::hex_decode(text);
}

/// The anchor's copy of a digest; nullopt: it has none.
Result<std::optional<AuditDigest>> anchored(security::AuditAnchor& anchor, uint64_t number) {
    const auto name = security::anchor_name(number);
    TARN_TRY(text, anchor.get(name));
    if (!text) return std::optional<AuditDigest>();
    auto digest = AuditDigest::from_json(*text);
    if (!digest.ok()) return std::move(digest).error().within(name);
    return std::optional<AuditDigest>(std::move(digest).value());
}

/// Every digest of the lake is signed by the trusted key and is what the anchor says; and the
/// anchor has none that the lake lacks.
Status check_digests(const ClientOptions& options, const AuditWanted& wanted, Verdict& verdict) {
    io::RealDisk disk;
    SystemClock clock;
    TARN_TRY(anchor, find_anchor(disk, clock, wanted));
    uint64_t count = 0, unanchored = 0;
    std::string from = "0", key;
    while (!from.empty()) {
        TARN_TRY(page, ask(options, "GET", "/api/v1/audit/digests?limit=1000&from=" + from));
        if (key.empty()) {
            TARN_TRY(trusted, trusted_key(wanted, anchor.get(), text_of(page, "account"),
                                          text_of(page, "public_key")));
            key = std::move(trusted);
        }
        for (const auto& one : page.at("digests")) {
            TARN_TRY(digest, AuditDigest::from_json(one.dump()));
            const std::string name = "digest " + std::to_string(digest.number);
            if (!security::is_signed_by(key, digest.text(), digest.signature))
                verdict.problems.push_back(name + " is not signed by the key that is trusted");
            count = std::max(count, digest.number + 1);
            if (!anchor) continue;
            TARN_TRY(copy, anchored(*anchor, digest.number));
            if (!copy)
                ++unanchored;
            else if (copy->hash() != digest.hash())
                verdict.problems.push_back(name + " is not the one in the anchor");
        }
        from = text_of(page, "next");
    }
    if (!anchor) return ok_status();
    if (unanchored > 0)
        verdict.problems.push_back(std::to_string(unanchored) +
                                   " digests of the lake are missing in the anchor");
    for (;; ++count) {
        TARN_TRY(copy, anchored(*anchor, count));
        if (!copy) return ok_status();
        verdict.problems.push_back("the lake lacks digest " + std::to_string(count) + ": records " +
                                   std::to_string(copy->first) + " to " +
                                   std::to_string(copy->next - 1) + " were signed at " +
                                   format_iso8601(copy->at));
    }
}

int run_verify(const ClientOptions& options, const AuditWanted& wanted) {
    auto verdict = check_records(options);
    if (!verdict.ok()) return fail("audit", verdict.error());
    const Status digests = check_digests(options, wanted, *verdict);
    if (!digests.ok()) return fail("audit", digests.error());
    const bool good = verdict->problems.empty();
    if (options.json) {
        std::cout << Json{{"good", good},
                          {"records", verdict->records},
                          {"digests", verdict->digests},
                          {"oldest", verdict->end.at("oldest")},
                          {"signed_to", verdict->end.at("signed_to")},
                          {"chained_to", verdict->end.at("chained_to")},
                          {"end", verdict->end.at("end")},
                          {"problems", verdict->problems}}
                         .dump(2)
                  << "\n";
        return good ? 0 : 1;
    }
    for (const auto& problem : verdict->problems) std::printf("WRONG: %s\n", problem.c_str());
    std::printf("%s: %llu records from %s to %s; signed up to %s in %llu digests%s\n",
                good ? "the audit trail is whole" : "the audit trail is NOT as it was written",
                static_cast<unsigned long long>(verdict->records),
                text_of(verdict->end, "oldest").c_str(), text_of(verdict->end, "end").c_str(),
                text_of(verdict->end, "signed_to").c_str(),
                static_cast<unsigned long long>(verdict->digests),
                wanted.anchor.to.empty() ? "" : ", compared with the anchor");
    return good ? 0 : 1;
}

// --- sign

int run_sign(const ClientOptions& options) {
    const auto answer = ask(options, "POST", "/api/v1/audit/digests", Json::object());
    if (!answer.ok()) return fail("audit", answer.error());
    const Json digest = answer->value("digest", Json());
    if (digest.is_null())
        std::printf("nothing is new since the last digest\n");
    else
        std::cout << digest.dump(options.json ? -1 : 2) << "\n";
    return 0;
}

int run_key(const ClientOptions& options) {
    const auto answer = ask(options, "GET", "/api/v1/audit/digests?limit=1");
    if (!answer.ok()) return fail("audit", answer.error());
    std::printf("%s\n", text_of(*answer, "public_key").c_str());
    return 0;
}

}  // namespace

void add_audit_command(CLI::App& app, ClientOptions& options, int& code) {
    auto* command = app.add_subcommand("audit", "who did what; and is the record of it whole");
    command->require_subcommand(1);
    auto wanted = std::make_shared<AuditWanted>();
    auto* list = command->add_subcommand("list", "records, newest first");
    list->footer(
        "Examples:\n  tarn audit list --principal ann --outcome denied\n  tarn audit list --action "
        "'iam:*' --from 2026-11-01T00:00:00Z --json");
    list->add_option("--from", wanted->from, "since when, ISO 8601");
    list->add_option("--to", wanted->to, "until when (exclusive)");
    list->add_option("--principal", wanted->principal, "user name or ARN");
    list->add_option("--action", wanted->action, "s3:GetObject; * and ? stand for others");
    list->add_option("--resource", wanted->resource, "ARN; * and ? stand for others");
    list->add_option("--outcome", wanted->outcome, "allowed, denied or failed")
        ->check(CLI::IsMember({"allowed", "denied", "failed"}));
    list->add_option("--limit", wanted->limit, "at most so many; default 100")
        ->check(CLI::Range(1, 1'000'000));
    list->callback([&options, &code, wanted] { code = run_list(options, *wanted); });

    auto* verify = command->add_subcommand(
        "verify",
        "finds records that were changed, removed, moved or cut off since they were signed");
    verify->footer(
        "Examples:\n  tarn audit verify\n  tarn audit verify --anchor /mnt/elsewhere/audit\n"
        "  tarn audit verify --anchor s3://evidence/lake --anchor-endpoint "
        "https://other-tarn:4566\n"
        "  tarn audit verify --public-key audit.key");
    auto* anchor = verify->add_option(
        "--anchor", wanted->anchor.to,
        "folder or s3://bucket/prefix with copies of the digests (--audit-anchor)");
    verify->add_option("--anchor-endpoint", wanted->anchor.endpoint, "of S3; without it AWS")
        ->needs(anchor);
    verify->add_option("--anchor-region", wanted->anchor.region, "of the bucket")->needs(anchor);
    verify
        ->add_option("--anchor-ca-file", wanted->anchor.ca_file,
                     "PEM of who signs the endpoint's certificate")
        ->needs(anchor);
    verify
        ->add_option("--anchor-credentials", wanted->anchor_credentials_file,
                     "AWS credentials file; without it TARN_AUDIT_ANCHOR_ACCESS_KEY_ID and "
                     "TARN_AUDIT_ANCHOR_SECRET_ACCESS_KEY")
        ->needs(anchor);
    verify->add_option("--public-key", wanted->public_key,
                       "file with the key that `tarn audit public-key` printed; default: the "
                       "anchor's, else the lake's own word");
    verify->callback([&options, &code, wanted] { code = run_verify(options, *wanted); });

    command->add_subcommand("sign", "signs all that is recorded now, instead of within the hour")
        ->callback([&options, &code] { code = run_sign(options); });
    command->add_subcommand("public-key", "prints the key that digests are signed with")
        ->callback([&options, &code] { code = run_key(options); });
}

}  // namespace tarn::app
