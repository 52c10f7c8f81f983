#include "dashboards/dashboards.h"
#include "lakefile/internal/build.h"
#include "lakefile/internal/scalars.h"

namespace tarn::lakefile {
namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// Takes `prefix.` away where it begins a name, so that the condition stands over the table under
/// any alias.
std::string without_prefix(const std::string& text, const std::string& prefix) {
    std::string out;
    bool in_quotes = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\'') in_quotes = !in_quotes;
        const bool begins = !in_quotes && (i == 0 || !is_word(text[i - 1]));
        if (begins && text.compare(i, prefix.size() + 1, prefix + ".") == 0)
            i += prefix.size();
        else
            out.push_back(text[i]);
    }
    return out;
}

}  // namespace

void Builder::lost_sales(const Node& node, const Item& item, models::ForecastSpec& out) {
    const Node* found = node.find("lost_sales");
    if (found == nullptr) return;
    size_t end = 0;
    while (end < found->text.size() && is_word(found->text[end])) ++end;
    const auto column = parse_column(found->text.substr(0, end));
    if (!column.ok() || end == found->text.size())
        return problem(
            *found, item.id() + ".lost_sales",
            "begins with table.column and goes on as a condition, as in levels.units = 0");
    out.lost_sales_table = column->table;
    const size_t dot = found->text.substr(0, end).rfind('.');
    out.lost_sales_when = without_prefix(found->text, found->text.substr(0, dot));
}

void Builder::forecast(const Node& node, Item& item) {
    models::ForecastSpec spec;
    spec.name = parse_table(item.name).value();
    const Node& of = *node.find("forecast");
    const auto column = parse_column(of.find("of")->text).value();
    spec.of = column.table;
    spec.measure = column.column;
    take(of, "per", spec.per);
    take(of, "time", spec.time);
    if (const Node* ahead = of.find("ahead")) spec.ahead = parse_steps(ahead->text).value();
    if (const Node* features = node.find("features"))
        for (const auto& feature : features->items) {
            if (!feature.text.starts_with("calendar(") || !feature.text.ends_with(")"))
                spec.features.push_back(feature.text);
            else if (spec.calendar.empty())
                spec.calendar = feature.text.substr(9, feature.text.size() - 10);
            else
                problem(feature, item.id() + ".features", "a model has one calendar");
        }
    take(node, "future", spec.future);
    lost_sales(node, item, spec);
    take(node, "season", spec.season);
    flows::Refresh manual;
    manual.kind = flows::Refresh::Kind::manual;
    const Node* retrain = node.find("retrain");
    spec.retrain = refresh_of(retrain, manual);
    std::string promote;
    if (retrain != nullptr && retrain->is_map()) take(*retrain, "promote_if", promote);
    using Promote = models::ForecastSpec::Promote;
    if (promote == "beats naive") spec.promote_if = Promote::beats_naive;
    if (promote == "always") spec.promote_if = Promote::always;
    if (const Node* test = node.find("back_test")) {
        take(*test, "rounds", spec.back_test.rounds);
        take(*test, "stride", spec.back_test.stride);
        if (const Node* origin = test->find("first_origin"))
            spec.back_test.first_origin = parse_whole(origin->text).value();
        take(*test, "from_step", spec.back_test.from_step);
        take(*test, "to_step", spec.back_test.to_step);
        take(*test, "metric", spec.back_test.metric);
        if (spec.back_test.from_step < 1 || spec.back_test.to_step < spec.back_test.from_step)
            problem(*test, item.id() + ".back_test", "judged are from_step to to_step, from 1 up");
    }
    if (const Node* parameters = node.find("parameters"))
        for (const auto& member : parameters->members)
            spec.parameters[member.name] = member.value.text;
    item.outputs.push_back(spec.name);
    out_.forecasts.push_back(std::move(spec));
}

void Builder::stock_out(const Node& node, Item& item) {
    models::StockOutSpec spec;
    spec.name = parse_table(item.name).value();
    const Node& of = *node.find("stock_out");
    const auto column = parse_column(of.find("on_hand")->text).value();
    spec.on_hand = column.table;
    spec.on_hand_column = column.column;
    take(of, "place", spec.place);
    take(of, "read_at", spec.read_at);
    take(of, "demand", spec.demand);
    take(of, "incoming", spec.incoming);
    take(of, "horizon", spec.horizon);
    take(of, "silent_after", spec.silent_after);
    spec.refresh = refresh_of(node.find("refresh"), {});
    item.outputs.push_back(spec.name);
    out_.stock_outs.push_back(std::move(spec));
}

