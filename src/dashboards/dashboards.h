// Declared dashboards and their rows. A chart is one SELECT made of a few words of the lakefile; it runs in a session of
// the viewer, so that grants hold in charts as they do everywhere else.
//
//   dashboards.configure(specs);
//   auto page = dashboards.data("stock", {{"region", {"north"}}}, caller);
//   for (const auto& chart : page->charts) ...   // each with its rows or its error
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "dashboards/spec.h"
#include "query/access.h"
#include "query/engine.h"
#include "security/caller.h"
#include "tables/catalog.h"

namespace tarn::dashboards {

/// Filter column -> the values that are wanted; a column with none is not narrowed by.
using Filters = std::map<std::string, std::vector<std::string>>;

/// What a column of a chart's answer is drawn as.
enum class Role : uint8_t { value, x, measure, forecast, low, high, label, latitude, longitude, series, trend };

struct ChartColumn {
    std::string name;
    query::Type type;
    Role role = Role::value;
    std::string of;  // low, high: the forecast they belong to
};

/// A table that a chart read, and the state it was in. Only tables that the viewer may see.
struct TableAsOf {
    std::string name;                 // "main.risk"
    int64_t snapshot_id = 0;          // 0: it has never had a row
    std::optional<Timestamp> at;      // when that state was committed
};

struct ChartData {
    ChartSpec spec;
    std::vector<ChartColumn> columns;
    std::shared_ptr<const query::Chunk> rows;  // null when there is an error
    std::optional<Error> error;                // permission_denied: the viewer does not see a table or column of it, or
                                               // it does not exist (yet)
    double milliseconds = 0;                   // of the query that made the rows
    bool from_cache = false;
    bool truncated = false;                    // there were more rows than the limit
    std::vector<TableAsOf> tables;
    std::vector<std::string> filters_ignored;  // its table has no such column
    std::vector<std::string> notes;
};

struct FilterChoice {
    std::string name;
    std::vector<std::string> values;    // that the viewer can see, in order; at most 500
    std::vector<std::string> selected;
    bool more = false;                  // there are more values than are listed
};

struct DashboardData {
    std::string name, title;
    std::vector<FilterChoice> filters;
    std::vector<ChartData> charts;  // in the order declared
    double milliseconds = 0;
};

struct ChartQuery;  // internal
struct Page;        // internal

struct Options {
    size_t rows_max = 5'000;             // of one chart
    size_t cache_entries_max = 512;
    size_t cache_rows_max = 200'000;     // of all entries together
    std::chrono::seconds cache_age_max{30};  // answers may depend on the time of day
    std::chrono::milliseconds chart_timeout{20'000};
    size_t at_once = 4;  // charts of one page: while one waits for files another computes
};

/// Everything outlives the dashboards.
struct Parts {
    query::Engine& engine;
    tables::Catalog& catalog;
    const query::AccessProvider& access;
    const Clock& clock;
};

/// Owner: wiring. Lane of the calls: any but a loop; data() belongs on the lane of SQL statements.
class Dashboards {
 public:
    explicit Dashboards(Parts parts, Options options = {});
    ~Dashboards();

    /// Whether the words of a chart fit together and its names are names. Does not look at tables: they may be declared
    /// in the same lakefile. invalid_argument says which chart and what to do.
    static Status check(const DashboardSpec& spec);

    /// Replaces all dashboards. invalid_argument (nothing changes): check() fails or a name comes twice.
    Status configure(std::vector<DashboardSpec> specs, Measures measures = {});
    /// In the order declared, in the words of the lakefile.
    std::vector<DashboardSpec> list() const;
    /// Of the tables that the viewer sees.
    Result<Measures> measures(const security::Principal& viewer) const;

    /// All charts. A chart that fails has its error and does not disturb the others. not_found: no such dashboard;
    /// invalid_argument: a filter that the dashboard does not have.
    Result<DashboardData> data(const std::string& name, const Filters& filters, const security::Caller& viewer);

    /// Table -> snapshot id of what the dashboard's charts read and the viewer may see: changes when a chart can change.
    Result<std::map<std::string, int64_t>> versions(const std::string& name, const security::Principal& viewer) const;

    /// configure() takes all away; for symmetry with the other services.
    void stop() {}

 private:
    struct Cached;
    using Specs = std::vector<DashboardSpec>;

    using MakeQuery = std::function<Result<ChartQuery>(
        const std::function<Result<std::vector<query::ResultColumn>>(const std::string&)>& describe)>;

    std::shared_ptr<const Specs> current(uint64_t* generation = nullptr) const;
    struct Shared;
    Page page_of(const Shared& shared) const;
    void work(Shared& shared, Page& page, DashboardData& out);
    /// Fills in what is known without a query; true: that is all of it.
    bool begin_answer(Page& page, const ChartSpec& spec, const std::string& what, ChartData& out, std::string& key);
    /// `known`: the values, where a scan has brought them along.
    FilterChoice choices(Page& page, const std::string& filter, const ChartData* known);
    /// By the query that `make` makes. Precondition: begin_answer() was false.
    void ask(Page& page, ChartData& out, const MakeQuery& make);
    std::shared_ptr<const ChartData> find_cached(const std::string& key);
    void keep(const std::string& key, const ChartData& chart);
    void forget(std::list<Cached>::iterator entry) TARN_REQUIRES(mutex_);

    const Parts parts_;
    const Options options_;
    mutable Mutex mutex_;
    std::shared_ptr<const Specs> specs_ TARN_GUARDED_BY(mutex_);  // with measures in place of their names
    Specs declared_ TARN_GUARDED_BY(mutex_);
    Measures measures_ TARN_GUARDED_BY(mutex_);
    uint64_t generation_ TARN_GUARDED_BY(mutex_) = 0;
    std::list<Cached> cache_ TARN_GUARDED_BY(mutex_);  // newest first
    std::unordered_map<std::string, std::list<Cached>::iterator> cache_index_ TARN_GUARDED_BY(mutex_);
    size_t cached_rows_ TARN_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::dashboards
