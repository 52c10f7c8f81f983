#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "codec/hash.h"
#include "codec/text.h"
#include "flows/inspect.h"
#include "ingest/routes.h"
#include "ingest/sources.h"
#include "lakefile/internal/plan.h"
#include "lakefile/keys.h"

namespace tarn::lakefile {
namespace {

using Json = nlohmann::ordered_json;

/// Rows a second that one core computes, for what has not run yet; measured ones vary by a factor
/// of ten around it.
constexpr double kRowsPerSecond = 200'000;

bool follows_log(const Item& item) {
    const Json definition = Json::parse(item.definition);
    return definition.contains("postgres") &&
           definition.value("follow", Json("changes")) == "changes";
}

std::set<std::string> keys_that_differ(const std::string& before, const std::string& after) {
    const Json a = Json::parse(before), b = Json::parse(after);
    std::set<std::string> out;
    for (const auto& [key, value] : a.items())
        if (!b.contains(key) || b[key] != value) out.insert(key);
    for (const auto& [key, value] : b.items())
        if (!a.contains(key)) out.insert(key);
    return out;
}

const ObjectInfo* info_of(const Item& item) {
    const Json definition = Json::parse(item.definition);
    for (const auto& variant : sections()[static_cast<size_t>(item.kind)].variants)
        if (*variant.marker == 0 || definition.contains(variant.marker)) return variant.object;
    return nullptr;
}

/// What a change of these keys makes new: everything, or nothing.
bool recomputes(const Item& item, const std::vector<std::string>& keys) {
    if (item.kind == Kind::table)
        return std::any_of(keys.begin(), keys.end(), [](const auto& key) {
            return key == "sql" || key == "key" || key == "partition" || key == "checks";
        });
    if (item.kind == Kind::model)
        return std::any_of(keys.begin(), keys.end(),
                           [](const auto& key) { return key != "retrain" && key != "refresh"; });
    return false;
}

/// Whether an address holds a password itself: "://user:word@", "password=word".
bool holds_password(const std::string& address) {
    const auto is_word = [&](size_t at) {
        return at < address.size() && address.compare(at, 2, "${") != 0;
    };
    if (const size_t key = address.find("password="); key != std::string::npos)
        return is_word(key + 9);
    const size_t scheme = address.find("://");
    const size_t at = scheme == std::string::npos ? scheme : address.find('@', scheme);
    if (at == std::string::npos) return false;
    const size_t colon = address.find(':', scheme + 3);
    return colon < at && is_word(colon + 1) && address[colon + 1] != '@';
}

/// Whether a secret stands in the item itself, in place of a reference: records keep that readable.
bool spells_out_secret(const Item& item) {
    const Json definition = Json::parse(item.definition);
    const auto text = [](const Json& of, const char* key) {
        return of.is_object() && of.contains(key) && of[key].is_string()
                   ? of[key].get<std::string>()
                   : std::string();
    };
    if (item.kind == Kind::source) return holds_password(text(definition, "postgres"));
    if (item.kind != Kind::alert || !definition.contains("to")) return false;
    for (const auto& one : definition["to"]) {
        const std::string secret = text(one, "secret");
        if (!secret.empty() && secret.find("${") == std::string::npos) return true;
        if (holds_password(one.is_string() ? one.get<std::string>() : text(one, "url")))
            return true;
    }
    return false;
}

std::string rows_text(uint64_t rows) {
    return with_commas(rows) + (rows == 1 ? " row" : " rows");
}

}  // namespace

std::string with_commas(uint64_t number) {
    std::string digits = std::to_string(number);
    for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
    return digits;
}

Result<uint64_t> count_rows(const tables::CatalogSnapshot& catalog,
                            const tables::RelationInfo& relation) {
    if (relation.kind != tables::RelationKind::table) return uint64_t{0};
    TARN_TRY(table, catalog.load_table(relation));
    const auto snapshot = table->current_snapshot();
    if (snapshot == nullptr) return uint64_t{0};
    const int64_t files = snapshot->summary_number("total-records").value_or(0);
    const int64_t deleted = snapshot->summary_number("total-position-deletes").value_or(0);
    return static_cast<uint64_t>(std::max<int64_t>(0, files - deleted));
}

Result<std::vector<tables::RelationInfo>> existing_tables(const tables::CatalogSnapshot& catalog,
                                                          const Item& item) {
    std::vector<tables::RelationInfo> out;
    const auto add = [&](const std::string& database, const std::string& name) -> Status {
        TARN_TRY(found, catalog.find_relation(database, name));
        if (found && found->kind == tables::RelationKind::table) out.push_back(*found);
        return ok_status();
    };
    for (const auto& output : item.outputs) {
        if (output.table == "*") {
            TARN_TRY(database, catalog.find_database(output.database));
            if (!database) continue;
            TARN_TRY(relations, catalog.relations(output.database));
            for (const auto& relation : relations)
                if (relation.kind == tables::RelationKind::table) out.push_back(relation);
            continue;
        }
        TARN_CHECK_OK(add(output.database, output.table));
        TARN_CHECK_OK(add(output.database, output.table + "_rejected"));
        if (item.kind == Kind::model)
            for (const char* beside : {"_backtest", "_outcomes"})
                TARN_CHECK_OK(add(output.database, output.table + beside));
    }
    return out;
}

Result<std::vector<tables::RelationInfo>> Planner::tables_of(const Item& item) const {
    return existing_tables(catalog_, item);
}

Result<uint64_t> Planner::rows_of(const flows::TableRef& table) const {
    TARN_TRY(relation, catalog_.find_relation(table.database, table.table));
    if (!relation) return uint64_t{0};
    return count_rows(catalog_, *relation);
}

void Planner::problem(const Item& item, bool at_sql, std::string message) {
    Problem found{item.id(), item.line, item.column, std::move(message)};
    if (at_sql && item.sql_file.empty() && item.sql_line > 0) {
        found.line = item.sql_line;
        found.column = 1;
    }
    if (at_sql && !item.sql_file.empty()) found.message = item.sql_file + ": " + found.message;
    plan_.problems.push_back(std::move(found));
}

const AppliedItem* Planner::find_applied(Kind kind, const std::string& name) const {
    const auto found = applied_.items.find(std::string(section_of(kind)) + "." + name);
    return found == applied_.items.end() ? nullptr : &found->second;
}

Result<Plan> Planner::make(const std::string& file_name, const PlanOptions& options) {
    file_name_ = file_name;
    plan_.problems = parsed_.problems;
    if (!parsed_.ok()) return plan_;
    TARN_CHECK_OK(changes());
    TARN_CHECK_OK(check_sql());
    TARN_CHECK_OK(check_references());
    if (parts_.check && plan_.problems.empty())
        for (auto& found : parts_.check(parsed_.lakefile)) {
            for (const auto& item : parsed_.lakefile.items)
                if (item.id() == found.where && found.line == 0)
                    std::tie(found.line, found.column) = std::tie(item.line, item.column);
            plan_.problems.push_back(std::move(found));
        }
    visibility();
    TARN_CHECK_OK(drift());
    if (plan_.problems.empty()) TARN_CHECK_OK(replays(options));
    for (const auto& source : parsed_.lakefile.sources)
        for (const auto& warning : ingest::warnings(source))
            plan_.warnings.push_back("sources." + source.name + ": " + warning);
    for (const auto& item : parsed_.lakefile.items)
        if (spells_out_secret(item))
            plan_.warnings.push_back(item.id() +
                                     ": a secret stands in the lakefile, and who may read the "
                                     "lakefile reads it: tarn secrets set NAME, and write "
                                     "${secret:NAME}");
    for (auto& warning : ingest::shared_topics(parsed_.lakefile.sources))
        plan_.warnings.push_back(std::move(warning));
    plan_.id = make_id();
    return plan_;
}

Status Planner::changes() {
    std::set<std::string> met;
    for (const auto& item : parsed_.lakefile.items) {
        Change change;
        change.item = item.id();
        const AppliedItem* before = find_applied(item.kind, item.name);
        const AppliedItem* old = item.was.empty() ? nullptr : find_applied(item.kind, item.was);
        if (before == nullptr && old != nullptr) {
            met.insert(old->item.id());
            TARN_CHECK_OK(renamed(item, *old, change));
        } else if (before == nullptr) {
            TARN_CHECK_OK(added(item, change));
        } else {
            TARN_CHECK_OK(changed(item, *before, change));
        }
        met.insert(item.id());
        if (change.kind != Change::Kind::same)
            for (const auto& output : item.outputs) moving_.insert(output.full_name());
        plan_.changes.push_back(std::move(change));
    }
    for (const auto& [id, gone] : applied_.items)
        if (!met.contains(id)) TARN_CHECK_OK(removed(gone));
    if (applied_.exists && (applied_.timezone != parsed_.lakefile.timezone ||
                            applied_.name != parsed_.lakefile.name)) {
        Change change;
        change.item = "lake";
        change.kind = Change::Kind::change;
        if (applied_.name != parsed_.lakefile.name) change.keys.push_back("lake");
        if (applied_.timezone != parsed_.lakefile.timezone) {
            change.keys.push_back("timezone");
            change.notes.push_back("schedules move from " + applied_.timezone + " to " +
                                   parsed_.lakefile.timezone);
        }
        plan_.changes.push_back(std::move(change));
    }
    return ok_status();
}

void Planner::defaults(const Item& item, Change& change) const {
    const ObjectInfo* info = info_of(item);
    if (info == nullptr) return;
    const Json definition = Json::parse(item.definition);
    std::string in_force;
    for (const auto& key : info->keys)
        if (*key.otherwise != 0 && !definition.contains(key.name))
            in_force +=
                (in_force.empty() ? "" : ", ") + std::string(key.name) + ": " + key.otherwise;
    if (!in_force.empty()) change.notes.push_back("by default " + in_force);
}

Status Planner::cost(const Item& item, Change& change) const {
    std::vector<flows::TableRef> inputs;
    for (const auto& table : parsed_.lakefile.tables)
        if (item.kind == Kind::table && table.name == item.outputs[0]) {
            const auto inspected = flows::inspect_sql(parts_.engine, table.sql);
            if (!inspected.ok()) return ok_status();  // becomes a problem in check_sql()
            for (const auto& input : inspected->inputs) inputs.push_back(input.name);
        }
    for (const auto& model : parsed_.lakefile.forecasts)
        if (item.kind == Kind::model && model.name == item.outputs[0]) inputs.push_back(model.of);
    for (const auto& model : parsed_.lakefile.stock_outs)
        if (item.kind == Kind::model && model.name == item.outputs[0])
            inputs.insert(inputs.end(), {model.on_hand, model.demand});
    for (const auto& input : inputs) {
        TARN_TRY(rows, rows_of(input));
        change.rows_in += rows;
    }
    std::optional<double> measured;
    if (parts_.rows_per_second) measured = parts_.rows_per_second(item.id());
    change.minutes = static_cast<double>(change.rows_in) / measured.value_or(kRowsPerSecond) / 60;
    if (measured && change.rows_in > 0)
        change.notes.push_back("time by the " + std::to_string(std::llround(*measured)) +
                               " rows/s of its own runs");
    return ok_status();
}

Status Planner::added(const Item& item, Change& change) {
    change.kind = Change::Kind::add;
    defaults(item, change);
    if (item.outputs.empty()) return ok_status();
    TARN_CHECK_OK(cost(item, change));
    return refuse_foreign(item);
}

/// A table that somebody else made is not taken over: its rows would be replaced.
Status Planner::refuse_foreign(const Item& item) {
    TARN_TRY(existing, tables_of(item));
    for (const auto& relation : existing) {
        const std::string name = relation.full_name();
        bool ours = applied_.kept.contains(name);
        for (const auto& [id, applied] : applied_.items)
            for (const auto& output : applied.item.outputs)
                ours = ours || output.full_name() == name ||
                       (output.table == "*" && output.database == relation.database);
        if (ours) continue;
        problem(item, false,
                name + " exists and no lakefile made it (its owner is " + relation.owner +
                    "): give this one another name, or drop that table first");
    }
    return ok_status();
}

Status Planner::changed(const Item& item, const AppliedItem& before, Change& change) {
    const auto keys = keys_that_differ(before.item.definition, item.definition);
    change.keys.assign(keys.begin(), keys.end());
    change.kind = keys.empty() ? Change::Kind::same : Change::Kind::change;
    if (recomputes(item, change.keys)) {
        change.notes.push_back("is computed again from the beginning");
        TARN_CHECK_OK(cost(item, change));
    }
    if (item.kind == Kind::source && follows_log(item) && !follows_log(before.item))
        change.notes.push_back("its tables are loaded again, behind the rows that are here");
    if (item.kind == Kind::source && info_of(item) != info_of(before.item))
        problem(item, false,
                "was a " + std::string(info_of(before.item)->name) + " and is now a " +
                    info_of(item)->name +
                    ": give it another name, the old one's rows stay what they are");
    return ok_status();
}

Status Planner::renamed(const Item& item, const AppliedItem& before, Change& change) {
    change.kind = Change::Kind::rename;
    change.was = before.item.id();
    const auto keys = keys_that_differ(before.item.definition, item.definition);
    change.keys.assign(keys.begin(), keys.end());
    if (info_of(item) != info_of(before.item))
        problem(item, false,
                before.item.id() + " is a " + info_of(before.item)->name + " and this is a " +
                    info_of(item)->name + ": it cannot go on under this name");
    if (item.kind == Kind::source)
        change.notes.push_back("goes on where " + before.item.name + " stands");
    TARN_TRY(existing, tables_of(before.item));
    for (const auto& relation : existing) {
        TARN_TRY(rows, count_rows(catalog_, relation));
        change.notes.push_back(relation.full_name() + " keeps its " + rows_text(rows) +
                               " under the new name");
    }
    return refuse_foreign(item);
}

Status Planner::removed(const AppliedItem& gone) {
    Change change;
    change.kind = Change::Kind::remove;
    change.item = gone.item.id();
    TARN_TRY(existing, tables_of(gone.item));
    for (const auto& relation : existing) {
        TARN_TRY(rows, count_rows(catalog_, relation));
        change.rows_dropped += rows;
        change.notes.push_back(relation.full_name() + " with " + rows_text(rows) +
                               " stays and nothing fills it any more; it goes with --drop-data");
    }
    if (gone.item.kind == Kind::alert)
        change.notes.push_back("its open alerts are closed without a word");
    plan_.changes.push_back(std::move(change));
    return ok_status();
}

/// Of the file against this state: anything that would make the plan another makes the id another.
std::string Planner::make_id() const {
    codec::Hasher hasher(codec::HashKind::sha256);
    const auto add = [&](const std::string& part) {
        hasher.update(std::to_string(part.size()) + ":" + part);
    };
    add(parsed_.lakefile.name);
    add(parsed_.lakefile.timezone);
    for (const auto& item : parsed_.lakefile.items) {
        add(item.id());
        add(item.was);
        add(item.definition);
    }
    add(std::to_string(applied_.version));
    for (const auto& [id, item] : applied_.items) add(id + std::to_string(item.version));
    for (const auto& drift : plan_.drift) add(drift);
    return codec::hex_encode(hasher.finish()).substr(0, 16);
}

bool Plan::changes_something() const {
    return std::any_of(changes.begin(), changes.end(),
                       [](const Change& change) { return change.kind != Change::Kind::same; });
}

std::string to_json(const Plan& plan, const std::string& file_name) {
    static constexpr const char* kWords[] = {"add", "change", "rename", "remove", "same"};
    Json out = {{"plan", plan.id}, {"changes", Json::array()}};
    for (const auto& change : plan.changes) {
        Json one = {{"change", kWords[static_cast<int>(change.kind)]}, {"item", change.item}};
        if (!change.was.empty()) one["was"] = change.was;
        if (!change.keys.empty()) one["keys"] = change.keys;
        if (!change.notes.empty()) one["notes"] = change.notes;
        if (change.rows_in > 0) {
            one["rows_in"] = change.rows_in;
            one["minutes"] = std::round(change.minutes * 100) / 100;
        }
        if (change.rows_dropped > 0) one["rows_dropped"] = change.rows_dropped;
        out["changes"].push_back(std::move(one));
    }
    out["changes_something"] = plan.changes_something();
    out["visibility"] = plan.visibility;
    out["drift"] = plan.drift;
    out["alerts"] = plan.replays;
    out["warnings"] = plan.warnings;
    out["problems"] = Json::array();
    for (const auto& problem : plan.problems)
        out["problems"].push_back({{"where", problem.where},
                                   {"line", problem.line},
                                   {"column", problem.column},
                                   {"message", problem.message},
                                   {"text", describe({problem}, file_name)}});
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tarn::lakefile
