#include "app/crash_lake.h"

#include <algorithm>
#include <set>

#include "codec/hash.h"
#include "codec/text.h"
#include "ingest/test_file_loads.h"
#include "meta/verify.h"
#include "objects/verify.h"
#include "query/test_rows.h"
#include "tables/compaction.h"
#include "tables/maintenance.h"
#include "tables/verify.h"

namespace tarn::app {
namespace {

using io::Seen;

constexpr const char* kBucket = "bucket";

/// Names content in a few letters.
std::string name_of(std::string_view bytes) {
    return std::to_string(bytes.size()) + ":" +
           codec::hex_encode(codec::sha256(bytes)).substr(0, 16);
}

class Workload : public io::CrashWorkload {
 public:
    Workload(const char* name, CrashParts& parts) : parts_(parts), name_(name) {}
    std::string name() const override { return name_; }

 protected:
    security::Caller caller() const { return parts_.caller(std::string("test:") + name_); }
    Status run(const std::string& sql) {
        TARN_CHECK_OK(parts_.run(sql));
        return ok_status();
    }

    CrashParts& parts_;

 private:
    const char* const name_;
};

/// What a bucket holds under a prefix: key -> name_of(bytes), each byte read.
Result<Seen> objects_of(objects::ObjectStore& objects, const std::string& prefix) {
    Seen seen;
    objects::ListOptions options;
    options.prefix = prefix;
    TARN_TRY(page, objects.list(kBucket, options));
    for (const auto& listed : page.objects) {
        TARN_TRY(reader, objects.open(kBucket, listed.key));
        TARN_TRY(bytes, reader->read(0, listed.size + 1));
        seen[listed.key] = name_of(bytes);
    }
    return seen;
}

class Objects final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        const auto key = "o/" + std::to_string(random.below(8));
        const auto other = "o/" + std::to_string(random.below(8));
        auto& objects = *parts_.objects;
        switch (random.below(8)) {
            case 0:
                seen.erase(key);
                return objects.remove(caller(), kBucket, key);
            case 1: {
                seen.erase(key);
                seen.erase(other);
                TARN_CHECK_OK(objects.remove_many(caller(), kBucket, {key, other}));
                return ok_status();
            }
            case 2: {
                if (key == other || seen.count(other) == 0) break;
                seen[key] = seen[other];
                TARN_CHECK_OK(objects.copy(caller(), kBucket, other, kBucket, key));
                return ok_status();
            }
            case 3: {  // staged into a batch that holds something else, too
                const auto bytes = some(random);
                seen[key] = name_of(bytes);
                meta::Batch batch;
                TARN_TRY(staged, objects.stage_put(batch, kBucket, key, bytes));
                TARN_CHECK_OK(parts_.store->commit(std::move(batch)));
                staged->committed();
                return ok_status();
            }
            case 4: {  // given up in the middle
                TARN_TRY(upload, objects.begin_put(caller(), kBucket, key, {}));
                TARN_CHECK_OK(upload->write(some(random)));
                break;
            }
            default:
                break;
        }
        const auto bytes = some(random);
        seen[key] = name_of(bytes);
        TARN_CHECK_OK(objects.put(caller(), kBucket, key, bytes));
        return ok_status();
    }
    Result<Seen> look() override { return objects_of(*parts_.objects, "o/"); }

 private:
    static std::string some(Random& random) {
        const size_t sizes[] = {0, 500, 4'000, 20'000, 90'000, 300'000};
        return random.bytes(sizes[random.below(6)]);
    }
};

