#include "dashboards/dashboards.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "dashboards/internal/chart_sql.h"
#include "dashboards/internal/names.h"
#include "dashboards/internal/page.h"
#include "dashboards/internal/shared_scan.h"

namespace tarn::dashboards {
namespace {

constexpr size_t kDashboardsMax = 200, kChartsMax = 60, kFiltersMax = 12, kFilterValuesMax = 50,
                 kOriginsMax = 20;
/// Of all charts together: 60 slow ones would hold a lane of SQL for 20 minutes. Those that are done
/// are kept, so that the next look goes further.
constexpr auto kPageBudget = std::chrono::seconds(60);

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
            text = found->second + " as " + (label.empty() ? word : quoted_name(label));
    };
    for (auto& measure : chart.measures) put(measure);
    put(chart.spark);
    put(chart.colour);
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

}  // namespace

struct Dashboards::Cached {
    std::string key;
    std::shared_ptr<const ChartData> chart;
    std::chrono::steady_clock::time_point made;
};

/// What the threads of one page have in common.
struct Dashboards::Shared {
    const DashboardSpec& spec;
    const Filters& filters;
    const security::Caller& viewer;
    const std::chrono::steady_clock::time_point begun;
    const tables::CatalogSnapshot state;
    std::vector<std::string> keys;           // of kept answers, by chart
    std::vector<Scan> scans;                 // of charts that are not kept
    std::vector<size_t> choices;             // filters whose values no scan brings along
    std::atomic<size_t> next{0};             // scans, then choices
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
    Shared shared{*spec, filters, viewer, begin, parts_.catalog.snapshot(), {}, {}, {}, 0};
    DashboardData out;
    out.name = spec->name;
    out.title = spec->title.empty() ? spec->name : spec->title;
    out.charts.resize(spec->charts.size());
    out.filters.resize(spec->filters.size());
    shared.keys.resize(spec->charts.size());
    Page page = page_of(shared);
    std::vector<size_t> missing;
    for (size_t i = 0; i < spec->charts.size(); ++i)
        if (!begin_answer(page, spec->charts[i], "chart", out.charts[i], shared.keys[i])) missing.push_back(i);
    shared.scans = plan_scans(page, missing);
    const auto described = page.described;
    std::vector<std::thread> others;
    std::set<size_t> along;
    for (const Scan& scan : shared.scans) along.insert(scan.filters.begin(), scan.filters.end());
    for (size_t i = 0; i < out.filters.size(); ++i)
        if (!along.contains(i)) shared.choices.push_back(i);
    const size_t jobs = shared.scans.size() + shared.choices.size();
    for (size_t i = 1; i < std::min(jobs, options_.at_once); ++i)
        others.emplace_back([&] {
            Page own = page_of(shared);
            own.described = described;
            work(shared, own, out);
        });
    work(shared, page, out);
    for (auto& other : others) other.join();
    out.milliseconds = milliseconds_since(parts_.clock, begin);
    return out;
}

Page Dashboards::page_of(const Shared& shared) const {
    return {parts_, options_, shared.spec, shared.filters, shared.viewer, shared.begun, shared.state, nullptr, {}};
}

/// Takes one scan after another until none is left.
void Dashboards::work(Shared& shared, Page& page, DashboardData& out) {
    const size_t scans = shared.scans.size();
    for (size_t i = shared.next++; i < scans + shared.choices.size(); i = shared.next++) {
        if (i >= scans) {
            const size_t place = shared.choices[i - scans];
            out.filters[place] = choices(page, shared.spec.filters[place], nullptr);
            continue;
        }
        const Scan& scan = shared.scans[i];
        std::vector<ChartData> values(out.filters.size());
        const bool together = scan.charts.size() > 1 && answer_together(page, scan, out.charts, values);
        for (const size_t place : scan.filters)
            out.filters[place] = choices(page, shared.spec.filters[place], together ? &values[place] : nullptr);
        for (const size_t place : scan.charts) {
            ChartData& chart = out.charts[place];
            if (!together)
                ask(page, chart, [&](const Describe& describe) {
                    return make_chart_query(chart.spec, page.filters, describe, options_.rows_max);
                });
            if (!chart.error) keep(shared.keys[place], chart);
        }
    }
}

/// From the table of the first chart that has the column.
FilterChoice Dashboards::choices(Page& page, const std::string& filter, const ChartData* known) {
    FilterChoice out;
    out.name = filter;
    if (const auto chosen = page.filters.find(filter); chosen != page.filters.end())
        out.selected = chosen->second;
    for (const auto& spec : page.spec.charts) {
        if (!spec.sql.empty()) continue;
        ChartData found;
        std::string key;
        if (!begin_answer(page, spec, "choices " + filter, found, key)) {
            if (!has_column(page, spec, filter)) continue;
            if (known != nullptr) {
                found.columns = known->columns;
                found.rows = known->rows;
                found.truncated = known->truncated;
            } else {
                ask(page, found, [&](const Describe&) { return make_choices_query(spec, filter, kChoicesMax); });
            }
            if (!found.error) keep(key, found);
        }
        if (found.error) continue;
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

void Dashboards::ask(Page& page, ChartData& out, const MakeQuery& make) {
    const auto begin = parts_.clock.steady();
    if (begin - page.begun > kPageBudget) {
        out.error = Error(Code::timed_out, "the charts before this one took all of the page's time");
        return;
    }
    const auto query = make([&](const std::string& relation) { return page.describe(relation); });
    Status done = query.ok() ? page.run(*query, out) : Status(query.error());
    if (done.ok()) {
        note_query(*query, out);
    } else {
        out.error = for_viewer(std::move(done).error(), page.viewer.principal);
        if (out.error->code == Code::permission_denied) out.tables.clear();
    }
    out.milliseconds = milliseconds_since(parts_.clock, begin);
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
