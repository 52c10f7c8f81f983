// One scan for several charts. What they group by and aggregate is asked of the table once, in groups so fine that each
// chart can be made of them: sum(units) by day is the sum of the sums by day and region.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tarn::dashboards {

/// The columns of such a scan, gathered while the charts' SELECTs over it are written.
class Rollup {
 public:
    static constexpr const char* kName = "base";

    /// Where the value of a chart's key is in the scan: "k0".
    std::string key(const std::string& sql);
    /// An aggregate of rows said over the groups: "sum(units) / count(*)" becomes "sum(a0) / coalesce(sum(a1), 0)::bigint".
    /// What is not known to be the same of groups as of rows (median, a window, FILTER) ends fits().
    std::string over_groups(const std::string& aggregate);
    void give_up() { fits_ = false; }
    /// Whether all that was asked can be made of groups.
    bool fits() const { return fits_; }

    const std::vector<std::string>& keys() const { return keys_; }
    /// The aggregates of the table's rows.
    const std::vector<std::string>& partials() const { return partials_; }
    /// The scan. `from` and `where` as the charts have them.
    std::string sql(const std::string& from, const std::string& where) const;

 private:
    std::string partial(const std::string& sql);
    /// One call: its name in lower case and what stands between its brackets.
    std::string call(const std::string& function, const std::string& argument);

    std::vector<std::string> keys_, partials_;
    bool fits_ = true;
};

using Keys = std::set<std::string>;
/// Which charts share a scan: those whose groups together stay few. `distinct` has the number of values of each key, as
/// far as known; a key that is not in it is taken to have too many.
std::vector<std::vector<size_t>> share_scans(const std::vector<Keys>& charts, const std::map<std::string, double>& distinct);

using Scans = std::vector<std::vector<size_t>>;
/// The same with charts moved to a scan of at least their keys that makes more of their aggregates anyway: each that is made
/// costs as much as a fifth of the grouping.
Scans share_aggregates(Scans scans, const std::vector<Keys>& charts, const std::vector<std::set<std::string>>& aggregates);

}  // namespace tarn::dashboards
