#include "ingest/internal/pgoutput_decode.h"

#include <fmt/format.h>

namespace tarn::ingest {

namespace {

/// From 1970 to 2000, where PostgreSQL's clock begins.
constexpr uint64_t kEpochMicros = 946'684'800'000'000;
constexpr size_t kColumnsMax = 1664;  // PostgreSQL's own limit for a row

/// Takes numbers off the front. After a take beyond the end everything is 0 and ok() false.
class Taker {
 public:
    explicit Taker(std::string_view bytes) : rest_(bytes) {}

    bool ok() const { return ok_; }
    bool empty() const { return rest_.empty(); }
    uint8_t take8() { return static_cast<uint8_t>(take(1)); }
    uint16_t take16() { return static_cast<uint16_t>(take(2)); }
    uint32_t take32() { return static_cast<uint32_t>(take(4)); }
    uint64_t take64() { return take(8); }
    std::string_view take_bytes(size_t length) {
        if (length > rest_.size()) {
            fail();
            return {};
        }
        const auto out = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return out;
    }
    /// Up to a zero byte, which is taken too.
    std::string_view take_text() {
        const size_t end = rest_.find('\0');
        if (end == std::string_view::npos) {
            fail();
            return {};
        }
        const auto out = take_bytes(end);
        rest_.remove_prefix(1);
        return out;
    }

 private:
    uint64_t take(size_t width) {
        const auto bytes = take_bytes(width);
        uint64_t out = 0;
        for (const char byte : bytes) out = (out << 8) | static_cast<uint8_t>(byte);
        return out;
    }
    void fail() {
        ok_ = false;
        rest_ = {};
    }

