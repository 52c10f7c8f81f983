// What only shows against the lake as it is: SQL, tables that are read, roles, alerts over history.
#include <algorithm>

#include "base/log.h"
#include "flows/inspect.h"
#include "lakefile/internal/plan.h"

namespace tarn::lakefile {
namespace {

std::string join(const std::vector<std::string>& parts) {
    std::string out;
    for (size_t i = 0; i < parts.size(); ++i)
        out += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return out;
}

/// Of one plan: a replay takes seconds, a file may have a thousand alerts, and a lane waits.
constexpr auto kReplaysBudget = std::chrono::seconds(20);

/// "rows where region = user.region, without name and email".
std::string describe_grant(const govern::TableGrant& grant) {
    if (!grant.read) return "nothing";
    std::vector<std::string> parts;
    if (!grant.rows.empty()) parts.push_back("rows where " + grant.rows);
    if (!grant.columns.empty()) parts.push_back("only " + join(grant.columns));
    if (!grant.hide.empty()) parts.push_back("without " + join(grant.hide));
    for (const auto& [column, sql] : grant.masks) parts.push_back(column + " shown as " + sql);
    if (parts.empty()) return "all of it";
    std::string out = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) out += ", " + parts[i];
    return out;
}

std::string describe_write(const govern::TableGrant& grant) {
    std::vector<std::string> words;
    if (grant.insert) words.push_back("insert");
    if (grant.update) words.push_back("update");
    if (grant.remove) words.push_back("delete");
    if (grant.alter) words.push_back("alter");
    return join(words);
}

std::string shown(const std::string& pattern) {
    return pattern == "*"            ? "every table"
           : pattern.ends_with(".*") ? "every table of " + pattern.substr(0, pattern.size() - 2)
                                     : pattern;
}

}  // namespace

Result<bool> Planner::is_known(const flows::TableRef& table) const {
    for (const auto& item : parsed_.lakefile.items)
        for (const auto& output : item.outputs) {
            if (output.database != table.database) continue;
            if (output.table == "*" || output.table == table.table) return true;
            const bool beside =
                table.table == output.table + "_rejected" ||
                (item.kind == Kind::model && (table.table == output.table + "_backtest" ||
                                              table.table == output.table + "_outcomes"));
            if (beside) return true;
        }
    TARN_TRY(found, catalog_.find_relation(table.database, table.table));
    return found.has_value();
}

Status Planner::known(const Item& item, const flows::TableRef& table, const std::string& what) {
    if (table.table.empty()) return ok_status();
    TARN_TRY(there, is_known(table));
    if (!there)
        problem(
            item, false,
            what + " reads " + table.full_name() + ", which neither exists nor is declared here");
    return ok_status();
}

Status Planner::check_select(const Item& item, const std::string& sql, const std::string& what,
                             std::vector<std::string> columns) {
    const auto inspected = flows::inspect_sql(parts_.engine, sql);
    if (!inspected.ok()) {
        problem(item, true, what + ": " + inspected.error().message);
        return ok_status();
    }
    bool moves = false, unknown = false;
    for (const auto& input : inspected->inputs) {
        TARN_TRY(there, is_known(input.name));
        if (!there)
            problem(item, true,
                    what + " reads " + input.name.full_name() +
                        ", which neither exists nor is declared here");
        unknown = unknown || !there;
        moves = moves || moving_.contains(input.name.full_name()) ||
                moving_.contains(input.name.database + ".*");
    }
    if (unknown) return ok_status();
    if (!inspected->bindable) {
        // A table that this plan makes or changes has its columns only afterwards.
        TARN_TRY(main_there, catalog_.find_database("main"));
        const bool absent = inspected->problem.reason == "42P01";
        if (!absent && !moves) problem(item, true, what + ": " + inspected->problem.message);
        if (!absent && moves && main_there)
            plan_.warnings.push_back(
                item.id() +
                ": cannot be checked before its inputs are made: " + inspected->problem.message);
        return ok_status();
    }
    for (const auto& column : columns) {
        const bool there =
            std::any_of(inspected->columns.begin(), inspected->columns.end(),
                        [&](const query::ResultColumn& one) { return one.name == column; });
        if (!there) problem(item, true, what + " gives no column '" + column + "'");
    }
    return ok_status();
}

