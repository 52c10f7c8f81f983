#include "dashboards/dashboards.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "dashboards/internal/chart_sql.h"
#include "dashboards/internal/names.h"

namespace tarn::dashboards {
namespace {

constexpr size_t kDashboardsMax = 200, kChartsMax = 60, kFiltersMax = 12, kFilterValuesMax = 50,
                 kOriginsMax = 20;
constexpr uint64_t kChoicesMax = 500;
constexpr int kViewDepthMax = 8;
/// Of all charts together: 60 slow ones would hold a lane of SQL for 20 minutes. Those that are done
/// are kept, so that the next look goes further.
constexpr auto kPageBudget = std::chrono::seconds(60);

/// All SQL of a chart in one text, for finding the tables that it may read.
std::string text_of(const ChartSpec& chart) {
    std::string text =
        chart.from + "\n" + chart.where + "\n" + chart.sql + "\n" + chart.colour + "\n" + chart.by +
        "\n" + chart.order + "\n" + chart.split + "\n" + chart.spark;
    for (const auto& measure : chart.measures) text += "\n" + measure;
    for (const auto& column : chart.columns) text += "\n" + column;
    return text;
}

/// Whether a chart's answer depends on nothing but its tables and the hour: all its words are
/// columns of them or known. Anything else (current_user, a catalog, a model's function) may mean
/// something else to the next viewer.
bool is_common(const ChartSpec& chart, const std::set<std::string>& of_tables) {
    static const std::set<std::string> kWords = {
        "and", "asc",  "avg", "between", "case", "coalesce", "count", "desc", "distinct", "else",
        "end", "false", "first", "greatest", "in", "is", "last", "least", "like", "max", "median",
        "min", "not", "null", "nullif", "nulls", "or", "round", "sum", "then", "true", "when"};
    static const std::set<std::string> kOfTheViewer = {
        "current_catalog", "current_database", "current_role", "current_schema", "current_user",
        "session_user",    "user"};
    std::string text = chart.from + "\n" + chart.where + "\n" + chart.sql + "\n" + chart.colour +
                       "\n" + split_label(chart.by).first + "\n" + chart.order + "\n" +
                       split_label(chart.split).first + "\n" + split_label(chart.spark).first;
    for (const auto& measure : chart.measures) text += "\n" + split_label(measure).first;
    for (const auto& column : chart.columns) text += "\n" + split_label(column).first;
    const auto names = possible_tables(text);
    return std::all_of(names.begin(), names.end(), [&](const Name& name) {
        return !kOfTheViewer.contains(name.second) &&
               (kWords.contains(name.second) || of_tables.contains(name.second));
    });
}

/// The tables that exist among `names`, views followed to what they stand for.
Status add_tables(const tables::CatalogSnapshot& state, const std::set<Name>& names, int depth,
                  std::map<std::string, tables::RelationInfo>& found) {
    for (const auto& [database, relation] : names) {
        if (found.contains(database + "." + relation)) continue;
        TARN_TRY(info, state.find_relation(database, relation));
        if (!info) continue;
        found.emplace(info->full_name(), *info);
        if (info->kind == tables::RelationKind::view && depth < kViewDepthMax)
            TARN_CHECK_OK(add_tables(state, possible_tables(info->sql), depth + 1, found));
    }
    return ok_status();
}

/// A text that is the same for two principals only when they see the same of a table.
std::string fingerprint(const query::TableAccess& access, const security::Principal& principal) {
    if (access.unrestricted()) return "all";
    std::string text;
    for (const auto& grant : access.read) {
        text += grant.all_columns ? "[*" : "[";
        for (const auto& column : grant.columns) text += column + ",";
        text += "|" + grant.row_filter + "|";
        for (const auto& [column, mask] : grant.masks) text += column + "=" + mask + ",";
        text += "]";
    }
    text += principal.name;
    for (const auto& [name, value] : principal.attributes) text += "&" + name + "=" + value;
    return text;
}

/// What a viewer without full sight is told: nothing that parts "not there" from "not for you".
Error for_viewer(Error error, const security::Principal& viewer) {
    const bool hidden = error.code == Code::permission_denied || error.reason == "42P01" ||
                        error.reason == "42703" || error.reason == "42501" ||
                        error.reason == "3F000";
    if (!hidden) return error;
    if (viewer.is_root())
        return Error(error.reason == "42P01" ? Code::not_found : error.code, error.message,
                     error.reason);
    return Error(Code::permission_denied,
                 "You may not see what this chart reads, or it does not exist yet.");
}

/// Rows of several chunks in one.
void append(query::Chunk& to, query::Chunk from, size_t rows) {
    if (to.columns.empty() && from.rows() <= rows) {
        to = std::move(from);
        return;
    }
    for (size_t i = 0; i < from.columns.size(); ++i) {
        if (to.columns.size() <= i) to.columns.emplace_back(from.columns[i].type());
        for (size_t row = 0; row < std::min(rows, from.rows()); ++row) {
            if (from.columns[i].is_null(row))
                to.columns[i].append_null();
            else
                to.columns[i].append(from.columns[i].value(row));
        }
    }
}

Status check_filters(const DashboardSpec& spec, const Filters& filters) {
    for (const auto& [name, values] : filters) {
        if (std::find(spec.filters.begin(), spec.filters.end(), name) == spec.filters.end())
            return Error(Code::invalid_argument, "the dashboard " + spec.name + " has no filter '" +
                                                     name.substr(0, 60) + "'");
        if (values.size() > kFilterValuesMax)
            return Error(Code::invalid_argument, "the filter " + name + " has more than 50 values");
        for (const auto& value : values)
            if (value.size() > 500)
                return Error(Code::invalid_argument,
                             "a value of the filter " + name + " is too long");
    }
    return ok_status();
}

/// "https://intranet.example:8443": it goes into a header, so nothing else may.
bool is_origin(std::string_view text) {
    const size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    if (scheme == 0 || text.size() == scheme || text.size() > 200) return false;
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(scheme), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
    });
}