    std::string_view rest_;
    bool ok_ = true;
};

Error broken(char kind) {
    return Error(Code::corrupted,
                 fmt::format("message '{}' of the database's log cannot be read", kind));
}

Timestamp time_of(uint64_t micros) {
    return Timestamp{static_cast<int64_t>(micros + kEpochMicros)};
}

bool take_cells(Taker& in, Cells& out) {
    const size_t count = in.take16();
    out.clear();
    if (!in.ok() || count > kColumnsMax) return false;
    for (size_t i = 0; i < count; ++i) {
        Cell cell;
        switch (in.take8()) {
            case 'n':
                break;
            case 'u':
                cell.kind = Cell::Kind::unchanged;
                break;
            case 't':
                cell.kind = Cell::Kind::text;
                cell.text = in.take_bytes(in.take32());
                break;
            default:
                return false;  // 'b' too: binary values are not asked for
        }
        if (!in.ok()) return false;
        out.push_back(cell);
    }
    return true;
}

bool take_relation(Taker& in, Relation& out) {
    out = Relation{};
    out.oid = in.take32();
    out.schema = std::string(in.take_text());
    out.name = std::string(in.take_text());
    // What every type needs is called so: the empty name is the catalog.
    if (out.schema.empty()) out.schema = "pg_catalog";
    const char identity = static_cast<char>(in.take8());
    if (identity != 'd' && identity != 'n' && identity != 'f' && identity != 'i') return false;
    out.identity = static_cast<Relation::Identity>(identity);
    const size_t count = in.take16();
    if (!in.ok() || count > kColumnsMax) return false;
    for (size_t i = 0; i < count && in.ok(); ++i) {
        RelationColumn column;
        column.identity = (in.take8() & 1) != 0;
        column.name = std::string(in.take_text());
        column.type = in.take32();
        column.modifier = static_cast<int32_t>(in.take32());
        out.columns.push_back(std::move(column));
    }
    return in.ok();
}

bool take_update(Taker& in, LogMessage& into) {
    into.oid = in.take32();
    into.before_kind = Before::none;
    into.before.clear();
    uint8_t part = in.take8();
    if (part == 'K' || part == 'O') {
        into.before_kind = part == 'K' ? Before::key : Before::row;
        if (!take_cells(in, into.before)) return false;
        part = in.take8();
    }
    return part == 'N' && take_cells(in, into.after);
}

bool take_remove(Taker& in, LogMessage& into) {
    into.oid = in.take32();
    const uint8_t part = in.take8();
    if (part != 'K' && part != 'O') return false;
    into.before_kind = part == 'K' ? Before::key : Before::row;
    return take_cells(in, into.before);
}

bool take_truncate(Taker& in, LogMessage& into) {
    const size_t count = in.take32();
    in.take8();  // CASCADE and RESTART IDENTITY: the relations are all listed
    into.oids.clear();
    for (size_t i = 0; i < count && in.ok(); ++i) into.oids.push_back(in.take32());
    return in.ok();
}

/// Messages that belong to a transaction and, in a stream, carry its number.
bool take_change(char kind, Taker& in, LogMessage& into) {
    using MessageKind = LogMessage::Kind;
    switch (kind) {
        case 'R':
            into.kind = MessageKind::relation;
            return take_relation(in, into.relation);
        case 'Y':
            into.kind = MessageKind::type;
            in.take32();
            in.take_text();
            in.take_text();
            return in.ok();
        case 'I':
            into.kind = MessageKind::insert;
            into.oid = in.take32();
            return in.take8() == 'N' && take_cells(in, into.after);
        case 'U':
            into.kind = MessageKind::update;
            return take_update(in, into);
        case 'D':
            into.kind = MessageKind::remove;
            return take_remove(in, into);
        case 'T':
            into.kind = MessageKind::truncate;
            return take_truncate(in, into);
        case 'M':
            into.kind = MessageKind::message;
            into.transactional = (in.take8() & 1) != 0;
            in.take64();
            into.prefix = in.take_text();
            into.content = in.take_bytes(in.take32());
            return in.ok();
        default:
            return false;
    }
}

/// What begins and ends transactions and streams.
bool take_frame(char kind, Taker& in, LogMessage& into) {
    using MessageKind = LogMessage::Kind;
    auto& transaction = into.transaction;
    switch (kind) {
        case 'B':
            into.kind = MessageKind::begin;
            transaction = {};
            transaction.commit_lsn = in.take64();
            transaction.committed = time_of(in.take64());
            transaction.xid = in.take32();
            return in.ok();
        case 'c':
        case 'C':
            into.kind = kind == 'C' ? MessageKind::commit : MessageKind::stream_commit;
            transaction = {};
            if (kind == 'c') transaction.xid = in.take32();
            in.take8();
            transaction.commit_lsn = in.take64();
            transaction.end_lsn = in.take64();
            transaction.committed = time_of(in.take64());
            return in.ok();
        case 'O':
            into.kind = MessageKind::origin;
            in.take64();
            in.take_text();
            return in.ok();
        case 'S':
            into.kind = MessageKind::stream_start;
            transaction = {};
            transaction.xid = in.take32();
            into.first_segment = in.take8() == 1;
            return in.ok();
        case 'E':
            into.kind = MessageKind::stream_stop;
            return true;
        case 'A':  // version 4 may add where and when; the numbers are enough
            into.kind = MessageKind::stream_abort;
            transaction = {};
            transaction.xid = in.take32();
            into.sub_xid = in.take32();
            return in.ok();
        case 'b':
        case 'P':
        case 'K':
        case 'r':
        case 'p':
            into.kind = MessageKind::two_phase;
            return true;
        default:
            return false;
    }
}

}  // namespace

Status decode_pgoutput(std::string_view bytes, bool streamed, LogMessage& into) {
    if (bytes.empty()) return Error(Code::corrupted, "an empty message in the database's log");
    Taker in(bytes);
    const char kind = static_cast<char>(in.take8());
    into.sub_xid = 0;
    if (std::string_view("RYIUDTM").find(kind) != std::string_view::npos) {
        if (streamed) into.sub_xid = in.take32();
        if (!take_change(kind, in, into)) return broken(kind);
        return ok_status();
    }
    if (!take_frame(kind, in, into)) return broken(kind);
    return ok_status();
}

}  // namespace tarn::ingest
