#include "query/queries.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "query/internal/kept_rows.h"

namespace tarn::query {
namespace {

using Steady = std::chrono::steady_clock::time_point;

constexpr size_t kSqlBytesMax = 1u << 20;
constexpr size_t kNoticesMax = 20;
constexpr uint64_t kLookAtDiskEvery = 16u << 20;
constexpr size_t kShownSqlBytes = 4096;
constexpr size_t kBlockBytes = 4u << 20;   // a row may be larger
constexpr uint64_t kPageBytes = 16u << 20;  // of blocks
constexpr std::chrono::milliseconds kMomentMs{50};

bool has_ended(QueryPhase phase) {
    return phase != QueryPhase::waiting && phase != QueryPhase::running;
}

size_t characters(std::string_view utf8) {
    return static_cast<size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Behind the last of the rows from `row` on that one block takes: a page is read by whole blocks.
size_t block_end(const Chunk& chunk, size_t row) {
    size_t bytes = 0;
    for (; row < chunk.rows(); ++row) {
        for (const auto& column : chunk.columns)
            if (Column::store_of(column.type()) == Column::Store::texts && !column.is_null(row))
                bytes += column.text(row).size();
        if (bytes > kBlockBytes) return row + 1;
    }
    return row;
}

Error unknown(const std::string& id) {
    return Error(Code::not_found, "there is no statement '" + id.substr(0, 60) +
                                      "' of yours: results are kept for a quarter of an hour");
}

}  // namespace

/// One statement. What lies below `mutex` changes while it runs; `file` and `blocks` only grow.
struct Queries::Entry {
    struct Block {
        uint64_t first_row, offset, length;
    };

    Entry(io::Disk& d, std::string p) : disk(d), path(std::move(p)) {}
    ~Entry() {
        file.reset();
        if (!opened) return;
        const Status gone = disk.remove(path);
        if (!gone.ok())
            log_warning("query", "a result's scratch file stays", {{"why", gone.error().message}});
    }

    io::Disk& disk;
    const std::string path;
    std::string owner;
    Steady begun;