class Multipart final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        const auto key = "m/" + std::to_string(random.below(3));
        const auto under_way = "upload of " + key;
        auto& objects = *parts_.objects;
        if (seen.count(under_way) == 0) {
            seen[under_way] = "";
            TARN_CHECK_OK(objects.create_multipart(caller(), kBucket, key));
            return ok_status();
        }
        TARN_TRY(id, upload_of(key));
        TARN_TRY(parts, objects.list_parts(kBucket, key, id));
        if (parts.parts.size() < 2 || random.one_in(3)) {
            const auto number = static_cast<uint32_t>(1 + random.below(4));
            const auto bytes = random.bytes(1000 + random.below(100'000));
            std::map<uint32_t, std::string> wanted;
            for (const auto& part : parts.parts) wanted[part.number] = part.etag;
            wanted[number] = codec::hex_encode(codec::md5(bytes));
            seen[under_way] = text_of(wanted);
            TARN_TRY(part, objects.begin_part(caller(), kBucket, key, id, number));
            TARN_CHECK_OK(part->write(bytes));
            TARN_CHECK_OK(part->finish());
            return ok_status();
        }
        seen.erase(under_way);
        if (random.one_in(4)) return objects.abort(caller(), kBucket, key, id);
        std::vector<objects::CompletedPart> chosen;
        std::string sizes;
        for (const auto& part : parts.parts) {
            chosen.push_back({part.number, part.etag, std::nullopt});
            sizes += std::to_string(part.number) + "=" + part.etag + " ";
        }
        seen[key] = sizes;
        TARN_CHECK_OK(objects.complete(caller(), kBucket, key, id, chosen));
        return ok_status();
    }

    Result<Seen> look() override {
        Seen seen;
        objects::ListOptions options;
        options.prefix = "m/";
        TARN_TRY(page, parts_.objects->list(kBucket, options));
        for (const auto& listed : page.objects) {
            TARN_TRY(reader, parts_.objects->open(kBucket, listed.key));
            uint64_t at = 0;
            auto& text = seen[listed.key];
            for (const auto& part : reader->info().parts) {
                TARN_TRY(bytes, reader->read(at, part.size));
                at += part.size;
                text +=
                    std::to_string(part.number) + "=" + codec::hex_encode(codec::md5(bytes)) + " ";
            }
        }
        TARN_TRY(uploads, parts_.objects->list_uploads(kBucket, {}));
        for (const auto& upload : uploads.uploads) {
            TARN_TRY(parts, parts_.objects->list_parts(kBucket, upload.key, upload.upload_id));
            std::map<uint32_t, std::string> found;
            for (const auto& part : parts.parts) found[part.number] = part.etag;
            seen["upload of " + upload.key] += text_of(found);
        }
        return seen;
    }

 private:
    Result<std::string> upload_of(const std::string& key) const {
        TARN_TRY(uploads, parts_.objects->list_uploads(kBucket, {}));
        for (const auto& upload : uploads.uploads)
            if (upload.key == key) return upload.upload_id;
        return Error(Code::internal, "the upload is not listed");
    }
    static std::string text_of(const std::map<uint32_t, std::string>& parts) {
        std::string out;
        for (const auto& [number, etag] : parts) out += std::to_string(number) + "=" + etag + " ";
        return out;
    }
};

