#include "security/audit_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/lane.h"
#include "codec/hash.h"
#include "meta/keys.h"
#include "security/audit_chain.h"
#include "security/internal/audit_links.h"
#include "security/internal/audit_record.h"

namespace tarn::security {
namespace {

using Kind = AuditProblem::Kind;

/// A record's place and the first bytes of its hash, as a number.
struct Link {
    uint64_t offset;
    uint64_t hash;
};

std::string numbers(const char* one, const char* many, uint64_t first, uint64_t last) {
    if (first == last) return std::string(one) + " " + std::to_string(first);
    return std::string(many) + " " + std::to_string(first) + " to " + std::to_string(last);
}

/// The check of one call: everything is read from one state of the store.
class Checker {
 public:
    Checker(const meta::Reader& trail, std::string_view public_key)
        : trail_(trail), public_key_(public_key) {}

    Result<AuditCheck> run(uint64_t from, uint64_t records_max) {
        TARN_TRY(state, load_state());
        state_ = std::move(state);
        check_.oldest = state_.oldest;
        TARN_TRY(before, from == 0 ? Result<std::optional<AuditDigest>>(std::nullopt)
                                   : load_digest(from - 1));
        uint64_t number = from;
        for (; number < state_.digests && check_.records < records_max; ++number) {
            TARN_TRY(digest, load_digest(number));
            if (digest) TARN_CHECK_OK(check_digest(*digest, before));
            before = std::move(digest);
        }
        if (number < state_.digests) {
            check_.next = number;
            return std::move(check_);
        }
        TARN_CHECK_OK(check_end(before));
        return std::move(check_);
    }

 private:
    void report(Kind kind, uint64_t first, uint64_t last, std::string text) {
        if (check_.problems.size() == kAuditProblemsMax) return;
        check_.problems.push_back({kind, first, last, std::move(text)});
    }
    void report_records(Kind kind, uint64_t first, uint64_t last, const char* what) {
        // Neighbours with one fate are one sentence.
        if (!check_.problems.empty()) {
            AuditProblem& before = check_.problems.back();
            if (before.kind == kind && before.last + 1 == first) {
                before.last = last;
                before.text = numbers("record", "records", before.first, last) + what;
                return;
            }
        }
        report(kind, first, last, numbers("record", "records", first, last) + what);
    }

    Result<ChainState> load_state() const {
        TARN_TRY(kept, trail_.get(chain_state_key()));
        if (kept) return ChainState::from_json(kept->value);
        ChainState none;
        none.chain = none.previous = chain_start();
        return none;
    }

    /// nullopt, and reported: it is missing or unreadable.
    Result<std::optional<AuditDigest>> load_digest(uint64_t number) {
        TARN_TRY(kept, trail_.get(digest_key(number)));
        if (!kept) {
            report(Kind::digest, number, number,
                   "digest " + std::to_string(number) + " is missing");
            return std::optional<AuditDigest>();
        }
        auto digest = AuditDigest::from_json(kept->value);
        if (digest.ok()) return std::optional<AuditDigest>(std::move(digest).value());
        report(Kind::digest, number, number,
               "digest " + std::to_string(number) + " can't be read: " + digest.error().message);
        return std::optional<AuditDigest>();
    }

    Status check_digest(const AuditDigest& digest, const std::optional<AuditDigest>& before) {
        ++check_.digests;
        const std::string name = "digest " + std::to_string(digest.number);
        const auto wrong = [&](const std::string& what) {
            report(Kind::digest, digest.number, digest.number, name + what);
        };
        if (!is_signed_by(public_key_, digest.text(), digest.signature)) {
            wrong(" is not signed by the lake's key");
            return ok_status();
        }
        const bool is_first = digest.number == 0;
        if (before && (digest.number != before->number + 1 || digest.previous != before->hash() ||
                       digest.first != before->next || digest.oldest < before->oldest))
            wrong(" does not follow the one before it");
        if (digest.next <= state_.oldest) return ok_status();  // gone by retention
        if (digest.first < state_.oldest)
            wrong(" covers records of which retention is said to have removed a part");
        if (!before && !is_first) return ok_status();  // reported: nothing to start from
        return check_records(digest.first, digest.next, before ? before->chain : chain_start(),
                             digest.chain, "what was signed");
    }

    /// Reads the records of [first, next) and what their links say; chains them.
    Status read_records(uint64_t first, uint64_t next, std::string& chain) {
        found_.clear();
        expected_.clear();
        AuditBlocks blocks(trail_, first);
        AuditBlock block;
        for (; blocks.valid(); blocks.next()) {
            TARN_CHECK_OK(blocks.read(block));
            if (block.first >= next) break;
            uint64_t offset = block.first;
            for (const std::string_view line : block.lines) {
                const std::string hash = codec::sha256(line);
                chain = chain_next(chain, offset, hash);
                found_.push_back({offset++, load_be<uint64_t>(hash.data())});
            }
        }
        TARN_CHECK_OK(blocks.status());
        check_.records += found_.size();
        auto links = trail_.scan({links_key(first), links_key(next), false});
        for (; links->valid(); links->next()) {
            TARN_TRY(record, links->record());
            uint64_t offset = meta::KeyReader(links->key(), "al").take_number().value_or(next);
            ByteReader bytes(record.value);
            while (const auto hash = bytes.take_be<uint64_t>())
                expected_.push_back({offset++, *hash});
        }
        return links->status();
    }