    Mutex mutex;
    Condition ended;
    QueryState state TARN_GUARDED_BY(mutex);
    std::vector<Block> blocks TARN_GUARDED_BY(mutex);
    std::vector<Type> types TARN_GUARDED_BY(mutex);
    std::shared_ptr<io::File> file TARN_GUARDED_BY(mutex);
    Session* session TARN_GUARDED_BY(mutex) = nullptr;  // while it runs
    bool cancelled TARN_GUARDED_BY(mutex) = false;
    Steady asked TARN_GUARDED_BY(mutex);
    bool opened = false;  // of the thread that runs it
};

Queries::Queries(QueriesOptions options, Engine& engine, io::Disk& disk, const Clock& clock)
    : options_(std::move(options)),
      engine_(engine),
      disk_(disk),
      clock_(clock),
      lane_({"queries", options_.running_max, options_.kept_max}),
      watcher_([this] { watch(); }) {}

Queries::~Queries() {
    stop();
}

Result<std::unique_ptr<Queries>> Queries::open(QueriesOptions options, Engine& engine, io::Disk& disk,
                                               const Clock& clock) {
    TARN_CHECK_OK(disk.make_directories(options.directory));
    TARN_TRY(left, disk.list(options.directory));
    for (const auto& file : left)
        TARN_CHECK_OK(file.is_directory ? disk.remove_tree(options.directory + "/" + file.name)
                                        : disk.remove(options.directory + "/" + file.name));
    return std::unique_ptr<Queries>(new Queries(std::move(options), engine, disk, clock));
}

void Queries::stop() {
    std::vector<EntryPtr> all;
    {
        MutexLock lock(mutex_);
        if (stopped_) return;
        stopped_ = true;
        for (const auto& [id, entry] : entries_) all.push_back(entry);
        changed_.notify_all();
    }
    for (const auto& entry : all) {
        MutexLock lock(entry->mutex);
        entry->cancelled = true;
        if (entry->session != nullptr) entry->session->cancel();
    }
    lane_.stop();
    watcher_.join();
    MutexLock lock(mutex_);
    entries_.clear();
}

void Queries::watch() {
    for (;;) {
        {
            MutexLock lock(mutex_);
            if (!stopped_) changed_.wait_for(mutex_, std::chrono::seconds(5));
            if (stopped_) return;
        }
        sweep();
    }
}

void Queries::sweep() {
    const Steady now = clock_.steady();
    std::vector<EntryPtr> gone;  // their files are removed without the lock
    MutexLock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = *at->second;
        bool expired = false;
        {
            MutexLock inner(entry.mutex);
            const auto silent = now - entry.asked;
            expired = has_ended(entry.state.phase) && silent > options_.kept_for;
            // A cancellation that came before the statement began had nothing to stop: it is said again.
            if (!has_ended(entry.state.phase) && (entry.cancelled || silent > options_.unasked_max)) {
                entry.cancelled = true;
                if (entry.session != nullptr) entry.session->cancel();
            }
        }
        if (expired) gone.push_back(std::move(at->second));
        at = expired ? entries_.erase(at) : std::next(at);
    }
}

Status Queries::make_room(const std::string& owner) {
    size_t running = 0, kept = 0;
    uint64_t bytes = 0;
    std::vector<std::string> ended;  // of the caller, oldest first
    for (const auto& [id, entry] : entries_) {
        MutexLock inner(entry->mutex);
        if (entry->owner != owner) continue;
        ++kept;
        bytes += entry->state.bytes;
        if (has_ended(entry->state.phase))
            ended.push_back(id);
        else
            ++running;
    }
    if (running >= options_.running_of_one_max)
        return Error(Code::exhausted, "you have " + std::to_string(running) +
                                          " statements running: wait for one, or cancel it");
    for (const auto& id : ended) {
        if (kept < options_.kept_of_one_max && bytes < options_.bytes_of_one_max &&
            entries_.size() < options_.kept_max)
            break;
        const auto found = entries_.find(id);
        {
            MutexLock inner(found->second->mutex);
            bytes -= found->second->state.bytes;
        }
        entries_.erase(found);
        --kept;
    }
    if (entries_.size() >= options_.kept_max)
        return Error(Code::exhausted, "too many results are kept: try again in a few minutes");
    return {};
}

Result<std::string> Queries::start(const security::Caller& caller, QueryRequest request) {
    if (request.sql.size() > kSqlBytesMax)
        return Error(Code::invalid_argument, "the statement is longer than 1 MiB");
    EntryPtr entry;
    {
        MutexLock lock(mutex_);
        if (stopped_) return Error(Code::unavailable, "the server is stopping");
        const std::string owner = request.owner.empty() ? caller.principal.arn : request.owner;
        TARN_CHECK_OK(make_room(owner));
        char order[24];
        std::snprintf(order, sizeof order, "%012llx", static_cast<unsigned long long>(++next_));
        const std::string id = order + random_hex(10);
        entry = std::make_shared<Entry>(disk_, options_.directory + "/" + id);
        entry->owner = owner;
        entry->begun = clock_.steady();
        MutexLock inner(entry->mutex);
        entry->asked = entry->begun;
        entry->state.id = id;
        entry->state.sql = request.sql.substr(0, kShownSqlBytes);
        entry->state.started = clock_.now();
        entries_.emplace(id, entry);
    }
    const bool taken = lane_.try_submit(
        [this, entry, caller, request = std::move(request)] { run(*entry, caller, request); });
    MutexLock lock(mutex_);
    std::string id;
    {
        MutexLock inner(entry->mutex);
        id = entry->state.id;
    }
    if (taken) return id;
    entries_.erase(id);
    return Error(Code::exhausted, "too many statements wait: try again in a moment");
}

Result<Queries::EntryPtr> Queries::find(const security::Principal& who, const std::string& id) {
    MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second->owner != who.arn) return unknown(id);
    MutexLock inner(found->second->mutex);
    found->second->asked = clock_.steady();
    return found->second;
}