class Streams final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        const std::string stream = random.one_in(2) ? "s0" : "s1";
        auto& text = seen[stream];
        const size_t colon = text.find(':');
        const auto end = text.empty() ? 0 : std::stoull(text.substr(0, colon));
        std::string records = text.empty() ? "" : text.substr(colon + 1);
        if (end > 0 && random.one_in(6)) {
            // What was appended last, under one key, stays: it tells where the stream ends.
            const auto last = records.substr(records.rfind(' ', records.size() - 2) + 1);
            const auto key = last.substr(0, last.find('.') + 1);
            text = std::to_string(end) + ":" + records.substr(records.find(key));
            meta::Batch batch;
            TARN_CHECK_OK(parts_.streams->stage_trim(batch, stream, end));
            parts_.audit->attach(batch, caller());
            TARN_CHECK_OK(parts_.store->commit(std::move(batch)));
            return ok_status();
        }
        std::vector<streams::NewRecord> more;
        for (auto left = 1 + random.below(5); left > 0; --left) {
            more.push_back(
                {"k" + std::to_string(end), random.bytes(random.one_in(9) ? 30'000 : 20)});
            records += more.back().key + "." + name_of(more.back().payload) + " ";
        }
        text = std::to_string(end + more.size()) + ":" + records;
        TARN_CHECK_OK(parts_.streams->append(stream, std::move(more)));
        return ok_status();
    }

    Result<Seen> look() override {
        Seen seen;
        for (const auto& stream : parts_.streams->list()) {
            TARN_TRY(end, parts_.streams->end(stream));
            TARN_TRY(begin, parts_.streams->begin(stream));
            auto& text = seen[stream] = std::to_string(end) + ":";
            for (uint64_t at = begin; at < end;) {
                TARN_TRY(page, parts_.streams->read(stream, at, 1 << 20));
                if (page.records.empty()) return Error(Code::internal, "a hole in " + stream);
                for (const auto& record : page.records) {
                    if (record.offset != at) return Error(Code::internal, "a gap in " + stream);
                    text += record.key + "." + name_of(record.payload) + " ";
                    ++at;
                }
            }
        }
        return seen;
    }
};

/// What a source does: rows and its position in one batch.
class Commits final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        if (seen.empty()) {
            seen = {{"rows", ""}, {"position", ""}};
            return run("create table counted (n bigint)");
        }
        TARN_TRY(writer, parts_.engine->write_rows("main", "counted"));
        const tables::SourcePosition of{"crash", "0", writer->table()->info.uuid};
        const auto before = seen["position"];
        uint64_t next = before.empty() ? 0 : std::stoull(before);
        query::Chunk rows;
        rows.columns.emplace_back(writer->columns().at(0).type);
        for (auto left = 1 + random.below(20); left > 0; --left) {
            rows.columns[0].append_number(static_cast<int64_t>(next));
            auto& text = seen["rows"];
            text += (text.empty() ? "" : ";") + std::to_string(next++);
        }
        seen["position"] = std::to_string(next);
        TARN_CHECK_OK(writer->append(rows));
        TARN_TRY(files, writer->finish());
        meta::Batch extra;
        tables::stage_position(extra, of,
                               before.empty() ? std::nullopt : std::optional<std::string>(before),
                               seen["position"]);
        TARN_CHECK_OK(parts_.committer->commit(
            caller(), {tables::TableChange::append_to(writer->table(), std::move(files))},
            std::move(extra)));
        return ok_status();
    }

    Result<Seen> look() override {
        TARN_TRY(rows, parts_.ask("select n from counted order by n"));
        if (rows == "absent") return Seen{};
        const auto state = parts_.catalog->snapshot();
        TARN_TRY(table, state.load_table("main", "counted"));
        TARN_TRY(position, tables::load_position(state.state(), {"crash", "0", table->info.uuid}));
        return Seen{{"rows", rows}, {"position", position.value_or("")}};
    }
};

class Sql final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        if (seen.count("a") == 0) {
            seen["a"] = "";
            return run("create table a (id integer, v varchar)");
        }
        if (seen.count("b") == 0) {
            seen["b"] = "";
            return run("create table b (id integer)");
        }
        std::map<int, std::string> rows = parsed(seen["a"]);
        const int id = static_cast<int>(random.below(40));
        const auto value = codec::hex_encode(random.bytes(1 + random.below(30)));
        std::string sql;
        switch (random.below(6)) {
            case 0:
                rows[id] = value;
                sql = "begin; delete from a where id = " + std::to_string(id) +
                      "; insert into a values (" + std::to_string(id) + ", '" + value +
                      "'); insert into b values (" + std::to_string(id) + "); commit";
                seen["b"] = with(seen["b"], id);
                break;
            case 1:
                if (rows.count(id) == 0) return again(rows, id, value, seen);
                for (auto& [each, v] : rows)
                    if (each % 3 == id % 3) v = value;
                sql = "update a set v = '" + value + "' where id % 3 = " + std::to_string(id % 3);
                break;
            case 2:
                if (rows.empty() || rows.begin()->first >= id / 4)
                    return again(rows, id, value, seen);
                std::erase_if(rows, [&](const auto& row) { return row.first < id / 4; });
                sql = "delete from a where id < " + std::to_string(id / 4);
                break;
            case 3:
                if (seen.count("c") != 0) {
                    seen.erase("c");
                    return run("drop table c");
                }
                seen["c"] = seen["a"];
                return run("create table c as select id, v from a");
            default:
                return again(rows, id, value, seen);
        }
        seen["a"] = printed(rows);
        for (const auto& statement : query::split_statements(sql))
            if (const Status done = run(std::string(statement.sql)); !done.ok()) {
                static_cast<void>(run("rollback"));
                return done;
            }
        return ok_status();
    }

    Result<Seen> look() override {
        Seen seen;
        for (const std::string table : {"a", "b", "c"}) {
            TARN_TRY(rows, parts_.ask("select * from " + table + " order by id"));
            if (rows != "absent") seen[table] = rows;
        }
        return seen;
    }

 private:
    Status again(std::map<int, std::string> rows, int id, const std::string& value, Seen& seen) {
        const bool there = rows.count(id) != 0;
        rows[id] = value;
        seen["a"] = printed(rows);
        const auto number = std::to_string(id);
        return run(there ? "update a set v = '" + value + "' where id = " + number
                         : "insert into a values (" + number + ", '" + value + "')");
    }
    /// Numbers in order, one more.
    static std::string with(const std::string& text, int id) {
        std::multiset<int> ids = {id};
        for (size_t at = 0; at < text.size();
             at = std::min(text.find(';', at), text.size() - 1) + 1)
            ids.insert(std::stoi(text.substr(at)));
        std::string out;
        for (const int each : ids) out += (out.empty() ? "" : ";") + std::to_string(each);
        return out;
    }
    static std::map<int, std::string> parsed(const std::string& text) {
        std::map<int, std::string> rows;
        for (size_t at = 0; at < text.size();) {
            const size_t end = std::min(text.find(';', at), text.size());
            const size_t comma = text.find(',', at);
            rows[std::stoi(text.substr(at, comma - at))] = text.substr(comma + 1, end - comma - 1);
            at = end + 1;
        }
        return rows;
    }
    static std::string printed(const std::map<int, std::string>& rows) {
        std::string out;
        for (const auto& [id, value] : rows)
            out += (out.empty() ? "" : ";") + std::to_string(id) + "," + value;
        return out;
    }
};