    Status check_records(uint64_t first, uint64_t next, std::string chain,
                         std::string_view chain_wanted, const std::string& whose) {
        TARN_CHECK_OK(read_records(first, next, chain));
        const bool in_order =
            found_.size() == next - first && (found_.empty() || (found_.front().offset == first &&
                                                                 found_.back().offset == next - 1));
        if (in_order && chain == chain_wanted) return ok_status();
        const size_t before = check_.problems.size();
        name_records(first, next);
        if (check_.problems.size() == before)
            report(Kind::chain, first, next - 1,
                   numbers("record", "records", first, next - 1) + " do not chain up to " + whose +
                       ", and their links were made to fit them");
        return ok_status();
    }

    /// What became of each record that is not where its link says.
    void name_records(uint64_t first, uint64_t next) {
        const auto by_hash = [](const Link& a, const Link& b) { return a.hash < b.hash; };
        std::vector<Link> sorted = found_;
        std::sort(sorted.begin(), sorted.end(), by_hash);
        std::vector<Link> known = expected_;
        std::sort(known.begin(), known.end(), by_hash);
        // A removed line makes those behind it stand one place too early: that is no moving.
        const bool complete = found_.size() == next - first;
        auto at = found_.begin();
        uint64_t offset = first;
        for (const Link& wanted : expected_) {
            if (wanted.offset > offset)
                report_records(Kind::chain, offset, wanted.offset - 1, ": without a link");
            offset = wanted.offset + 1;
            while (at != found_.end() && at->offset < wanted.offset) ++at;
            const bool there = at != found_.end() && at->offset == wanted.offset;
            if (there && at->hash == wanted.hash) continue;
            const bool elsewhere =
                std::binary_search(sorted.begin(), sorted.end(), wanted, by_hash);
            if (elsewhere && complete)
                report_records(Kind::moved, wanted.offset, wanted.offset, ": not at its place");
            if (elsewhere) continue;
            const bool is_another =
                there && std::binary_search(known.begin(), known.end(), *at, by_hash);
            if (there && (complete || !is_another))
                report_records(Kind::changed, wanted.offset, wanted.offset, ": changed");
            else
                report_records(Kind::removed, wanted.offset, wanted.offset, ": missing");
        }
        if (offset < next) report_records(Kind::chain, offset, next - 1, ": without a link");
    }

    Status check_end(const std::optional<AuditDigest>& last) {
        check_.signed_to = last ? last->next : state_.oldest;
        check_.chained_to = state_.next;
        if (state_.digests > 0 && last &&
            (state_.previous != last->hash() || state_.signed_to != last->next))
            report(
                Kind::digest, last->number, last->number,
                "digest " + std::to_string(last->number) + " is not the last one that was signed");
        TARN_TRY(after, load_after_last(last));
        if (after)
            report(Kind::digest, after->number, after->number,
                   "digest " + std::to_string(after->number) + " is newer than the chain");
        if (state_.next > state_.signed_to)
            TARN_CHECK_OK(check_records(state_.signed_to, state_.next,
                                        last ? last->chain : chain_start(), state_.chain,
                                        "what was chained"));
        TARN_CHECK_OK(check_unchained());
        // What is missing at the end and behind it was cut off.
        if (!check_.problems.empty() && check_.problems.back().kind == Kind::removed &&
            check_.problems.back().last + 1 == std::max(state_.next, check_.end)) {
            AuditProblem& cut = check_.problems.back();
            cut.kind = Kind::truncated;
            cut.text = numbers("record", "records", cut.first, cut.last) +
                       ": missing at the end of the trail";
        }
        return ok_status();
    }

    Result<std::optional<AuditDigest>> load_after_last(const std::optional<AuditDigest>& last) {
        const uint64_t number = last ? last->number + 1 : 0;
        TARN_TRY(kept, trail_.get(digest_key(number)));
        if (!kept || number < state_.digests) return std::optional<AuditDigest>();
        return load_digest(number);
    }

    /// The newest records have no link yet: their places alone can be looked at.
    Status check_unchained() {
        uint64_t offset = state_.next;
        AuditBlocks blocks(trail_, offset);
        AuditBlock block;
        for (; blocks.valid(); blocks.next()) {
            TARN_CHECK_OK(blocks.read(block));
            if (block.first > offset)
                report_records(Kind::removed, offset, block.first - 1, ": missing");
            offset = block.first + block.lines.size();
            check_.records += block.lines.size();
        }
        TARN_CHECK_OK(blocks.status());
        TARN_TRY(counter, trail_.get(meta::next_offset_key(audit_sequence())));
        const auto counted = counter ? meta::decode_counter(counter->value) : 0;
        check_.end = std::max(offset, static_cast<uint64_t>(std::max<int64_t>(counted, 0)));
        if (offset < check_.end) report_records(Kind::removed, offset, check_.end - 1, ": missing");
        return ok_status();
    }

    const meta::Reader& trail_;
    const std::string_view public_key_;
    ChainState state_;
    AuditCheck check_;
    std::vector<Link> found_, expected_;
};

}  // namespace

const char* to_string(AuditProblem::Kind kind) {
    switch (kind) {
        case Kind::changed:
            return "changed";
        case Kind::removed:
            return "removed";
        case Kind::moved:
            return "moved";
        case Kind::truncated:
            return "truncated";
        case Kind::digest:
            return "digest";
        case Kind::chain:
            return "chain";
    }
    return "chain";
}

Result<AuditCheck> check_audit(const meta::Snapshot& trail, std::string_view public_key,
                               uint64_t from, uint64_t records_max) {
    assert_may_block();
    return Checker(trail, public_key).run(from, records_max);
}

}  // namespace tarn::security