Result<QueryState> Queries::state(const security::Principal& who, const std::string& id,
                                  std::chrono::milliseconds wait) {
    TARN_TRY(entry, find(who, id));
    if (wait.count() > 0) {
        bool may = false;
        {
            MutexLock lock(mutex_);
            const auto found = waits_.find(entry->owner);
            may = waits_all_ < options_.waits_max &&
                  (found == waits_.end() || found->second < options_.waits_of_one_max);
            if (may) {
                ++waits_[entry->owner];
                ++waits_all_;
            }
        }
        wait_for_end(*entry, may ? wait : std::min(wait, kMomentMs));
        if (may) {
            MutexLock lock(mutex_);
            --waits_all_;
            if (--waits_[entry->owner] == 0) waits_.erase(entry->owner);
        }
    }
    MutexLock lock(entry->mutex);
    QueryState state = entry->state;
    if (!has_ended(state.phase))
        state.milliseconds =
            std::chrono::duration<double, std::milli>(clock_.steady() - entry->begun).count();
    if (entry->session != nullptr) state.progress = entry->session->progress();
    return state;
}

void Queries::wait_for_end(Entry& entry, std::chrono::milliseconds wait) {
    const Steady until = clock_.steady() + wait;
    MutexLock lock(entry.mutex);
    while (!has_ended(entry.state.phase)) {
        const auto left = until - clock_.steady();
        if (left <= left.zero()) break;
        entry.ended.wait_for(entry.mutex, left);
    }
}

std::vector<QueryState> Queries::list(const security::Principal& who) {
    std::vector<QueryState> out;
    MutexLock lock(mutex_);
    for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
        if (at->second->owner != who.arn) continue;
        MutexLock inner(at->second->mutex);
        out.push_back(at->second->state);
    }
    return out;
}

Result<Chunk> Queries::rows(const security::Principal& who, const std::string& id, uint64_t offset,
                            size_t limit) {
    TARN_TRY(entry, find(who, id));
    std::vector<Entry::Block> blocks;
    std::vector<Type> types;
    std::shared_ptr<io::File> file;
    {
        MutexLock lock(entry->mutex);
        types = entry->types;
        file = entry->file;
        auto at = std::upper_bound(
            entry->blocks.begin(), entry->blocks.end(), offset,
            [](uint64_t row, const Entry::Block& block) { return row < block.first_row; });
        if (at != entry->blocks.begin()) --at;
        uint64_t bytes = 0;
        for (; at != entry->blocks.end() && at->first_row < offset + limit && bytes < kPageBytes; ++at) {
            blocks.push_back(*at);
            bytes += at->length;
        }
    }
    Chunk out;
    for (const auto& type : types) out.columns.emplace_back(type);
    for (const auto& block : blocks) {
        TARN_TRY(bytes, file->read(block.offset, block.length));
        TARN_TRY(part, decode_rows(bytes, types));
        for (size_t row = 0; row < part.rows(); ++row) {
            const uint64_t number = block.first_row + row;
            if (number < offset || number >= offset + limit) continue;
            for (size_t i = 0; i < types.size(); ++i) {
                if (part.columns[i].is_null(row))
                    out.columns[i].append_null();
                else
                    out.columns[i].append(part.columns[i].value(row));
            }
        }
    }
    return out;
}

Status Queries::each(const security::Principal& who, const std::string& id, const Take& take) {
    TARN_TRY(entry, find(who, id));
    std::vector<Entry::Block> blocks;
    std::vector<Type> types;
    std::shared_ptr<io::File> file;
    {
        MutexLock lock(entry->mutex);
        if (entry->state.phase != QueryPhase::done)
            return Error(Code::precondition_failed, has_ended(entry->state.phase)
                                                        ? "the statement failed: it has no result"
                                                        : "the statement still runs");
        if (!entry->state.has_rows)
            return Error(Code::precondition_failed, "the statement returns no rows");
        blocks = entry->blocks;
        types = entry->types;
        file = entry->file;
    }
    for (const auto& block : blocks) {
        TARN_TRY(bytes, file->read(block.offset, block.length));
        TARN_TRY(part, decode_rows(bytes, types));
        TARN_CHECK_OK(take(part));
        MutexLock lock(entry->mutex);
        entry->asked = clock_.steady();
    }
    return {};
}