/// A file is dropped and taken, sometimes a second time.
class Files final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        const auto files = seen.empty() ? 0 : std::stoi(seen["files"]);
        const bool again = files > 0 && random.one_in(4);
        const int number =
            again ? static_cast<int>(random.below(static_cast<uint64_t>(files))) : files;
        std::string bytes = "n,i\n";
        for (int i = 0; i <= number % 7 * 30; ++i)
            bytes += std::to_string(number) + "," + std::to_string(i) + "\n";
        if (!again) {
            seen["files"] = std::to_string(files + 1);
            const auto rows = (seen.count("rows") == 0 ? 0 : std::stoi(seen["rows"]));
            seen["rows"] = std::to_string(rows + number % 7 * 30 + 1);
        }
        const auto name =
            "f" + std::to_string(number) + (again ? "_" + random_hex(4) : "") + ".csv";
        return ingest::drop_and_load(sources(), "dropped", parts_.folder / "drop", name, bytes);
    }

    Result<Seen> look() override {
        TARN_TRY(found,
                 parts_.ask("select count(distinct n), count(*), count(distinct n * 1000 + i) "
                            "from dropped"));
        if (found == "absent") return Seen{};
        const size_t comma = found.find(',');
        const size_t second = found.find(',', comma + 1);
        const auto rows = found.substr(comma + 1, second - comma - 1);
        if (rows != found.substr(second + 1)) return Error(Code::internal, "rows are there twice");
        return Seen{{"files", found.substr(0, comma)}, {"rows", rows}};
    }

 private:
    ingest::SourcesParts sources() const {
        const auto caller = this->caller();
        return {*parts_.store,   *parts_.objects,   *parts_.streams,
                *parts_.catalog, *parts_.committer, *parts_.engine,
                parts_.clock,    parts_.metrics,    [caller] { return caller; }};
    }
};

