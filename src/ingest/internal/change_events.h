// What a database's log says, in the order of its commits: the seam between reading the log
// (replication_stream.h) and putting changes into tables (change_apply.h). Texts are as PostgreSQL
// prints them under the session settings of postgres_connection.h (DateStyle ISO, TimeZone UTC,
// bytea_output hex).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tarn::ingest {

/// A place in the write-ahead log ("log sequence number"): bytes since its beginning. 0: none.
using Lsn = uint64_t;
std::string to_text(Lsn lsn);  // "16/B374D848"
Result<Lsn> lsn_of(std::string_view text);

struct RelationColumn {
    std::string name;
    uint32_t type = 0;  // OID
    int32_t modifier = -1;
    bool identity = false;  // part of the replica identity

    bool operator==(const RelationColumn&) const = default;
};
/// A table as the log describes it: sent before its first row and again after each change of it.
struct Relation {
    enum class Identity : char { standard = 'd', nothing = 'n', full = 'f', index = 'i' };
    uint32_t oid = 0;
    std::string schema, name;
    Identity identity = Identity::standard;
    std::vector<RelationColumn> columns;
    uint64_t serial = 0;  // another one for each time that the log described a table

    std::string full_name() const { return schema + "." + name; }
    bool operator==(const Relation&) const = default;
};

/// One value of a row. `unchanged`: a large value that the statement left alone and the log does
/// not repeat; it is what it was, never NULL.
struct Cell {
    enum class Kind : uint8_t { null, unchanged, text };
    Kind kind = Kind::null;
    std::string_view text;  // valid until the call that got it returns
};
using Cells = std::vector<Cell>;  // in the order of Relation::columns

/// The row before an update or a deletion, as far as the log has it.
enum class Before : uint8_t {
    none,  // an update that left the key alone
    key,   // the columns of the replica identity; the others are null here
    row,   // all of it (replica identity full)
};

struct TransactionInfo {
    uint32_t xid = 0;
    Lsn commit_lsn = 0;  // order of transactions
    Lsn end_lsn = 0;     // where the log goes on after it; 0 until the commit
    Timestamp committed;
};

/// Gets whole committed transactions, in the order of their commits; rolled-back work never comes.
/// A call that returns an error ends the reading with it. One thread.
class ChangeReceiver {
 public:
    virtual ~ChangeReceiver() = default;
    /// `transaction.end_lsn` is known at `commit` only, unless the transaction was streamed.
    virtual Status begin(const TransactionInfo& transaction) = 0;
    virtual Status insert(const Relation& relation, const Cells& after) = 0;
    virtual Status update(const Relation& relation, Before kind, const Cells& before,
                          const Cells& after) = 0;
    virtual Status remove(const Relation& relation, Before kind, const Cells& before) = 0;
    virtual Status truncate(const std::vector<const Relation*>& relations) = 0;
    /// pg_logical_emit_message; also outside of transactions.
    virtual Status message(std::string_view prefix, std::string_view content) = 0;
    /// All of the transaction was told; a good place to commit here.
    virtual Status commit(const TransactionInfo& transaction) = 0;
    /// Asked after each commit: enough is pending, the reading is to end for now.
    virtual bool full() const { return false; }
};

}  // namespace tarn::ingest