Status Queries::remove(const security::Principal& who, const std::string& id) {
    TARN_TRY(entry, find(who, id));
    {
        MutexLock lock(entry->mutex);
        if (!has_ended(entry->state.phase)) {
            entry->cancelled = true;
            if (entry->session != nullptr) entry->session->cancel();
            return {};
        }
    }
    MutexLock lock(mutex_);
    entries_.erase(id);
    return {};
}

// ---- running one

void Queries::run(Entry& entry, const security::Caller& caller, const QueryRequest& request) {
    Status outcome = ok_status();
    auto session = engine_.connect(caller, request.database);
    if (session.ok()) {
        auto limit = request.timeout.count() > 0 ? std::min(request.timeout, options_.run_max)
                                                 : options_.run_max;
        outcome = (*session)->set_setting("statement_timeout", std::to_string(limit.count()));
        (*session)->track_progress();
        bool cancelled = false;
        {
            MutexLock lock(entry.mutex);
            cancelled = entry.cancelled;
            entry.session = session->get();
            entry.state.phase = QueryPhase::running;
        }
        if (cancelled) outcome = Error(Code::cancelled, "cancelled before it began", "57014");
        if (outcome.ok()) outcome = run_all(entry, **session, request);
        MutexLock lock(entry.mutex);
        entry.session = nullptr;
    } else {
        outcome = session.error();
    }
    MutexLock lock(entry.mutex);
    entry.state.milliseconds =
        std::chrono::duration<double, std::milli>(clock_.steady() - entry.begun).count();
    entry.asked = clock_.steady();
    if (outcome.ok()) {
        entry.state.phase = QueryPhase::done;
    } else {
        const bool stopped = entry.cancelled && outcome.error().code == Code::cancelled;
        entry.state.phase = stopped ? QueryPhase::cancelled : QueryPhase::failed;
        entry.state.error = outcome.error();
    }
    entry.ended.notify_all();
}

Status Queries::run_all(Entry& entry, Session& session, const QueryRequest& request) {
    const auto statements = split_statements(request.sql);
    if (statements.empty()) return Error(Code::invalid_argument, "there is no statement in it", "42601");
    if (statements.size() > 1 && !request.parameters.empty())
        return Error(Code::invalid_argument, "only a single statement takes parameters ($1)");
    {
        MutexLock lock(entry.mutex);
        entry.state.statements = statements.size();
    }
    for (const auto& one : statements) {
        {
            MutexLock lock(entry.mutex);
            ++entry.state.statement;
        }
        Status done = run_one(entry, session, one.sql, request);
        MutexLock lock(entry.mutex);
        for (auto& notice : session.take_notices())
            if (entry.state.notices.size() < kNoticesMax)
                entry.state.notices.push_back(std::move(notice));
        if (!done.ok()) {
            if (session.error_position() > 0)
                entry.state.error_position =
                    session.error_position() +
                    static_cast<uint32_t>(characters(std::string_view(request.sql).substr(0, one.offset)));
            return done;
        }
        if (entry.cancelled) return Error(Code::cancelled, "cancelled between two statements", "57014");
    }
    return {};
}

