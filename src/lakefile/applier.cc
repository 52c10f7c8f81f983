#include "lakefile/applier.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "lakefile/internal/plan.h"
#include "lakefile/internal/records.h"
#include "lakefile/internal/sample.h"

namespace tarn::lakefile {

using Json = nlohmann::ordered_json;

namespace {

/// What has another name in the file than in the lake.
std::vector<std::pair<const Item*, const AppliedItem*>> renames(const Prepared& prepared) {
    std::vector<std::pair<const Item*, const AppliedItem*>> out;
    for (const auto& change : prepared.plan.changes) {
        if (change.kind != Change::Kind::rename) continue;
        const auto before = prepared.applied.items.find(change.was);
        for (const auto& item : prepared.parsed.lakefile.items)
            if (item.id() == change.item && before != prepared.applied.items.end())
                out.emplace_back(&item, &before->second);
    }
    return out;
}

}  // namespace

struct Applier::Impl {
    explicit Impl(ApplierParts given) : parts(std::move(given)) {}

    SecretLookup secrets() const {
        return [this](const std::string& name) { return parts.secrets.find(name); };
    }
    Result<Prepared> prepare(const Text& text, const PlanOptions& options) const;
    Status stage(const security::Caller& caller, const Prepared& prepared, bool drop_data,
                 meta::Batch& batch) const;
    Status stage_removed(const AppliedItem& gone, bool drop_data, meta::Batch& batch) const;
    Status stage_renamed(const AppliedItem& before, const Item& after, meta::Batch& batch) const;
    void stage_identities(const Prepared& prepared, meta::Batch& batch) const;
    Status stand_still(const Prepared& prepared, bool drop_data) const;
    Status make_room(const Prepared& prepared) const;
    void tidy_up(const Prepared& prepared) const;
    std::vector<std::string> roles_to_put(const Lakefile& lake, const Applied& applied) const;
    /// Grants are records of another module: they follow the declaration, and the head record
    /// remembers which have to.
    Status converge_roles(const Lakefile& lake, const std::vector<std::string>& names);
    /// Has the services do what the records say. Problems are logged and kept.
    Status configure();
    void keep(Lakefile lake, std::vector<Problem> problems, const Status& configured);

