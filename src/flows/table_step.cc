#include "flows/internal/table_step.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "flows/internal/inputs.h"

namespace tarn::flows {

namespace {

// Properties of a computed table: which step made it, and of what columns and layout.
constexpr const char* kMadeBy = "tarn.step";
constexpr const char* kColumns = "tarn.columns";

const char* mode_word(TableMode mode) {
    switch (mode) {
        case TableMode::scratch:
            return "from scratch";
        case TableMode::window:
            return "window";
        case TableMode::range:
            return "range";
        case TableMode::added_rows:
            return "added rows";
        case TableMode::nothing:
            return "nothing new";
    }
    return "";
}

/// Ends the session's statement when the run is cancelled, for as long as it lives.
class Interrupting {
 public:
    Interrupting(StepRun& run, query::Session& session) : run_(run) {
        run_.on_cancel([&session] { session.cancel(); });
    }
    ~Interrupting() { run_.on_cancel(nullptr); }

 private:
    StepRun& run_;
};

}  // namespace

TableStep::TableStep(TableSpec spec, std::vector<ParsedCheck> checks, std::vector<TableRef> inputs,
                     TableStepParts parts)
    : spec_(std::move(spec)),
      checks_(std::move(checks)),
      inputs_(std::move(inputs)),
      parts_(std::move(parts)),
      name_("tables." +
            (spec_.name.database == "main" ? spec_.name.table : spec_.name.full_name())),
      time_zone_(parts_.time_zone) {
    std::string text = spec_.sql + '\0' + spec_.partition + '\0' +
                       std::to_string(spec_.refresh.window ? spec_.refresh.window->count() : 0);
    for (const auto& column : spec_.key) text += '\0' + column;
    for (const auto& each : spec_.checks)
        text += '\0' + each.expression + '\0' + std::to_string(static_cast<int>(each.consequence));
    definition_ = codec::hex_encode(codec::sha256(text)).substr(0, 32);
    set_time_zone(parts_.time_zone);
}

void TableStep::set_time_zone(const std::string& name) {
    const MutexLock lock(mutex_);
    time_zone_ = name;
    // Other days: other rows.
    fingerprint_ = definition_ + (name == "UTC" ? "" : " " + name);
}

/// Null when there is none. A table that somebody else made is not touched.
Result<tables::TablePtr> TableStep::existing(const StepRun& run) const {
    TARN_TRY(info, run.state()->find_relation(spec_.name.database, spec_.name.table));
    if (!info) return tables::TablePtr();
    if (info->kind == tables::RelationKind::view)
        return Error{Code::already_exists, "there is a view " + spec_.name.full_name() +
                                               ": drop it, or give the table another name"};
    TARN_TRY(table, run.state()->load_table(*info));
    const auto& properties = table->metadata->properties;
    const auto made_by = properties.find(kMadeBy);
    if (made_by == properties.end() || made_by->second != name_)
        return Error{Code::already_exists, "there is a table " + spec_.name.full_name() +
                                               " that was not made from the lakefile: drop or "
                                               "rename it, or give this one another name"};
    return table;
}

/// What decides whether the table that is there can be kept.
std::string TableStep::signature(const query::SelectFacts& facts) const {
    std::string text;
    for (const auto& column : facts.columns)
        text += lower_ascii(column.name) + " " + query::sql_name(column.type) + ", ";
    return text + "partition " + spec_.partition;
}

Status TableStep::check_range(const TimeRange&) const {
    if (!spec_.key.empty()) return {};
    return Error{Code::invalid_argument,
                 name_ + " has no key: a range is of the first date or timestamp of the key",
                 "no_ranges"};
}

Result<StepResult> TableStep::run(StepRun& run) {
    std::string zone;
    {
        const MutexLock lock(mutex_);
        zone = time_zone_;
    }
    if (!run.state()) return Error{Code::internal, "a table step needs the state of the lake"};
    TARN_TRY(session,
             open_run_session(parts_.engine, parts_.system, run, spec_.name.database, zone));
    const Interrupting interrupting(run, *session);
    Work work{run, *session, {}, nullptr, TableMode::scratch, 0, {}, {}, {}, false, {}};
    TARN_TRY(facts, query::describe_select(*session, spec_.sql));
    work.facts = std::move(facts);
    TARN_TRY(table, existing(run));
    work.table = std::move(table);
    TARN_CHECK_OK(choose_mode(work));
    run.mode(work.mode == TableMode::range ? "range from " + run.range()->from + " to before " +
                                                 run.range()->to
                                           : mode_word(work.mode));
    if (work.mode == TableMode::nothing) return work.result;
    const Status done = [&]() -> Status {
        TARN_CHECK_OK(make_table(work));
        TARN_CHECK_OK(take_away(work));
        TARN_CHECK_OK(compute(work));
        TARN_CHECK_OK(check(work));
        return finish(work);
    }();
    if (!done.ok() && run.cancelled()) return Error{Code::cancelled, "the run was cancelled"};
    if (!done.ok()) return std::move(done).error();
    return work.result;
}

Status TableStep::choose_mode(Work& work) const {
    std::set<std::string> names;
    for (const auto& column : work.facts.columns)
        if (!names.insert(lower_ascii(column.name)).second)
            return Error{Code::invalid_argument, "the SELECT has two columns named \"" +
                                                     lower_ascii(column.name) + "\": rename one with AS"};
    for (const auto& column : spec_.key)
        if (!names.contains(lower_ascii(column)))
            return Error{Code::invalid_argument,
                         "the key column \"" + column + "\" is not in the SELECT"};
    if (spec_.refresh.window || work.run.range()) TARN_CHECK_OK(find_window(work));

    const auto& inputs = work.run.inputs();
    for (const auto& input : inputs)
        if (input.snapshot_now)
            work.result.rows_read += static_cast<uint64_t>(
                input.table->current_snapshot()->summary_number("total-records").value_or(0));
    const bool known = std::any_of(inputs.begin(), inputs.end(), [](const auto& input) {
        return input.snapshot_before.has_value();
    });
    const bool kept = work.table && work.table->metadata->properties.count(kColumns) > 0 &&
                      work.table->metadata->properties.at(kColumns) == signature(work.facts);
    if (!kept || !known) return {};
    if (!work.facts.repeatable && !spec_.refresh.window && !work.run.range()) return {};
    std::vector<size_t> changed;
    bool only_appends = true;
    for (size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].changed() || !inputs[i].table) continue;
        if (!inputs[i].snapshot_before) return {};
        const auto kind = changes_since(*inputs[i].table, inputs[i].snapshot_before).kind;
        if (kind == TableChanges::Kind::none) continue;
        changed.push_back(i);
        only_appends = only_appends && kind == TableChanges::Kind::appended;
    }
    if (work.run.range()) return place_range(work, !changed.empty());
    if (changed.empty() && work.facts.repeatable) {
        work.mode = TableMode::nothing;
        return {};
    }
    if (spec_.refresh.window) return place_window(work);
    if (changed.size() > 1 || !only_appends) return {};
    for (const auto& use : work.facts.tables) {
        const auto& name = inputs[changed[0]].name;
        if (use.database != name.database || use.table != name.table || !use.row_wise) continue;
        work.mode = TableMode::added_rows;
        work.changed_input = changed[0];
    }
    return {};
}

