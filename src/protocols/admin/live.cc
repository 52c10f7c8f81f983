#include "protocols/admin/live.h"

#include <atomic>
#include <utility>

#include "base/lane.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/text.h"
#include "dashboards/dashboards.h"
#include "meta/store.h"
#include "query/access.h"
#include "tables/catalog.h"

namespace tarn::admin {
namespace {

using Steady = std::chrono::steady_clock;
using Versions = std::map<std::string, int64_t>;

/// One word for a state of the tables.
std::string state_id(const Versions& versions) {
    std::string text;
    for (const auto& [table, version] : versions)
        text += table + "=" + std::to_string(version) + "\n";
    return codec::hex_encode(codec::sha256(text)).substr(0, 24);
}

std::string changed_event(const Versions& before, const Versions& now) {
    codec::JsonWriter json;
    json.begin_object().key("tables").begin_array();
    for (const auto& [table, version] : now) {
        const auto old = before.find(table);
        if (old == before.end() || old->second != version) json.value(table);
    }
    json.end_array().end_object();
    return "event: changed\nid: " + state_id(now) + "\ndata: " + json.text() + "\n\n";
}

}  // namespace

struct LiveStreams::Stream {
    std::shared_ptr<http::ResponseStream> out;
    security::Principal principal;
    LiveWatch watch;
    Versions known;
    bool behind = false;  // something changed since the last look
    Steady::time_point opened, last_write, last_look;
};

LiveStreams::LiveStreams(dashboards::Dashboards& dashboards, const tables::Catalog& catalog,
                         const query::AccessProvider& access, const meta::Store& store, LiveOptions options)
    : dashboards_(dashboards), catalog_(catalog), access_(access), store_(store), options_(options), thread_([this] { run(); }) {}

Result<Versions> LiveStreams::versions(const LiveWatch& watch, const security::Principal& viewer) const {
    if (!watch.dashboard.empty()) return dashboards_.versions(watch.dashboard, viewer);
    const auto state = catalog_.snapshot();
    std::vector<tables::RelationInfo> found;
    if (watch.tables.size() == 1 && watch.tables[0] == "*") {
        TARN_TRY(databases, state.databases());
        for (const auto& database : databases) {
            TARN_TRY(relations, state.relations(database.name));
            found.insert(found.end(), relations.begin(), relations.end());
        }
    } else {
        for (const auto& name : watch.tables) {
            const size_t dot = name.find('.');
            if (dot == std::string::npos) continue;
            TARN_TRY(relation, state.find_relation(name.substr(0, dot), name.substr(dot + 1)));
            if (relation) found.push_back(std::move(*relation));
        }
    }
    if (found.size() > LiveWatch::kTablesMax) found.resize(LiveWatch::kTablesMax);
    Versions out;
    for (const auto& info : found) {
        if (!viewer.is_root()) {
            TARN_TRY(access, access_.table_access(viewer, info.database, info.name));
            if (access.read.empty()) continue;
        }
        out[info.full_name()] = 0;
        if (info.kind == tables::RelationKind::view) continue;
        const auto table = state.load_table(info);
        if (table.ok() && (*table)->current_snapshot() != nullptr)
            out[info.full_name()] = (*table)->current_snapshot()->snapshot_id;
    }
    return out;
}

LiveStreams::~LiveStreams() {
    stop();
}

void LiveStreams::stop() {
    std::list<std::shared_ptr<Stream>> ended;
    {
        MutexLock lock(mutex_);
        if (std::exchange(stopped_, true)) return;
        ended.swap(streams_);
        wake_.notify_all();
    }
    for (const auto& stream : ended) stream->out->close();
    thread_.join();
}

Status LiveStreams::open(const security::Caller& caller, const LiveWatch& watch,
                         http::Request& request, http::Responder& responder) {
    TARN_TRY(known, versions(watch, caller.principal));
    auto stream = std::make_shared<Stream>();
    stream->principal = caller.principal;
    stream->watch = watch;
    stream->opened = stream->last_write = stream->last_look = Steady::now();
    const std::string& who = caller.principal.arn;
    {
        MutexLock lock(mutex_);
        size_t of_one = opening_.count(who);
        for (const auto& one : streams_) of_one += one->principal.arn == who ? 1 : 0;
        if (stopped_ || streams_.size() + opening_.size() >= options_.streams_max ||
            of_one >= options_.streams_of_one_max)
            return Error(Code::exhausted,
                         "too many pages watch already; this one asks by itself from time to time");
        opening_.insert(who);
    }
    const Status begun = begin(stream, std::move(known), request, responder);
    MutexLock lock(mutex_);
    opening_.erase(opening_.find(who));
    if (!begun.ok() || stream->out->closed()) return begun;
    if (stopped_) {
        stream->out->close();
        return ok_status();
    }
    streams_.push_back(std::move(stream));
    wake_.notify_all();
    return ok_status();
}

/// The head and the first event.
Status LiveStreams::begin(const std::shared_ptr<Stream>& stream, Versions known,
                          http::Request& request, http::Responder& responder) {
    TARN_CHECK_OK(responder.send_head(200,
                                      {{"content-type", "text/event-stream"},
                                       {"cache-control", "no-store"},
                                       {"x-content-type-options", "nosniff"}},
                                      std::nullopt));
    TARN_TRY(out, responder.detach(64 * 1024));
    stream->out = std::move(out);
    const std::string last_seen(request.header("last-event-id"));
    const std::string now = state_id(known);
    std::string first = "retry: 2000\nid: " + now + "\nevent: hello\ndata: {}\n\n";
    if (!last_seen.empty() && last_seen != now) first += changed_event({}, known);
    stream->known = std::move(known);
    stream->behind = true;  // of what changes until the thread sees it
    if (!stream->out->write(std::move(first))) stream->out->close();
    return ok_status();
}

void LiveStreams::run() {
    name_thread("live");
    meta::Version seen = 0;
    for (;;) {
        {
            MutexLock lock(mutex_);
            while (!stopped_ && streams_.empty()) wake_.wait(mutex_);
            const auto until = Steady::now() + options_.look_every;
            while (!stopped_ && Steady::now() < until) wake_.wait_until(mutex_, until);
            if (stopped_) return;
        }
        const meta::Version now = store_.last_version();
        look(std::exchange(seen, now) != now);
    }
}

std::list<std::shared_ptr<LiveStreams::Stream>> LiveStreams::open_streams() {
    MutexLock lock(mutex_);
    const auto now = Steady::now();
    for (auto at = streams_.begin(); at != streams_.end();) {
        if (now - (*at)->opened > options_.life_max) (*at)->out->close();
        at = (*at)->out->closed() ? streams_.erase(at) : std::next(at);
    }
    return streams_;
}

/// Streams belong to this thread once they are in the list; stop() only closes them.
void LiveStreams::look(bool changed) {
    std::map<std::pair<std::string, std::string>, Result<Versions>> asked;
    for (const auto& stream : open_streams()) {
        const auto now = Steady::now();
        // What changes while a stream is held back is found when its time has come.
        stream->behind = stream->behind || changed;
        if (stream->behind && now - stream->last_look >= options_.push_every_min) {
            stream->behind = false;
            stream->last_look = now;
            std::string what = stream->watch.dashboard;
            for (const auto& table : stream->watch.tables) what += "\n" + table;
            const auto key = std::pair(what, stream->principal.arn);
            auto found = asked.find(key);
            if (found == asked.end())
                found =
                    asked.emplace(key, versions(stream->watch, stream->principal)).first;
            if (!found->second.ok()) {
                stream->out->close();
                continue;
            }
            if (*found->second != stream->known) {
                stream->out->write(changed_event(stream->known, *found->second));
                stream->known = *found->second;
                stream->last_write = now;
            }
        }
        if (now - stream->last_write >= options_.heartbeat) {
            stream->out->write(": still here\n\n");
            stream->last_write = now;
        }
    }
}

}  // namespace tarn::admin