/// Rows into `taken`; the graph keeps `totals`.
class Computed final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        if (seen.empty()) {
            seen = {{"taken", "0"}, {"totals", ""}};
            return run("create table taken (shop integer, units integer)");
        }
        const auto shop = random.below(4);
        const auto units = random.below(100);
        seen["taken"] = std::to_string(std::stoi(seen["taken"]) + 1);
        std::map<int, std::pair<int, int>> totals;
        const auto& text = seen["totals"];
        for (size_t at = 0; at < text.size();) {
            int id = 0, n = 0, sum = 0;
            if (std::sscanf(text.c_str() + at, "%d,%d,%d", &id, &n, &sum) == 3)
                totals[id] = {n, sum};
            at = std::min(text.find(';', at), text.size() - 1) + 1;
        }
        auto& [n, sum] = totals[static_cast<int>(shop)];
        ++n;
        sum += static_cast<int>(units);
        std::string printed;
        for (const auto& [id, total] : totals)
            printed += (printed.empty() ? "" : ";") + std::to_string(id) + "," +
                       std::to_string(total.first) + "," + std::to_string(total.second);
        seen["totals"] = printed;
        TARN_CHECK_OK(run("insert into taken values (" + std::to_string(shop) + ", " +
                          std::to_string(units) + ")"));
        parts_.settle();
        return ok_status();
    }

    Result<Seen> look() override {
        parts_.clock.advance(std::chrono::minutes(10));
        parts_.settle();
        TARN_TRY(taken, parts_.ask("select count(*) from taken"));
        if (taken == "absent") return Seen{};
        TARN_TRY(totals, parts_.ask("select shop, n, units from totals order by shop"));
        return Seen{{"taken", taken}, {"totals", totals == "absent" ? "" : totals}};
    }
};

/// A rule over `risk`: what is open, what happened, what waits to be told.
class Alerts final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        if (seen.empty()) {
            seen = {{"open", ""}, {"history", ""}, {"told", ""}};
            return run("create table risk (id integer, p integer)");
        }
        const auto id = std::to_string(random.below(4));
        const auto key = "{\"id\":" + id + "} ";
        auto& open = seen["open"];
        const bool opens = open.find(key) == std::string::npos;
        if (opens) {
            std::set<std::string> keys = {key};
            for (size_t at = 0; at < open.size(); at += key.size())
                keys.insert(open.substr(at, key.size()));
            open.clear();
            for (const auto& each : keys) open += each;
        } else {
            open.erase(open.find(key), key.size());
        }
        const std::string event = (opens ? "opened " : "recovered ") + key;
        seen["history"] += event;
        seen["told"] += event;
        TARN_CHECK_OK(run(opens ? "insert into risk values (" + id + ", 9)"
                                : "delete from risk where id = " + id));
        // Two changes in one evaluation would be told in another order, or not at all.
        for (int attempt = 0; attempt < 3; ++attempt) {
            parts_.settle();
            if (open_now() == open) return ok_status();
            parts_.clock.advance(std::chrono::minutes(10));
        }
        return Error(Code::unavailable, "the rule was not evaluated");
    }

    Result<Seen> look() override {
        parts_.clock.advance(std::chrono::minutes(10));
        parts_.settle();
        TARN_TRY(rows, parts_.ask("select count(*) from risk"));
        if (rows == "absent") return Seen{};
        Seen seen = {{"open", ""}, {"history", ""}, {"told", ""}};
        seen["open"] = open_now();
        TARN_TRY(history, parts_.alerts->history("high", 1000));
        for (const auto& event : history)
            seen["history"] = std::string(events::to_string(event.kind)) + " " + event.key + " " +
                              seen["history"];
        TARN_TRY(deliveries, parts_.alerts->deliveries("high", 1000));
        std::set<std::string> ids;
        for (const auto& delivery : deliveries) {
            if (!ids.insert(delivery.id).second) return Error(Code::internal, "told twice");
            seen["told"] = delivery.type.substr(delivery.type.find('.') + 1) + " " + delivery.key +
                           " " + seen["told"];
        }
        return seen;
    }

 private:
    std::string open_now() const {
        std::set<std::string> keys;
        for (const auto& alert : parts_.alerts->open("high")) keys.insert(alert.key + " ");
        std::string out;
        for (const auto& key : keys) out += key;
        return out;
    }
};