    const ApplierParts parts;
    Mutex change_mutex;  // one change at a time; held over its commit and the services' configure()
    mutable Mutex mutex;
    std::shared_ptr<const Lakefile> current TARN_GUARDED_BY(mutex) = std::make_shared<Lakefile>();
    std::vector<Problem> problems TARN_GUARDED_BY(mutex);
    std::string trouble TARN_GUARDED_BY(mutex);  // of the last configure(); empty: none
};

Applier::Applier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Applier::~Applier() = default;

Result<std::unique_ptr<Applier>> Applier::open(ApplierParts parts) {
    auto impl = std::make_unique<Impl>(std::move(parts));
    TARN_CHECK_OK(load_applied(impl->parts.store));
    return std::unique_ptr<Applier>(new Applier(std::move(impl)));
}

std::shared_ptr<const Lakefile> Applier::current() const {
    MutexLock lock(impl_->mutex);
    return impl_->current;
}

Status Applier::start() {
    MutexLock one_at_a_time(impl_->change_mutex);
    return impl_->configure();
}

Status Applier::secrets_changed() {
    return start();
}

void Applier::Impl::keep(Lakefile lake, std::vector<Problem> found, const Status& configured) {
    MutexLock lock(mutex);
    current = std::make_shared<const Lakefile>(std::move(lake));
    problems = std::move(found);
    trouble = configured.ok() ? "" : configured.error().message;
}

Status Applier::Impl::configure() {
    TARN_TRY(applied, load_applied(parts.store));
    Parsed parsed = restore(applied.name, applied.timezone, applied.all(), secrets());
    for (const auto& problem : parsed.problems)
        log_error("lakefile", "an item that was applied does not run",
                  {{"item", problem.where}, {"why", problem.message}});
    applied.identify(parsed.lakefile.sources);
    TARN_CHECK_OK(converge_roles(parsed.lakefile, applied.roles_pending));
    const Status configured = parts.configure ? parts.configure(parsed.lakefile) : ok_status();
    if (!configured.ok())
        log_error("lakefile", "not all that is declared runs",
                  {{"why", configured.error().message}});
    keep(std::move(parsed.lakefile), std::move(parsed.problems), configured);
    return configured;
}

Result<Prepared> Applier::Impl::prepare(const Text& text, const PlanOptions& options) const {
    Prepared out;
    TARN_TRY(applied, load_applied(*parts.store.snapshot()));
    out.applied = std::move(applied);
    out.parsed = parse(text, secrets());
    Planner planner(parts, out.parsed, out.applied);
    TARN_TRY(plan, planner.make(text.file_name, options));
    out.plan = std::move(plan);
    return out;
}

Result<Plan> Applier::plan(const Text& text, const PlanOptions& options) const {
    TARN_TRY(prepared, impl_->prepare(text, options));
    return std::move(prepared.plan);
}

Status Applier::Impl::stage_removed(const AppliedItem& gone, bool drop_data,
                                    meta::Batch& batch) const {
    batch.erase(item_key(gone.item.kind, gone.item.name));
    TARN_TRY(existing, existing_tables(parts.catalog.snapshot(), gone.item));
    for (const auto& relation : existing) {
        if (drop_data)
            TARN_CHECK_OK(parts.catalog.stage_drop_table(relation, batch));
        else
            batch.put(kept_key(relation.full_name()), encode_kept(gone.item.id()));
    }
    return ok_status();
}

Status Applier::Impl::stage_renamed(const AppliedItem& before, const Item& after,
                                    meta::Batch& batch) const {
    batch.erase(item_key(before.item.kind, before.item.name));
    if (before.item.outputs.empty() || after.outputs.empty()) return ok_status();
    TARN_TRY(existing, existing_tables(parts.catalog.snapshot(), before.item));
    const auto& from = before.item.outputs[0];
    const auto& to = after.outputs[0];
    for (const auto& relation : existing)
        TARN_CHECK_OK(parts.catalog.stage_rename(
            relation, to.database,
            to.table == "*" ? relation.name : to.table + relation.name.substr(from.table.size()),
            batch));
    return ok_status();
}

/// A renamed source keeps its identity, and a new one with a name of before gets another.
void Applier::Impl::stage_identities(const Prepared& prepared, meta::Batch& batch) const {
    Applied known = prepared.applied;
    const auto put = [&](const std::string& source, const std::string& identity) {
        known.identities[source] = identity;
        batch.put(identity_key(source), encode_identity(identity));
    };
    for (const auto& [item, before] : renames(prepared)) {
        if (item->kind != Kind::source) continue;
        const std::string identity = known.identity_of(before->item.name);
        if (known.identities.erase(before->item.name) > 0)
            batch.erase(identity_key(before->item.name));
        put(item->name, identity);
    }
    for (const auto& item : prepared.parsed.lakefile.items) {
        if (item.kind != Kind::source || known.identities.contains(item.name)) continue;
        const std::string identity = known.identity_of(item.name);
        if (identity != item.name) put(item.name, identity);
    }
}

std::vector<std::string> Applier::Impl::roles_to_put(const Lakefile& lake,
                                                     const Applied& applied) const {
    const auto now = parts.grants.roles();
    std::vector<std::string> out = applied.roles_pending;
    const auto add = [&](const std::string& name) {
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    };
    for (const auto& item : lake.items) {
        if (item.kind != Kind::role) continue;
        const auto before = applied.items.find(item.id());
        const auto grants = now.find(item.name);
        const auto role = std::find_if(lake.roles.begin(), lake.roles.end(),
                                       [&](const Role& one) { return one.name == item.name; });
        if (before == applied.items.end() || before->second.item.definition != item.definition ||
            grants == now.end() || grants->second != role->grants)
            add(item.name);
    }
    for (const auto& [id, gone] : applied.items) {
        const bool still = std::any_of(lake.items.begin(), lake.items.end(),
                                       [&id = id](const Item& item) { return item.id() == id; });
        if (gone.item.kind == Kind::role && !still) add(gone.item.name);
    }
    return out;
}

Status Applier::Impl::stage(const security::Caller& caller, const Prepared& prepared,
                            bool drop_data, meta::Batch& batch) const {
    const Lakefile& lake = prepared.parsed.lakefile;
    const Applied& applied = prepared.applied;
    const Error moved(Code::conflict, "somebody else applied in between: plan again", "plan_moved");
    batch.require_version(head_key(), applied.version, moved);
    Applied head;
    head.name = lake.name;
    head.timezone = lake.timezone;
    head.at = format_iso8601(parts.clock.now());
    head.by = caller.principal.arn;
    head.roles_pending = roles_to_put(lake, applied);
    batch.put(head_key(), encode_head(head));
    for (const auto& change : prepared.plan.changes) {
        const auto item = std::find_if(lake.items.begin(), lake.items.end(),
                                       [&](const Item& one) { return one.id() == change.item; });
        const auto before =
            applied.items.find(change.kind == Change::Kind::rename ? change.was : change.item);
        if (change.kind == Change::Kind::remove)
            TARN_CHECK_OK(stage_removed(before->second, drop_data, batch));
        if (change.kind == Change::Kind::rename)
            TARN_CHECK_OK(stage_renamed(before->second, *item, batch));
        if (change.kind == Change::Kind::remove || change.kind == Change::Kind::same ||
            item == lake.items.end())
            continue;
        AppliedItem record;
        record.item = *item;
        record.at = head.at;
        record.by = head.by;
        batch.put(item_key(item->kind, item->name), encode_item(record));
        for (const auto& output : item->outputs)
            for (const auto& [table, by] : applied.kept)
                if (table == output.full_name() ||
                    (output.table == "*" && table.starts_with(output.database + ".")))
                    batch.erase(kept_key(table));
    }
    stage_identities(prepared, batch);
    parts.audit.attach(batch, caller, {});
    return ok_status();
}

/// What fills a table that goes or moves must stand still first, or it would make it anew.
Status Applier::Impl::stand_still(const Prepared& prepared, bool drop_data) const {
    const auto& changes = prepared.plan.changes;
    const bool moves = std::any_of(changes.begin(), changes.end(), [&](const Change& one) {
        return one.kind == Change::Kind::rename || (one.kind == Change::Kind::remove && drop_data);
    });
    if (!moves || !parts.configure) return ok_status();
    std::vector<Item> staying;
    for (const auto& item : prepared.applied.all())
        // A renamed source stays declared, and only rests: what it made elsewhere is kept.
        if (std::any_of(changes.begin(), changes.end(), [&](const Change& one) {
                return one.kind == Change::Kind::rename
                           ? one.was == item.id() && item.kind == Kind::source
                           : one.item == item.id() && one.kind != Change::Kind::remove;
            }))
            staying.push_back(item);
    Parsed parsed = restore(prepared.applied.name, prepared.applied.timezone, staying, secrets());
    prepared.applied.identify(parsed.lakefile.sources);
    TARN_CHECK_OK(parts.configure(parsed.lakefile));
    for (const auto& [item, before] : renames(prepared))
        if (item->kind == Kind::source && parts.rest_source) parts.rest_source(before->item.name);
    return ok_status();
}

/// The databases that tables are moved to.
Status Applier::Impl::make_room(const Prepared& prepared) const {
    for (const auto& [item, before] : renames(prepared)) {
        if (item->outputs.empty()) continue;
        tables::CreateDatabase spec;
        spec.name = item->outputs[0].database;
        spec.if_absent = true;
        TARN_CHECK_OK(parts.catalog.create_database(parts.system, spec));
    }
    return ok_status();
}

/// The databases that renamed sources had, where nobody put anything of his own into them.
void Applier::Impl::tidy_up(const Prepared& prepared) const {
    for (const auto& [item, before] : renames(prepared)) {
        if (before->item.outputs.empty() || before->item.outputs[0].table != "*") continue;
        const auto& database = before->item.outputs[0].database;
        const Status gone = parts.catalog.drop_database(parts.system, database);
        if (!gone.ok() && gone.error().reason != "database_not_empty")
            log_warning("lakefile", "the database of before was not removed",
                        {{"database", database}, {"why", gone.error().message}});
    }
}

Status Applier::Impl::converge_roles(const Lakefile& lake, const std::vector<std::string>& names) {
    if (names.empty()) return ok_status();
    for (const auto& name : names) {
        const auto role = std::find_if(lake.roles.begin(), lake.roles.end(),
                                       [&](const Role& one) { return one.name == name; });
        if (role == lake.roles.end()) {
            const Status gone = parts.grants.delete_role(name);
            if (!gone.ok() && gone.error().code != Code::not_found) return gone;
            continue;
        }
        std::map<std::string, std::string> policies;
        if (!role->silence.empty()) {
            Json resources = Json::array();
            for (const auto& alert : role->silence)
                resources.push_back(parts.account_arn + "alert/" + alert);
            policies["alerts"] = Json{{"Version", "2012-10-17"},
                                      {"Statement",
                                       {{{"Effect", "Allow"},
                                         {"Action", {"tarn:SilenceAlert"}},
                                         {"Resource", resources}}}}}
                                     .dump();
        }
        TARN_CHECK_OK(parts.grants.put_role(name, role->grants, std::move(policies)));
    }
    TARN_TRY(applied, load_applied(parts.store));
    applied.roles_pending.clear();
    meta::Batch batch;
    batch.require_version(head_key(), applied.version,
                          Error(Code::conflict, "the lakefile was applied in between"));
    batch.put(head_key(), encode_head(applied));
    TARN_CHECK_OK(parts.store.commit(std::move(batch)));
    return ok_status();
}

Result<Plan> Applier::apply(const security::Caller& caller, const Text& text,
                            const std::string& plan_id, bool drop_data) {
    MutexLock one_at_a_time(impl_->change_mutex);
    TARN_TRY(prepared, impl_->prepare(text, {}));
    const Plan& plan = prepared.plan;
    if (!plan.problems.empty())
        return Error(Code::invalid_argument, describe(plan.problems, text.file_name), "lakefile");
    if (!plan_id.empty() && plan_id != plan.id)
        return Error(Code::conflict, "the lakefile or the lake is not what was planned: plan again",
                     "plan_moved");
    if (prepared.applied.exists && !plan.changes_something()) return std::move(prepared.plan);
    TARN_CHECK_OK(impl_->stand_still(prepared, drop_data));
    meta::Batch batch;
    Status committed = impl_->make_room(prepared);
    if (committed.ok()) committed = impl_->stage(caller, prepared, drop_data, batch);
    if (committed.ok()) {
        auto done = impl_->parts.store.commit(std::move(batch));
        if (!done.ok()) committed = std::move(done).error();
    }
    if (committed.ok()) impl_->tidy_up(prepared);
    const Status configured = impl_->configure();
    TARN_CHECK_OK(committed);
    if (!configured.ok())
        prepared.plan.warnings.push_back("declared and kept, but not all of it runs yet: " +
                                         configured.error().message);
    log_info("lakefile", "applied",
             {{"lake", prepared.parsed.lakefile.name},
              {"by", caller.principal.name},
              {"plan", plan.id}});
    return std::move(prepared.plan);
}

Result<std::string> Applier::try_out(const security::Caller& caller, const Text& text,
                                     const Sampling& what) const {
    Parsed parsed = parse(text, impl_->secrets());
    TARN_TRY(applied, load_applied(*impl_->parts.store.snapshot()));
    applied.identify(parsed.lakefile.sources);
    std::vector<Problem> problems;
    const auto wanted = [&](const std::string& id) {
        return what.name.empty() || id == what.name || id.substr(id.find('.') + 1) == what.name;
    };
    for (const auto& problem : parsed.problems) {
        const size_t dot = problem.where.find('.');
        const size_t end = dot == std::string::npos ? dot : problem.where.find('.', dot + 1);
        if (dot == std::string::npos || wanted(problem.where.substr(0, end)))
            problems.push_back(problem);
    }
    if (!problems.empty())
        return Error(Code::invalid_argument, describe(problems, text.file_name), "lakefile");
    return sample_items(impl_->parts, parsed, caller, what);
}

Result<std::string> Applier::describe_current() const {
    TARN_TRY(applied, load_applied(*impl_->parts.store.snapshot()));
    Json out = {{"lake", applied.name},
                {"timezone", applied.timezone},
                {"applied", applied.exists},
                {"at", applied.at},
                {"by", applied.by},
                {"items", Json::array()},
                {"kept_tables", Json::array()}};
    for (const auto& [id, one] : applied.items) {
        Json item = {{"item", id},
                     {"at", one.at},
                     {"by", one.by},
                     {"definition", Json::parse(one.item.definition)},
                     // In the order of the file: sent back like this, it is the same item.
                     {"text", one.item.definition}};
        item["tables"] = Json::array();
        for (const auto& output : one.item.outputs) item["tables"].push_back(output.full_name());
        out["items"].push_back(std::move(item));
    }
    for (const auto& [table, by] : applied.kept)
        out["kept_tables"].push_back({{"table", table}, {"was_made_by", by}});
    MutexLock lock(impl_->mutex);
    out["problems"] = Json::array();
    for (const auto& problem : impl_->problems)
        out["problems"].push_back({{"where", problem.where}, {"message", problem.message}});
    out["trouble"] = impl_->trouble;
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tarn::lakefile