void Builder::alert(const Node& node, const Item& item) {
    events::AlertSpec spec;
    spec.name = item.name;
    take(node, "when", spec.when);
    take(node, "one_per", spec.one_per);
    take(node, "recovery", spec.tell_recovery);
    take(node, "while", spec.stays);
    take(node, "for", spec.for_at_least);
    take(node, "recover_after", spec.recover_after);
    take(node, "check_every", spec.check_every);
    take(node, "run_as", spec.run_as);
    const size_t before = problems_.size();
    if (const Node* to = node.find("to"))
        for (const auto& one : to->items) {
            events::AlertSpec::Webhook webhook;
            const std::string where = item.id() + ".to";
            const Node& url = one.is_scalar() ? one : *one.find("url");
            webhook.url = resolved(url, where);
            if (secrets_ && !webhook.url.empty() && !webhook.url.starts_with("http://") &&
                !webhook.url.starts_with("https://"))
                problem(url, where, "an address that is told begins with https:// or http://");
            if (one.is_map()) {
                if (const Node* secret = one.find("secret"))
                    webhook.secret = resolved(*secret, where);
                take(one, "allow_private", webhook.allow_private);
            }
            spec.to.push_back(std::move(webhook));
        }
    if (problems_.size() == before) out_.alerts.push_back(std::move(spec));
}

namespace {

constexpr const char* kChartWords =
    "number, line, area, bar, stacked, scatter, heatmap, table or map";

dashboards::ChartSpec chart_of(const Node& node) {
    using Kind = dashboards::ChartSpec::Kind;
    dashboards::ChartSpec chart;
    take(node, "title", chart.title);
    for (const Kind kind : {Kind::number, Kind::line, Kind::bar, Kind::map, Kind::area, Kind::stacked,
                            Kind::scatter, Kind::heatmap}) {
        const char* key = dashboards::word(kind);
        if (node.find(key) == nullptr) continue;
        chart.kind = kind;
        take(node, key, chart.measures);
    }
    std::string width;
    take(node, "width", width);
    using Width = dashboards::ChartSpec::Width;
    for (const Width one : {Width::third, Width::half, Width::full})
        if (width == dashboards::word(one)) chart.width = one;
    take(node, "split", chart.split);
    take(node, "spark", chart.spark);
    take(node, "table", chart.columns);
    take(node, "by", chart.by);
    take(node, "from", chart.from);
    take(node, "where", chart.where);
    take(node, "order", chart.order);
    int limit = 0;
    take(node, "limit", limit);
    chart.limit = static_cast<uint64_t>(limit);
    take(node, "colour", chart.colour);
    take(node, "sql", chart.sql);
    take(node, "unit", chart.unit);
    return chart;
}

}  // namespace

void Builder::dashboard(const Node& node, const Item& item) {
    dashboards::DashboardSpec spec;
    spec.name = item.name;
    spec.title = item.name;
    take(node, "title", spec.title);
    take(node, "filters", spec.filters);
    take(node, "embed", spec.embed);
    const size_t before = problems_.size();
    for (const auto& one : node.find("charts")->items) {
        int kinds = 0;
        for (const char* key : {"number", "line", "bar", "table", "map", "area", "stacked", "scatter",
                                "heatmap"})
            kinds += one.find(key) != nullptr ? 1 : 0;
        if (kinds > 1)
            problem(one, item.id() + ".charts",
                    "a chart is one of " + std::string(kChartWords));
        else if (kinds == 0 && one.find("from") == nullptr && one.find("sql") == nullptr)
            problem(one, item.id() + ".charts",
                    "a chart needs one of " + std::string(kChartWords) + ", and from or sql");
        spec.charts.push_back(chart_of(one));
        if (problems_.size() != before) continue;
        // Alone, so that what is wrong shows at its own place.
        dashboards::DashboardSpec single = spec;
        single.charts = {spec.charts.back()};
        const Status checked = dashboards::Dashboards::check(single);
        if (!checked.ok()) problem(one, item.id() + ".charts", checked.error().message);
    }
    if (problems_.size() == before) out_.dashboards.push_back(std::move(spec));
}

void Builder::role(const Node& node, const Item& item) {
    Role role;
    role.name = item.name;
    take(node, "silence", role.silence);
    const auto pattern_of = [](const std::string& name) {
        return name.find('.') != std::string::npos || name == "*" ? name : "main." + name;
    };
    const Node* read = node.find("read");
    if (read != nullptr && read->is_scalar()) role.grants["*"] = {};
    for (const auto& member : read != nullptr ? read->members : std::vector<Node::Member>()) {
        govern::TableGrant grant;
        take(member.value, "rows", grant.rows);
        take(member.value, "columns", grant.columns);
        take(member.value, "hide", grant.hide);
        if (!grant.columns.empty() && !grant.hide.empty())
            problem(member.value, item.id() + ".read." + member.name,
                    "give columns or hide, not both");
        if (const Node* masks = member.value.find("masks"))
            for (const auto& mask : masks->members) grant.masks[mask.name] = mask.value.text;
        if (!role.grants.emplace(pattern_of(member.name), grant).second)
            problem(member.value, item.id() + ".read." + member.name,
                    "the table stands here twice, with and without main.");
    }
    if (const Node* write = node.find("write"))
        for (const auto& member : write->members) {
            auto [place, added] = role.grants.try_emplace(pattern_of(member.name));
            govern::TableGrant& grant = place->second;
            if (added) grant.read = false;
            for (const auto& word : member.value.items) {
                grant.insert = grant.insert || word.text == "insert";
                grant.update = grant.update || word.text == "update";
                grant.remove = grant.remove || word.text == "delete";
                grant.alter = grant.alter || word.text == "alter";
            }
        }
    out_.roles.push_back(std::move(role));
}

}  // namespace tarn::lakefile