/// Users and keys, each change with its audit record in the same batch.
class Accounts final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        const auto name = "user" + std::to_string(random.below(3));
        seen["recorded"] =
            std::to_string((seen.count("recorded") == 0 ? 0 : std::stoi(seen["recorded"])) + 1);
        meta::Batch record;
        parts_.audit->attach(record, caller());
        auto& users = *parts_.users;
        if (seen.count(name) == 0) {
            seen[name] = "roles:";
            security::NewUser user;
            user.name = name;
            TARN_CHECK_OK(users.create_user(user, std::move(record)));
            return ok_status();
        }
        TARN_TRY(user, users.get_user(name));
        switch (random.below(6)) {
            case 0:
                seen.erase(name);
                return users.delete_user(name, std::move(record));
            case 1: {
                const auto role = "role" + std::to_string(random.below(5));
                user.roles = {role};
                seen[name] = text_of(user);
                return users.set_user_roles(name, {role}, std::move(record));
            }
            case 2:
            case 3: {
                if (user.keys.empty()) break;
                auto& key = user.keys[random.below(user.keys.size())];
                const auto id = key.id;
                if (random.one_in(2)) {
                    key.active = !key.active;
                    seen[name] = text_of(user);
                    return users.set_key_active(id, key.active, std::move(record));
                }
                std::erase_if(user.keys, [&](const auto& each) { return each.id == id; });
                seen[name] = text_of(user);
                return users.delete_key(id, std::move(record));
            }
            default:
                break;
        }
        if (user.keys.size() >= 4) {
            seen[name] = text_of(user);
            return users.set_user_attributes(name, user.attributes, std::move(record));
        }
        user.keys.emplace_back();
        seen[name] = text_of(user);
        TARN_CHECK_OK(users.create_key(name, std::move(record)));
        return ok_status();
    }

    Result<Seen> look() override {
        Seen seen;
        for (const auto& user : parts_.users->list_users()) {
            if (user.name == "root") continue;
            seen[user.name] = text_of(user);
            for (const auto& key : user.keys)
                if (key.active && parts_.users->find_key(key.id) == nullptr)
                    return Error(Code::internal, "a key of " + user.name + " cannot be used");
        }
        security::AuditQuery query;
        query.action = "test:accounts";
        query.records_max = 1000;
        TARN_TRY(page, parts_.audit->read(query));
        if (!page.records.empty()) seen["recorded"] = std::to_string(page.records.size());
        return seen;
    }

 private:
    static std::string text_of(const security::UserInfo& user) {
        std::string out = "roles:";
        for (const auto& role : user.roles) out += role + " ";
        size_t active = 0;
        for (const auto& key : user.keys) active += key.active;
        if (!user.keys.empty())
            out +=
                " keys " + std::to_string(user.keys.size()) + ", active " + std::to_string(active);
        return out;
    }
};

/// Reads are recorded by the trail itself, later, and are acknowledged by flush().
class Audit final : public Workload {
 public:
    using Workload::Workload;

    Status step(Random& random, Seen& seen) override {
        auto& text = seen["records"];
        const auto before = static_cast<int>(std::count(text.begin(), text.end(), ' '));
        const int more = 1 + static_cast<int>(random.below(4));
        for (int i = 0; i < more; ++i) text += "r" + std::to_string(before + i) + " ";
        for (int i = 0; i < more; ++i) {
            auto who = caller();
            who.resource = "r" + std::to_string(before + i);
            TARN_CHECK_OK(parts_.audit->record(who, {}));
        }
        return parts_.audit->flush();
    }
    Result<Seen> look() override {
        security::AuditQuery query;
        query.action = "test:audit";
        query.records_max = 1000;
        TARN_TRY(page, parts_.audit->read(query));
        Seen seen;
        std::string text;
        for (const auto& record : page.records) text = record.resource + " " + text;
        if (!text.empty()) seen["records"] = text;
        return seen;
    }
};

}  // namespace

security::Caller CrashParts::caller(const std::string& action) const {
    security::Caller caller;
    caller.principal.kind = security::Principal::Kind::system;
    caller.principal.name = "tarn";
    caller.principal.arn = "arn:aws:iam::000000000000:system/tarn";
    caller.request_id = "0000000000000000";
    caller.door = "internal";
    caller.action = action;
    caller.at = clock.now();
    return caller;
}

Result<uint64_t> CrashParts::run(const std::string& sql) {
    if (!session) {
        TARN_TRY(connected, engine->connect(caller("test:sql")));
        session = std::move(connected);
    }
    return session->run(sql);
}

Result<std::string> CrashParts::ask(const std::string& sql) {
    if (!session) {
        TARN_TRY(connected, engine->connect(caller("test:sql")));
        session = std::move(connected);
    }
    const auto rows = session->query(sql);
    if (!rows.ok() && rows.error().reason == "42P01") return std::string("absent");
    if (!rows.ok()) return rows.error();
    return query::text_of(*rows);
}