Status Planner::check_sql() {
    const Lakefile& lake = parsed_.lakefile;
    for (const auto& item : lake.items) {
        for (const auto& table : lake.tables)
            if (item.kind == Kind::table && table.name == item.outputs[0])
                TARN_CHECK_OK(check_select(item, table.sql, "the SQL", table.key));
        for (const auto& alert : lake.alerts)
            if (item.kind == Kind::alert && alert.name == item.name) {
                TARN_CHECK_OK(check_select(item, alert.when, "the condition", alert.one_per));
                if (!alert.stays.empty())
                    TARN_CHECK_OK(check_select(item, alert.stays, "`while`", alert.one_per));
            }
        for (const auto& board : lake.dashboards) {
            if (item.kind != Kind::dashboard || board.name != item.name) continue;
            for (const auto& chart : board.charts) {
                const std::string what = "the chart '" + chart.title + "'";
                if (!chart.sql.empty()) TARN_CHECK_OK(check_select(item, chart.sql, what, {}));
                const size_t dot = chart.from.find('.');
                if (chart.from.empty()) continue;
                const flows::TableRef from =
                    dot == std::string::npos
                        ? flows::TableRef{"main", chart.from}
                        : flows::TableRef{chart.from.substr(0, dot), chart.from.substr(dot + 1)};
                TARN_CHECK_OK(known(item, from, what));
            }
        }
    }
    return ok_status();
}

Status Planner::check_references() {
    const Lakefile& lake = parsed_.lakefile;
    for (const auto& item : lake.items) {
        if (item.kind != Kind::model) continue;
        for (const auto& model : lake.forecasts) {
            if (model.name != item.outputs[0]) continue;
            TARN_CHECK_OK(known(item, model.of, "the forecast"));
            TARN_CHECK_OK(known(item, model.lost_sales_table, "lost_sales"));
        }
        for (const auto& model : lake.stock_outs) {
            if (model.name != item.outputs[0]) continue;
            TARN_CHECK_OK(known(item, model.on_hand, "on_hand"));
            TARN_CHECK_OK(known(item, model.demand, "demand"));
            TARN_CHECK_OK(known(item, model.incoming, "incoming"));
        }
    }
    const auto roles = parts_.grants.roles();
    for (const auto& item : lake.items)
        for (const auto& alert : lake.alerts) {
            if (item.kind != Kind::alert || alert.name != item.name || alert.run_as.empty())
                continue;
            const bool declared =
                std::any_of(lake.roles.begin(), lake.roles.end(),
                            [&](const Role& role) { return role.name == alert.run_as; });
            if (!declared && !roles.contains(alert.run_as))
                problem(item, false, "run_as: there is no role '" + alert.run_as + "'");
        }
    return ok_status();
}

void Planner::visibility() {
    const auto now = parts_.grants.roles();
    std::set<std::string> names;
    std::map<std::string, govern::RoleGrants> wanted;
    for (const auto& role : parsed_.lakefile.roles) {
        names.insert(role.name);
        if (now.contains(role.name) && find_applied(Kind::role, role.name) == nullptr)
            plan_.warnings.push_back("roles." + role.name +
                                     " exists and no lakefile made it: its grants and policies are "
                                     "replaced by these");
        wanted[role.name] = role.grants;
    }
    for (const auto& [id, applied] : applied_.items)
        if (applied.item.kind == Kind::role) names.insert(applied.item.name);
    for (const auto& name : names) {
        const auto found = now.find(name);
        const govern::RoleGrants before = found == now.end() ? govern::RoleGrants() : found->second;
        const govern::RoleGrants& after = wanted[name];
        std::string who = name;
        const auto holders = parts_.holders ? parts_.holders(name) : std::vector<std::string>();
        if (!holders.empty()) who += " (" + join(holders) + ")";
        std::set<std::string> patterns;
        for (const auto& [pattern, grant] : before) patterns.insert(pattern);
        for (const auto& [pattern, grant] : after) patterns.insert(pattern);
        for (const auto& pattern : patterns) {
            const bool had = before.contains(pattern), has = after.contains(pattern);
            govern::TableGrant none;
            none.read = false;
            const govern::TableGrant& old = had ? before.at(pattern) : none;
            const govern::TableGrant& next = has ? after.at(pattern) : none;
            if (old == next) continue;
            const std::string sees = describe_grant(next), saw = describe_grant(old);
            if (!old.read && next.read)
                plan_.visibility.push_back(who + " gains sight of " + shown(pattern) + ": " + sees);
            else if (old.read && !next.read)
                plan_.visibility.push_back(who + " loses sight of " + shown(pattern));
            else if (sees != saw)
                plan_.visibility.push_back(who + " sees " + shown(pattern) + " otherwise: " + sees +
                                           "; before, " + saw);
            if (const std::string may = describe_write(next), might = describe_write(old);
                may != might)
                plan_.visibility.push_back(
                    who + (may.empty() ? " may no longer " + might : " may " + may) + " in " +
                    shown(pattern));
        }
    }
}