/// The first date or timestamp of the key, and the SQL of where the window begins.
Status TableStep::find_window(Work& work) const {
    for (const auto& key : spec_.key)
        for (const auto& column : work.facts.columns) {
            if (lower_ascii(column.name) != lower_ascii(key)) continue;
            const auto kind = column.type.kind;
            if (kind != query::Kind::date && kind != query::Kind::timestamp &&
                kind != query::Kind::timestamptz)
                continue;
            work.window_column = quoted(lower_ascii(column.name));
            work.window_type = query::sql_name(column.type);
            return {};
        }
    return Error{Code::invalid_argument,
                 std::string(work.run.range() ? "a range was asked for" : "refresh has a window") +
                     ", but no column of the key is a date or timestamp"};
}

/// The run records that the inputs' present states are worked through. Where rows came in since, a
/// range alone would leave them out for good: the window goes with it, and without a window the
/// whole table.
Status TableStep::place_range(Work& work, bool inputs_changed) const {
    if (inputs_changed && !spec_.refresh.window) return {};
    if (inputs_changed) {
        TARN_CHECK_OK(place_window(work));
        if (work.mode != TableMode::window) return {};  // no row yet: all of it
    }
    work.mode = TableMode::range;
    work.with_range = true;
    // Two bounds the wrong way round, or no times: said before anything is deleted.
    const auto range = *work.run.range();
    TARN_TRY(fine, work.session.query("select " + literal(range.from) + "::" + work.window_type +
                                      " < " + literal(range.to) + "::" + work.window_type));
    if (fine.rows() != 1 || fine.columns[0].is_null(0) || fine.columns[0].number(0) == 0)
        return Error{Code::invalid_argument, "the range is empty: it begins at " + range.from +
                                                 " and ends before " + range.to};
    return {};
}