/// A declared measure's name becomes its SQL, and the name its label.
void put_measures(ChartSpec& chart, const Measures& measures) {
    const auto name = parse_name(chart.from);
    if (!name.ok()) return;
    const auto of_table = measures.find(name->first + "." + name->second);
    if (of_table == measures.end()) return;
    const auto put = [&](std::string& text) {
        const auto [word, label] = split_label(text);
        const auto found = of_table->second.find(word);
        if (found != of_table->second.end())
            text = found->second + " as " + (label.empty() ? word : quoted(label));
    };
    for (auto& measure : chart.measures) put(measure);
    put(chart.spark);
    put(chart.colour);
}

/// Series that were left out are told; whether there were any is known by their number alone.
void note_series(const ChartQuery& query, ChartData& out) {
    if (query.series_max == 0 || out.rows->columns.size() < 2) return;
    std::set<std::string> names;
    for (size_t row = 0; row < out.rows->rows(); ++row)
        names.insert(std::string(out.rows->columns[1].text(row)));
    if (names.size() >= query.series_max)
        out.notes.push_back("the largest " + std::to_string(query.series_max) + " of " + out.columns[1].name);
}

double milliseconds_since(const Clock& clock, std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(clock.steady() - begin).count();
}

}  // namespace

struct Dashboards::Cached {
    std::string key;
    std::shared_ptr<const ChartData> chart;
    std::chrono::steady_clock::time_point made;
};

/// What the threads of one page have in common.
struct Dashboards::Shared {
    const Filters& filters;
    const security::Caller& viewer;
    const std::chrono::steady_clock::time_point begun;
    const tables::CatalogSnapshot state;
    std::vector<std::vector<size_t>> charts;  // those in one list are answered by one scan
    std::atomic<size_t> next{0};              // lists of charts, then choices of filters
};

/// One thread's part of a viewer's look at a dashboard: one session, made when the first chart needs it.
struct Dashboards::Page {
    const Parts& parts;
    const Options& options;
    const DashboardSpec& spec;
    const Filters& filters;
    const security::Caller& viewer;
    const std::chrono::steady_clock::time_point begun;
    const tables::CatalogSnapshot& state;
    std::unique_ptr<query::Session> session;
    std::map<std::string, std::vector<query::ResultColumn>> described;