/// What others changed of what an apply made.
Status Planner::drift() {
    const Parsed before = restore(applied_.name, applied_.timezone, applied_.all(), {});
    const auto grants = parts_.grants.roles();
    for (const auto& role : before.lakefile.roles) {
        const auto found = grants.find(role.name);
        const bool pending = std::find(applied_.roles_pending.begin(), applied_.roles_pending.end(),
                                       role.name) != applied_.roles_pending.end();
        if (pending || (found != grants.end() && found->second == role.grants)) continue;
        plan_.drift.push_back("roles." + role.name +
                              (found == grants.end() ? " was removed" : " was changed") +
                              " by others since; apply puts it back");
        for (auto& change : plan_.changes)
            if (change.item == "roles." + role.name && change.kind == Change::Kind::same) {
                change.kind = Change::Kind::change;
                change.notes.push_back("back to what is declared");
            }
    }
    for (const auto& [id, applied] : applied_.items)
        for (const auto& output : applied.item.outputs) {
            if (output.table == "*") continue;
            TARN_TRY(relation, catalog_.find_relation(output.database, output.table));
            if (!relation) continue;
            if (relation->kind == tables::RelationKind::view)
                plan_.drift.push_back(id + ": " + output.full_name() +
                                      " is a view by now, made by " + relation->owner);
            else if (relation->owner != parts_.system.principal.name)
                plan_.drift.push_back(id + ": " + output.full_name() +
                                      " is another table by now, made by " + relation->owner);
        }
    for (const auto& table : before.lakefile.tables) {
        TARN_TRY(relation, catalog_.find_relation(table.name.database, table.name.table));
        if (!relation || relation->kind != tables::RelationKind::table) continue;
        const auto inspected = flows::inspect_sql(parts_.engine, table.sql);
        if (!inspected.ok() || !inspected->bindable) continue;
        TARN_TRY(state, catalog_.load_table(*relation));
        for (const auto& column : inspected->columns) {
            const auto& fields = state->schema().fields;
            const bool there = std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
                return field.name == column.name;
            });
            if (!there && state->current_snapshot() != nullptr)
                plan_.drift.push_back("tables." + table.name.table + ": others took column " +
                                      column.name + " away");
        }
    }
    return ok_status();
}

Status Planner::replays(const PlanOptions& options) {
    if (!parts_.replay) return ok_status();
    const auto begun = parts_.clock.steady();
    for (const auto& alert : parsed_.lakefile.alerts) {
        const std::string id = "alerts." + alert.name;
        const bool moved =
            std::any_of(plan_.changes.begin(), plan_.changes.end(), [&](const Change& change) {
                return change.item == id && change.kind != Change::Kind::same;
            });
        if (!options.replay && !moved) continue;
        if (parts_.clock.steady() - begun > kReplaysBudget) {
            plan_.replays.push_back("the alerts from " + id +
                                    " on were not replayed: those before it took 20 s");
            break;
        }
        const auto said = parts_.replay(parsed_.lakefile, alert,
                                        options.replay.value_or(std::chrono::hours(24 * 7)));
        plan_.replays.push_back(
            id + ": " + (said.ok() ? *said : "cannot be replayed: " + said.error().message));
    }
    return ok_status();
}

}  // namespace tarn::lakefile