std::string TableStep::Work::wanted(const std::string& time) const {
    std::string sql;
    if (!window_from.empty()) sql = time + " >= " + window_from;
    if (!with_range) return sql;
    const auto range = *run.range();
    sql += (sql.empty() ? "(" : " or (") + time + " >= " + literal(range.from) + "::" +
           window_type + " and " + time + " < " + literal(range.to) + "::" + window_type + ")";
    return "(" + sql + ")";
}

/// The window reaches back from the newest row that the table has: whatever the clock says, and
/// however long nothing ran, no time is left out. Rows of the future don't move it. Days are those
/// of the session's time zone, as in the SELECT.
Status TableStep::place_window(Work& work) const {
    const std::string now = "make_timestamptz(" + std::to_string(work.run.started().micros) + ")";
    TARN_TRY(found, work.session.query(
                        "select (least(max(" + work.window_column + ")::timestamptz, " + now +
                        ") - to_seconds(" + std::to_string(spec_.refresh.window->count()) +
                        "))::" + work.window_type + "::text from " + quoted(spec_.name) +
                        " where " + work.window_column + " is not null"));
    if (found.rows() != 1 || found.columns[0].is_null(0)) return {};  // no row yet: all of it
    work.mode = TableMode::window;
    work.window_from = literal(std::string(found.columns[0].text(0))) + "::" + work.window_type;
    return {};
}

/// A table whose columns no longer fit is replaced by a new one of the same name, in the same
/// commit.
Status TableStep::make_table(Work& work) const {
    const std::string name = quoted(spec_.name);
    if (work.table) {
        const auto& properties = work.table->metadata->properties;
        const auto columns = properties.find(kColumns);
        if (columns != properties.end() && columns->second == signature(work.facts)) return {};
        TARN_CHECK_OK(work.session.run("drop table " + name));
        work.table = nullptr;
    }
    std::string sql = "create table " + name + " (";
    for (size_t i = 0; i < work.facts.columns.size(); ++i) {
        const auto& column = work.facts.columns[i];
        const auto type =
            column.type.kind == query::Kind::null ? query::Type(query::Kind::text) : column.type;
        sql += (i == 0 ? "" : ", ") + quoted(lower_ascii(column.name)) + " " + query::sql_name(type);
    }
    sql += ")";
    if (!spec_.partition.empty()) sql += " partitioned by (" + spec_.partition + ")";
    const auto made = work.session.run(sql);
    return made.ok() ? Status() : std::move(made).error();
}

/// The rows that this run computes anew.
Status TableStep::take_away(Work& work) const {
    const TableRef rejected = rejected_table(spec_.name);
    TARN_TRY(has_rejected, work.run.state()->find_relation(rejected.database, rejected.table));
    const bool clean = has_rejected && has_rejected->kind == tables::RelationKind::table;
    if (work.mode == TableMode::scratch) {
        if (work.table)
            TARN_CHECK_OK(
                query::remove_all_rows(work.session, spec_.name.database, spec_.name.table));
        if (clean)
            TARN_CHECK_OK(query::remove_all_rows(work.session, rejected.database, rejected.table));
    } else if (work.mode == TableMode::window || work.mode == TableMode::range) {
        TARN_CHECK_OK(work.session.run("delete from " + quoted(spec_.name) + " where " +
                                       work.wanted(work.window_column)));
        if (clean)
            TARN_CHECK_OK(work.session.run(
                "delete from " + quoted(rejected) + " where " +
                work.wanted("try_cast(json_extract_string(\"row\", " +
                            literal("$." + work.window_column) + ") as " + work.window_type + ")")));
    }
    return {};
}