    Result<query::Session*> connect() {
        if (session == nullptr) {
            TARN_TRY(opened, parts.engine.connect(viewer));
            TARN_CHECK_OK(opened->set_setting("statement_timeout",
                                              std::to_string(options.chart_timeout.count())));
            session = std::move(opened);
        }
        return session.get();
    }

    Result<std::vector<query::ResultColumn>> describe(const std::string& relation) {
        const auto known = described.find(relation);
        if (known != described.end()) return known->second;
        TARN_TRY(open, connect());
        TARN_TRY(statement, open->prepare("select * from " + relation + " limit 0", {}));
        return described.emplace(relation, statement->columns()).first->second;
    }

    /// The tables behind a chart: what the viewer sees of them and their state, in `chart` and in
    /// the cache's key.
    Status note_tables(const ChartSpec& chart, ChartData& out, std::string& key) {
        std::map<std::string, tables::RelationInfo> found;
        TARN_CHECK_OK(add_tables(state, possible_tables(text_of(chart)), 0, found));
        std::set<std::string> words;  // that name nothing but these tables
        bool views = false;
        for (const auto& [name, info] : found) {
            views = views || info.kind == tables::RelationKind::view;
            words.insert({info.database, info.name});
            query::TableAccess access = query::TableAccess::everything();
            if (!viewer.principal.is_root()) {
                TARN_TRY(asked,
                         parts.access.table_access(viewer.principal, info.database, info.name));
                access = std::move(asked);
            }
            key += "\n" + name + "/" + info.uuid + "/" + fingerprint(access, viewer.principal);
            if (info.kind == tables::RelationKind::view) continue;
            TARN_TRY(table, state.load_table(info));
            key += "@" + table->metadata_location;
            for (const auto& field : table->schema().fields) words.insert(field.name);
            const auto snapshot = table->current_snapshot();
            if (access.read.empty()) continue;
            TableAsOf as_of{name, 0, std::nullopt};
            if (snapshot != nullptr)
                as_of = {name, snapshot->snapshot_id, Timestamp{snapshot->timestamp_ms * 1000}};
            out.tables.push_back(std::move(as_of));
        }
        if (views || !is_common(chart, words)) {
            key += "\nfor " + viewer.principal.arn;
            for (const auto& role : viewer.principal.roles) key += "," + role;
            for (const auto& [name, value] : viewer.principal.attributes)
                key += "&" + name + "=" + value;
        }
        return ok_status();
    }

    Status run(const ChartQuery& query, ChartData& out) {
        TARN_TRY(open, connect());
        std::vector<std::optional<query::Type>> types(query.parameter_types.begin(),
                                                      query.parameter_types.end());
        TARN_TRY(statement, open->prepare(query.sql, types));
        std::vector<query::Value> values;
        for (size_t i = 0; i < query.parameters.size(); ++i) {
            auto value = query::parse_pg_text(statement->parameters()[i], query.parameters[i]);
            if (!value.ok())
                return Error(Code::invalid_argument,
                             "a filter's value does not fit: " + value.error().message);
            values.push_back(std::move(value).value());
        }
        TARN_TRY(cursor, open->execute(*statement, values));
        auto rows = std::make_shared<query::Chunk>();
        for (;;) {
            TARN_TRY(chunk, cursor->next());
            if (!chunk) break;
            const size_t room = query.limit - std::min<size_t>(query.limit, rows->rows());
            out.truncated = query.limit_is_a_cut && chunk->rows() > room;
            append(*rows, std::move(*chunk), room);
            if (out.truncated) break;
        }
        const auto& columns = cursor->columns();
        if (rows->columns.empty())
            for (const auto& column : columns) rows->columns.emplace_back(column.type);
        out.columns = query.columns;
        out.columns.resize(columns.size());
        for (size_t i = 0; i < columns.size(); ++i) {
            out.columns[i].type = columns[i].type;
            if (out.columns[i].name.empty()) out.columns[i].name = columns[i].name;
        }
        out.rows = std::move(rows);
        return ok_status();
    }
};