Status Queries::run_one(Entry& entry, Session& session, std::string_view sql,
                        const QueryRequest& request) {
    TARN_TRY(statement, session.prepare_once(sql));
    if (statement->command() == Command::copy_in || statement->command() == Command::copy_out)
        return Error(Code::invalid_argument, "COPY moves bytes beside the statement: use psql for it");
    if (statement->parameters().size() != request.parameters.size())
        return Error(Code::invalid_argument,
                     "the statement has " + std::to_string(statement->parameters().size()) +
                         " parameters, " + std::to_string(request.parameters.size()) +
                         " values were given",
                     "08P01");
    std::vector<Value> values;
    for (size_t i = 0; i < request.parameters.size(); ++i) {
        if (!request.parameters[i]) {
            values.emplace_back();
            continue;
        }
        auto value = parse_pg_text(statement->parameters()[i], *request.parameters[i]);
        if (!value.ok())
            return Error(Code::invalid_argument,
                         "$" + std::to_string(i + 1) + ": " + value.error().message,
                         value.error().reason);
        values.push_back(std::move(value).value());
    }
    TARN_TRY(cursor, session.execute(*statement, values));
    if (request.began) TARN_CHECK_OK(request.began(session));
    return keep(entry, *cursor);
}

Status Queries::check_room(const Entry& entry, uint64_t more) {
    TARN_TRY(free, disk_.free_bytes(options_.directory));
    if (free < options_.free_bytes_min + more)
        return Error(Code::exhausted, "the disk has no room to keep this result", "53100");
    uint64_t all = 0, of_owner = 0;
    MutexLock lock(mutex_);
    for (const auto& [id, other] : entries_) {
        MutexLock inner(other->mutex);
        all += other->state.bytes;
        if (other->owner == entry.owner) of_owner += other->state.bytes;
    }
    if (all + more > options_.bytes_max || of_owner + more > options_.bytes_of_one_max)
        return Error(Code::exhausted, "the results that are kept take all of their room: close some tabs",
                     "53400");
    return {};
}

/// The rows of one execution into the scratch file, over what an earlier statement left there.
Status Queries::keep(Entry& entry, Cursor& cursor) {
    std::shared_ptr<io::File> file;
    uint64_t offset = 0, rows = 0, looked = 0;
    bool first = true, cut = false;
    for (;;) {
        TARN_TRY(chunk, cursor.next());
        if (first && !cursor.columns().empty()) {
            if (!entry.opened) {
                TARN_TRY(made, disk_.open(entry.path, io::OpenMode::create_new));
                entry.opened = true;
                MutexLock lock(entry.mutex);
                entry.file = std::move(made);
            }
            MutexLock lock(entry.mutex);
            file = entry.file;
            entry.blocks.clear();
            entry.types.clear();
            for (const auto& column : cursor.columns()) entry.types.push_back(column.type);
            entry.state.columns = cursor.columns();
            entry.state.has_rows = true;
            entry.state.rows = entry.state.bytes = 0;
        }
        first = false;
        if (!chunk) break;
        if (file == nullptr || chunk->columns.empty()) continue;
        for (size_t row = 0; row < chunk->rows() && !cut;) {
            const size_t end = block_end(*chunk, row);
            const std::string bytes = encode_rows(*chunk, row, end);
            cut = rows + (end - row) > options_.rows_max || offset + bytes.size() > options_.result_bytes_max;
            if (cut) break;
            if (offset == 0 || offset + bytes.size() - looked > kLookAtDiskEvery) {
                looked = offset;
                TARN_CHECK_OK(check_room(entry, std::max<uint64_t>(kLookAtDiskEvery, bytes.size())));
            }
            TARN_CHECK_OK(file->write(offset, bytes));
            MutexLock lock(entry.mutex);
            entry.blocks.push_back({rows, offset, bytes.size()});
            offset += bytes.size();
            rows += end - row;
            entry.state.rows = rows;
            entry.state.bytes = offset;
            if (entry.cancelled) return Error(Code::cancelled, "canceling statement due to user request", "57014");
            row = end;
        }
        if (cut) break;
    }
    MutexLock lock(entry.mutex);
    entry.state.truncated = cut;
    entry.state.tag = cut ? "SELECT " + std::to_string(rows) : cursor.tag();
    return {};
}

}  // namespace tarn::query