Result<std::unique_ptr<io::CrashSubject>> CrashLake::open(io::FaultyDisk& disk,
                                                          const std::filesystem::path& folder) {
    std::unique_ptr<CrashLake> lake(new CrashLake);
    lake->parts_.folder = folder;
    TARN_CHECK_OK(lake->open_parts(disk));
    TARN_CHECK_OK(lake->open_pipeline());
    auto& kinds = lake->workloads_;
    kinds.push_back(std::make_unique<Objects>(kKinds[0], lake->parts_));
    kinds.push_back(std::make_unique<Multipart>(kKinds[1], lake->parts_));
    kinds.push_back(std::make_unique<Streams>(kKinds[2], lake->parts_));
    kinds.push_back(std::make_unique<Commits>(kKinds[3], lake->parts_));
    kinds.push_back(std::make_unique<Sql>(kKinds[4], lake->parts_));
    kinds.push_back(std::make_unique<Files>(kKinds[5], lake->parts_));
    kinds.push_back(std::make_unique<Computed>(kKinds[6], lake->parts_));
    kinds.push_back(std::make_unique<Alerts>(kKinds[7], lake->parts_));
    kinds.push_back(std::make_unique<Accounts>(kKinds[8], lake->parts_));
    kinds.push_back(std::make_unique<Audit>(kKinds[9], lake->parts_));
    return std::unique_ptr<io::CrashSubject>(std::move(lake));
}

Status CrashLake::open_parts(io::FaultyDisk& disk) {
    auto& p = parts_;
    TARN_CHECK_OK(disk.make_directories("/lake"));
    meta::LocalStoreOptions store;
    store.directory = "/lake/state";
    store.segment_bytes = 256 << 10;
    store.flush_log_bytes = 150 << 10;
    store.free_bytes_min = 1 << 20;
    store.relocate_below_live = 0.6;
    store.block_cache_bytes = 1 << 20;
    TARN_TRY(existed, disk.exists(store.directory));
    TARN_TRY(keyring, security::Keyring::open(disk, "/lake", existed));
    p.keyring = std::move(keyring);
    TARN_TRY(opened_store, meta::LocalStore::open(disk, p.clock, p.metrics, store));
    p.store = std::move(opened_store);
    p.clock.advance(std::chrono::seconds(p.store->last_version()));  // never back
    TARN_TRY(users, security::Users::open(*p.store, *p.keyring, p.clock));
    p.users = std::move(users);
    TARN_CHECK_OK(p.users->ensure_root());
    p.audit = std::make_unique<security::AuditTrail>(*p.store, p.clock, p.metrics,
                                                     security::AuditOptions{});
    p.streams = std::make_unique<streams::Streams>(*p.store, p.clock, p.metrics);
    p.disk = &disk;
    p.extents.directory = "/lake/extents";
    p.extents.lake_id = p.store->lake_id();
    p.extents.file_bytes = 1 << 20;
    p.extents.preallocate_bytes = 128 << 10;
    p.extents.free_bytes_min = 1 << 20;
    TARN_TRY(opened_bytes, objects::open_local_bytes(disk, *p.store, p.metrics, p.extents));
    p.bytes = std::move(opened_bytes);
    objects::ObjectStoreOptions options;
    options.inline_bytes_max = 2 << 10;
    options.part_bytes_min = 1000;
    options.audit = p.audit.get();
    TARN_TRY(objects, objects::ObjectStore::open(*p.store, *p.bytes, p.clock, p.metrics, options));
    p.objects = std::move(objects);
    if (!p.objects->head_bucket(kBucket).ok())
        TARN_CHECK_OK(p.objects->create_bucket(p.caller("test:setup"), kBucket));
    return ok_status();
}