Dashboards::Dashboards(Parts parts, Options options)
    : parts_(parts), options_(options), specs_(std::make_shared<Specs>()) {}
Dashboards::~Dashboards() = default;

Status Dashboards::check(const DashboardSpec& spec) {
    const auto wrong = [&](std::string what) {
        return Error(Code::invalid_argument, "dashboard " + spec.name + ": " + std::move(what));
    };
    if (!is_name(spec.name)) return wrong("its name has lower-case letters, digits and _");
    if (spec.charts.size() > kChartsMax) return wrong("it has more than 60 charts");
    if (spec.filters.size() > kFiltersMax) return wrong("it has more than 12 filters");
    for (const auto& filter : spec.filters)
        if (!is_name(filter)) return wrong("the filter '" + filter + "' is no column's name");
    for (const auto& chart : spec.charts) {
        const Status status = check_chart(chart);
        if (!status.ok()) return wrong(status.error().message);
    }
    if (spec.embed.size() > kOriginsMax) return wrong("more than 20 origins may embed it");
    for (const auto& origin : spec.embed)
        if (!is_origin(origin))
            return wrong("'" + origin + "' is no origin: write https://host, without a path");
    return ok_status();
}

Status Dashboards::configure(std::vector<DashboardSpec> specs, Measures measures) {
    std::set<std::string> names;
    if (specs.size() > kDashboardsMax)
        return Error(Code::invalid_argument, "there are more than 200 dashboards");
    for (const auto& spec : specs) {
        TARN_CHECK_OK(check(spec));
        if (!names.insert(spec.name).second)
            return Error(Code::invalid_argument, "there are two dashboards " + spec.name);
    }
    MutexLock lock(mutex_);
    if (declared_ == specs && measures_ == measures) return ok_status();
    declared_ = specs;
    for (auto& spec : specs)
        for (auto& chart : spec.charts) put_measures(chart, measures);
    measures_ = std::move(measures);
    specs_ = std::make_shared<const Specs>(std::move(specs));
    ++generation_;
    cache_.clear();
    cache_index_.clear();
    cached_rows_ = 0;
    return ok_status();
}

std::shared_ptr<const Dashboards::Specs> Dashboards::current(uint64_t* generation) const {
    MutexLock lock(mutex_);
    if (generation != nullptr) *generation = generation_;
    return specs_;
}

std::vector<DashboardSpec> Dashboards::list() const {
    MutexLock lock(mutex_);
    return declared_;
}

Result<Measures> Dashboards::measures(const security::Principal& viewer) const {
    Measures all;
    {
        MutexLock lock(mutex_);
        all = measures_;
    }
    Measures out;
    for (auto& [table, named] : all) {
        if (!viewer.is_root()) {
            TARN_TRY(name, parse_name(table));
            TARN_TRY(access, parts_.access.table_access(viewer, name.first, name.second));
            if (access.read.empty()) continue;
        }
        out.emplace(table, std::move(named));
    }
    return out;
}

namespace {

/// Which charts one scan answers, in the order of the page.
std::vector<std::vector<size_t>> scans_of(const DashboardSpec& spec) {
    std::vector<std::vector<size_t>> out;
    for (size_t i = 0; i < spec.charts.size(); ++i) {
        const auto found = std::find_if(out.begin(), out.end(), [&](const std::vector<size_t>& scan) {
            return are_one_scan(spec.charts[scan.front()], spec.charts[i]);
        });
        if (found == out.end())
            out.push_back({i});
        else
            found->push_back(i);
    }
    return out;
}

Result<const DashboardSpec*> find_spec(const std::vector<DashboardSpec>& specs,
                                       const std::string& name) {
    for (const auto& spec : specs)
        if (spec.name == name) return &spec;
    return Error(Code::not_found, "there is no dashboard '" + name.substr(0, 100) + "'");
}

}  // namespace