Status TableStep::compute(Work& work) const {
    if (work.run.cancelled()) return Error{Code::cancelled, "the run was cancelled"};
    std::string names;
    for (const auto& column : work.facts.columns)
        names += (names.empty() ? "" : ", ") + quoted(lower_ascii(column.name));
    std::string sql = "insert into " + quoted(spec_.name) + " select * from (\n" + spec_.sql +
                      "\n) as computed(" + names + ")";
    if (work.mode == TableMode::window || work.mode == TableMode::range)
        sql += " where " + work.wanted(work.window_column);
    const auto& inputs = work.run.inputs();
    if (work.mode == TableMode::added_rows) {
        const auto& input = inputs[work.changed_input];
        TARN_TRY(added, added_since(parts_.catalog, *input.table, input.snapshot_before));
        work.result.rows_read = added.rows;
        TARN_CHECK_OK(query::read_only_files(work.session, input.name.database, input.name.table,
                                             std::move(added.files)));
    }
    work.run.progress("computing rows", 0, work.result.rows_read);
    TARN_TRY(rows, work.session.run(sql));
    work.result.rows_written = rows;
    if (work.mode == TableMode::added_rows) {
        const auto& input = inputs[work.changed_input];
        TARN_CHECK_OK(query::read_only_files(work.session, input.name.database, input.name.table,
                                             std::nullopt));
    }
    return {};
}

Status TableStep::check(Work& work) const {
    if (checks_.empty()) return {};
    work.run.progress("checking", 0, checks_.size());
    if (kinds_for_ != signature(work.facts)) kinds_.clear();
    kinds_for_ = signature(work.facts);
    CheckContext context{work.session,       parts_.engine, parts_.system,      spec_.name,
                         work.facts.columns, false,         work.run.started(), kinds_};
    for (auto& column : context.columns) column.name = lower_ascii(column.name);
    context.all_rows_new = work.mode == TableMode::scratch;
    TARN_TRY(checked, run_checks(checks_, context));
    work.result.rows_set_aside = checked.rows_set_aside;
    work.result.rows_written -= std::min(work.result.rows_written, checked.rows_set_aside);
    work.result.warnings = std::move(checked.warnings);
    return {};
}

Status TableStep::finish(Work& work) const {
    if (work.run.cancelled()) return Error{Code::cancelled, "the run was cancelled"};
    TARN_TRY(own, query::own_files(work.session, spec_.name.database, spec_.name.table));
    for (const auto& task : own)
        work.result.bytes_written += static_cast<uint64_t>(task.file->file_size_bytes);
    work.run.progress("committing", 0, 0);
    return commit_session(work.session, work.run, parts_.catalog, {},
                          [&](tables::TableChange& change) {
                              if (!change.create || change.table->info.name != spec_.name.table)
                                  return;
                              change.set_properties[kMadeBy] = name_;
                              change.set_properties[kColumns] = signature(work.facts);
                          });
}

Result<std::shared_ptr<Step>> make_table_step(const TableSpec& spec, const TableStepParts& parts) {
    TableSpec own = spec;
    TARN_CHECK_OK(tables::check_name("table", spec.name.table));
    const auto statements = query::split_statements(own.sql);
    if (statements.size() != 1)
        return Error{Code::invalid_argument,
                     (statements.empty() ? "the SQL is empty" : "the SQL must be one SELECT")};
    own.sql = std::string(statements[0].sql);
    auto inputs = tables_of(parts.catalog.snapshot(), own.sql, own.name.database);
    if (!inputs.ok()) return std::move(inputs).error();
    std::vector<ParsedCheck> checks;
    for (const auto& check : own.checks) {
        auto parsed = parse_check(check, own.key);
        if (!parsed.ok()) return std::move(parsed).error();
        checks.push_back(std::move(*parsed));
    }
    if (own.refresh.window && own.key.empty())
        return Error{Code::invalid_argument, "a window needs a key with a date or timestamp in it"};
    if (!own.partition.empty()) {
        // Read by the parser that will read it later; nothing is made.
        const auto layout = query::split_comparison(own.partition);
        if (!layout.ok())
            return Error{Code::invalid_argument,
                         "partition \"" + own.partition +
                             "\" cannot be read: say month(day), day, bucket(16, id)"};
    }
    return std::shared_ptr<Step>(
        std::make_shared<TableStep>(std::move(own), std::move(checks), std::move(*inputs), parts));
}

}  // namespace tarn::flows