Status CrashLake::open_pipeline() {
    auto& p = parts_;
    const auto system = p.caller("test:system");
    p.files = std::make_unique<tables::ObjectFiles>(*p.objects, system);
    p.catalog = std::make_unique<tables::Catalog>(*p.store, *p.files, p.clock);
    p.committer = std::make_unique<tables::Committer>(*p.catalog, p.metrics);
    tables::CreateDatabase main;
    main.name = "main";
    main.if_absent = true;
    TARN_CHECK_OK(p.catalog->create_database(system, main));
    query::EngineOptions engine;
    engine.threads = 1;
    engine.temp_directory = p.folder / "spill";
    TARN_TRY(opened, query::Engine::open(engine, {*p.objects, *p.catalog, *p.committer, p.access,
                                                  p.clock, p.metrics}));
    p.engine = std::move(opened);
    events::AlertsOptions alerts;
    alerts.delivery.threads = 0;  // what is to be told waits
    p.alerts = std::make_unique<events::Alerts>(
        events::AlertsParts{*p.store, *p.engine, *p.catalog, p.clock, p.metrics, *p.keyring,
                            p.audit.get(), [system] { return system; }},
        alerts);
    events::AlertSpec rule;
    rule.name = "high";
    rule.when = "select id, p from risk where p > 5";
    rule.one_per = {"id"};
    rule.to = {
        {"http://127.0.0.1:1/", "whsec_" + codec::base64_encode(std::string(24, 's')), true}};
    TARN_CHECK_OK(p.alerts->configure({rule}));
    flows::GraphOptions graph;
    graph.start_threads = false;
    p.graph = std::make_unique<flows::Graph>(
        flows::Parts{*p.store, *p.catalog, *p.committer, *p.engine, p.clock, p.metrics, system},
        graph);
    flows::TableSpec totals;
    totals.name = {"main", "totals"};
    totals.sql = "select shop, count(*) as n, sum(units) as units from taken group by shop";
    auto steps = p.alerts->steps();
    TARN_TRY(step, flows::make_table_step(totals, {*p.catalog, *p.engine, system, "UTC"}));
    steps.push_back(std::move(step));
    return p.graph->configure(std::move(steps));
}

std::vector<io::CrashWorkload*> CrashLake::workloads() {
    std::vector<io::CrashWorkload*> out;
    for (const auto& each : workloads_) out.push_back(each.get());
    return out;
}

void CrashLake::maintain(Random& random) {
    auto& p = parts_;
    p.clock.advance(std::chrono::minutes(20));
    const auto caller = p.caller("test:maintain");
    switch (random.below(4)) {
        case 0:
            static_cast<void>(p.store->reclaim().ok());
            return;
        case 1:
            static_cast<void>(p.objects->reclaim().ok());
            return;
        case 2:
            static_cast<void>(p.catalog->purge().ok());
            return;
        default:
            break;
    }
    const auto state = p.catalog->snapshot();
    const auto relations = state.relations("main");
    if (!relations.ok() || relations->empty()) return;
    const auto table = state.load_table((*relations)[random.below(relations->size())]);
    if (!table.ok()) return;
    tables::CompactionOptions compaction;
    compaction.files_min = 2;
    static_cast<void>(tables::compact(
                          *p.catalog, *p.committer, caller, *table,
                          [&](const auto& group) { return p.engine->rewrite(group); }, compaction)
                          .ok());
    const auto now = p.catalog->snapshot().load_table((*table)->info);
    if (!now.ok()) return;
    tables::ExpireOptions expire;
    expire.older_than = caller.at;
    static_cast<void>(
        tables::expire_snapshots(*p.catalog, *p.committer, caller, *now, expire).ok());
}

Status CrashLake::check() {
    TARN_TRY(bucket, parts_.objects->head_bucket(kBucket));
    TARN_TRY(page, parts_.objects->list(kBucket, {}));
    uint64_t bytes = 0;
    for (const auto& object : page.objects) bytes += object.size;
    if (bucket.objects != page.objects.size() || bucket.bytes != bytes)
        return Error(Code::internal, "the bucket counts " + std::to_string(bucket.objects) +
                                         " objects and holds " +
                                         std::to_string(page.objects.size()));
    Findings findings;
    meta::verify_store(*parts_.store, findings);
    objects::verify_objects(*parts_.store, *parts_.bytes, *parts_.disk, parts_.extents, findings);
    tables::verify_tables(*parts_.catalog, *parts_.objects, {}, findings);
    for (const auto& finding : findings.state().findings)
        if (finding.kind == Finding::Kind::damage)
            return Error(Code::corrupted, finding.where + ": " + finding.what);
    return ok_status();
}

}  // namespace tarn::app