Result<DashboardData> Dashboards::data(const std::string& name, const Filters& filters,
                                       const security::Caller& viewer) {
    const auto begin = parts_.clock.steady();
    const auto specs = current();
    TARN_TRY(spec, find_spec(*specs, name));
    TARN_CHECK_OK(check_filters(*spec, filters));
    Shared shared{filters, viewer, begin, parts_.catalog.snapshot(), scans_of(*spec), 0};
    DashboardData out;
    out.name = spec->name;
    out.title = spec->title.empty() ? spec->name : spec->title;
    out.charts.resize(spec->charts.size());
    out.filters.resize(spec->filters.size());
    std::vector<std::thread> others;
    const size_t jobs = shared.charts.size() + out.filters.size();
    for (size_t i = 1; i < std::min(jobs, options_.at_once); ++i)
        others.emplace_back([&] { work(shared, *spec, out); });
    work(shared, *spec, out);
    for (auto& other : others) other.join();
    out.milliseconds = milliseconds_since(parts_.clock, begin);
    return out;
}

/// Takes one chart after another until none is left.
void Dashboards::work(Shared& shared, const DashboardSpec& spec, DashboardData& out) {
    Page page{parts_, options_, spec, shared.filters, shared.viewer, shared.begun, shared.state, nullptr, {}};
    const size_t scans = shared.charts.size();
    for (size_t i = shared.next++; i < scans + out.filters.size(); i = shared.next++) {
        if (i >= scans)
            out.filters[i - scans] = choices(page, spec.filters[i - scans]);
        else
            figures(page, shared.charts[i], out);
    }
}

void Dashboards::figures(Page& page, const std::vector<size_t>& places, DashboardData& out) {
    const auto begin = parts_.clock.steady();
    std::vector<const ChartSpec*> wanted;
    std::vector<std::pair<size_t, std::string>> asked;  // place, key of the kept answer
    for (const size_t place : places) {
        const ChartSpec& spec = page.spec.charts[place];
        std::string key;
        if (places.size() > 1 && begin_answer(page, spec, "chart", out.charts[place], key)) continue;
        wanted.push_back(&spec);
        asked.emplace_back(place, std::move(key));
    }
    ChartData all;
    bool together = wanted.size() > 1;
    if (together) {
        const auto query = make_figures_query(
            wanted, page.filters, [&](const std::string& relation) { return page.describe(relation); });
        together = query.ok() && page.run(*query, all).ok() && all.rows->rows() == 1;
        if (together) all.filters_ignored = query->filters_ignored;
    }
    for (size_t i = 0; i < asked.size(); ++i) {
        ChartData& one = out.charts[asked[i].first];
        if (!together) {
            one = chart(page, *wanted[i]);
            continue;
        }
        one.columns = {all.columns[i]};
        auto rows = std::make_shared<query::Chunk>();
        rows->columns.push_back(all.rows->columns[i]);
        one.rows = std::move(rows);
        one.filters_ignored = all.filters_ignored;
        one.milliseconds = milliseconds_since(parts_.clock, begin);
        keep(asked[i].second, one);
    }
}

ChartData Dashboards::chart(Page& page, const ChartSpec& spec) {
    return answer(page, spec, "chart", [&](const Describe& describe) {
        return make_chart_query(spec, page.filters, describe, options_.rows_max);
    });
}

/// Asks the charts in turn until one has the column.
FilterChoice Dashboards::choices(Page& page, const std::string& filter) {
    FilterChoice out;
    out.name = filter;
    if (const auto chosen = page.filters.find(filter); chosen != page.filters.end())
        out.selected = chosen->second;
    for (const auto& spec : page.spec.charts) {
        bool has_column = false;
        const ChartData found = answer(
            page, spec, "choices " + filter, [&](const Describe& describe) -> Result<ChartQuery> {
                TARN_TRY(query, make_choices_query(spec, filter, describe, kChoicesMax));
                if (!query) return Error(Code::not_found, "no such column");
                return std::move(*query);
            });
        has_column = found.rows != nullptr && !found.error;
        if (!has_column) continue;
        const auto& column = found.rows->columns[0];
        for (size_t row = 0; row < column.rows(); ++row) {
            out.values.emplace_back();
            column.append_pg_text(row, out.values.back());
        }
        out.more = found.truncated;
        break;
    }
    return out;
}

ChartData Dashboards::answer(Page& page, const ChartSpec& spec, const std::string& what,
                             const MakeQuery& make) {
    const auto begin = parts_.clock.steady();
    ChartData out;
    std::string key;
    if (begin_answer(page, spec, what, out, key)) return out;
    if (begin - page.begun > kPageBudget) {
        out.error = Error(Code::timed_out, "the charts before this one took all of the page's time");
        return out;
    }
    const auto query = make([&](const std::string& relation) { return page.describe(relation); });
    Status done = query.ok() ? page.run(*query, out) : Status(query.error());
    if (done.ok()) {
        out.filters_ignored = query->filters_ignored;
        out.notes = query->notes;
        note_series(*query, out);
    } else {
        out.error = for_viewer(std::move(done).error(), page.viewer.principal);
        if (out.error->code == Code::permission_denied) out.tables.clear();
    }
    out.milliseconds = milliseconds_since(parts_.clock, begin);
    if (!out.error) keep(key, out);
    return out;
}

bool Dashboards::begin_answer(Page& page, const ChartSpec& spec, const std::string& what, ChartData& out,
                              std::string& key) {
    out.spec = spec;
    key = page.spec.name + "\n" + spec.title + "\n" + text_of(spec) + "\n" + what +
          "\n" + std::to_string(static_cast<int>(spec.kind)) + "/" +
          std::to_string(spec.limit);
    if (what == "chart")
        for (const auto& [filter, values] : page.filters)
            for (const auto& value : values)
                key += "\n" + filter + "=" + std::to_string(value.size()) + ":" + value;
    const Status noted = page.note_tables(spec, out, key);
    if (!noted.ok()) {
        out.error = noted.error();
        return true;
    }
    const auto kept = find_cached(key);
    if (kept == nullptr) return false;
    out = *kept;
    out.from_cache = true;
    return true;
}

std::shared_ptr<const ChartData> Dashboards::find_cached(const std::string& key) {
    MutexLock lock(mutex_);
    const auto found = cache_index_.find(key);
    if (found == cache_index_.end()) return nullptr;
    if (parts_.clock.steady() - found->second->made > options_.cache_age_max) {
        forget(found->second);
        return nullptr;
    }
    cache_.splice(cache_.begin(), cache_, found->second);
    return found->second->chart;
}

void Dashboards::keep(const std::string& key, const ChartData& chart) {
    MutexLock lock(mutex_);
    if (const auto old = cache_index_.find(key); old != cache_index_.end()) forget(old->second);
    cache_.push_front({key, std::make_shared<const ChartData>(chart), parts_.clock.steady()});
    cache_index_[key] = cache_.begin();
    cached_rows_ += chart.rows->rows();
    while (cache_.size() > options_.cache_entries_max || cached_rows_ > options_.cache_rows_max)
        forget(std::prev(cache_.end()));
}

void Dashboards::forget(std::list<Cached>::iterator entry) {
    cached_rows_ -= entry->chart->rows->rows();
    cache_index_.erase(entry->key);
    cache_.erase(entry);
}

Result<std::map<std::string, int64_t>> Dashboards::versions(
    const std::string& name, const security::Principal& viewer) const {
    uint64_t generation = 0;
    const auto specs = current(&generation);
    TARN_TRY(spec, find_spec(*specs, name));
    const auto state = parts_.catalog.snapshot();
    std::map<std::string, tables::RelationInfo> found;
    for (const auto& chart : spec->charts)
        TARN_CHECK_OK(add_tables(state, possible_tables(text_of(chart)), 0, found));
    std::map<std::string, int64_t> out;
    out["(declared)"] = static_cast<int64_t>(generation);
    for (const auto& [table, info] : found) {
        if (info.kind == tables::RelationKind::view) continue;
        if (!viewer.is_root()) {
            TARN_TRY(access, parts_.access.table_access(viewer, info.database, info.name));
            if (access.read.empty()) continue;
        }
        TARN_TRY(loaded, state.load_table(info));
        const auto snapshot = loaded->current_snapshot();
        out[table] = snapshot == nullptr ? 0 : snapshot->snapshot_id;
    }
    return out;
}

}  // namespace tarn::dashboards
