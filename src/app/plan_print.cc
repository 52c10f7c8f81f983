#include "app/plan_print.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/table_print.h"

namespace tarn::app {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& value) {
    return value.is_null() ? "∅" : value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const Json& list) {
    std::string out;
    for (const auto& one : list) out += (out.empty() ? "" : ", ") + text_of(one);
    return out;
}

std::string padded(std::string text, size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string with_commas(uint64_t number) {
    std::string digits = std::to_string(number);
    for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
    return digits;
}

struct Mark {
    const char* word;
    const char* sign;
    const char* colour;
};
constexpr Mark kMarks[] = {{"add", "+", "\033[32m"},
                           {"change", "~", "\033[33m"},
                           {"rename", ">", "\033[36m"},
                           {"remove", "-", "\033[31m"}};

void append_section(std::string& out, const char* title, const Json& lines) {
    if (lines.empty()) return;
    out += std::string("\n") + title + "\n";
    for (const auto& line : lines) out += "  " + text_of(line) + "\n";
}

std::string change_line(const Json& change, size_t width) {
    std::string line = padded(text_of(change.at("item")), width);
    if (change.contains("was")) line += "  was " + text_of(change.at("was"));
    if (change.contains("keys")) line += "  changed: " + joined(change.at("keys"));
    if (change.contains("rows_in")) {
        const double minutes = change.at("minutes").get<double>();
        char time[32];
        std::snprintf(time, sizeof time, "%.1f", minutes);
        line += "  computes from " + with_commas(change.at("rows_in").get<uint64_t>()) +
                " rows, about " + (minutes < 0.1 ? "some seconds" : std::string(time) + " minutes");
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

}  // namespace

std::string print_plan(const Json& plan, bool colour) {
    std::string out;
    if (!plan.at("problems").empty()) {
        for (const auto& problem : plan.at("problems")) out += text_of(problem.at("text")) + "\n";
        const size_t count = plan.at("problems").size();
        return out + std::to_string(count) + (count == 1 ? " problem" : " problems") +
               "; nothing can be applied\n";
    }
    size_t width = 0, same = 0;
    for (const auto& change : plan.at("changes"))
        width = std::max(width, text_of(change.at("item")).size());
    for (const auto& change : plan.at("changes")) {
        same += change.at("change") == "same" ? 1 : 0;
        for (const auto& mark : kMarks) {
            if (change.at("change") != mark.word) continue;
            out += (colour ? mark.colour : "") + std::string(mark.sign) + " " +
                   change_line(change, width) + (colour ? "\033[0m" : "") + "\n";
            for (const auto& note : change.value("notes", Json::array()))
                out += "    " + text_of(note) + "\n";
        }
    }
    if (same > 0) out += "  " + std::to_string(same) + " unchanged\n";
    append_section(out, "Who sees what", plan.at("visibility"));
    append_section(out, "Alerts over history", plan.at("alerts"));
    append_section(out, "Changed by others", plan.at("drift"));
    append_section(out, "Warnings", plan.at("warnings"));
    if (!plan.at("changes_something").get<bool>()) out += "\nNothing to do.\n";
    return out;
}

namespace {

std::string print_rows(const Json& table) {
    std::vector<PrintColumn> columns;
    for (const auto& column : table.at("columns")) {
        const std::string type = text_of(column.at("type"));
        const bool number = type.starts_with("numeric") || type.find("int") != std::string::npos ||
                            type == "real" || type == "double precision";
        columns.push_back({text_of(column.at("name")) + " " + type, number});
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : table.at("rows")) {
        auto& cells = rows.emplace_back();
        for (const auto& cell : row) cells.push_back(text_of(cell));
    }
    std::string out = text_of(table.at("name"));
    if (const Json key = table.value("key", Json::array()); !key.empty())
        out += ", key " + joined(key);
    out += "\n" + print_table(columns, rows);
    const Json rejected = table.value("rejected", Json::array());
    if (rejected.empty()) return out;
    out += std::to_string(rejected.size()) + " rejected:\n";
    for (const auto& row : rejected) {
        const std::string line = row.at("line") == 0 ? "" : ":" + text_of(row.at("line"));
        out += "  " + text_of(row.at("place")) + line + ": " + text_of(row.at("reason")) +
               "\n    " + text_of(row.at("text")) + "\n";
    }
    return out;
}

}  // namespace

std::string print_samples(const Json& tried) {
    std::string out;
    for (const auto& item : tried.at("items")) {
        if (!out.empty()) out += "\n";
        out += text_of(item.at("item")) + "\n";
        if (item.contains("error")) out += "  " + text_of(item.at("error")) + "\n";
        for (const auto& note : item.value("notes", Json::array()))
            out += "  " + text_of(note) + "\n";
        for (const auto& table : item.value("tables", Json::array())) out += print_rows(table);
        if (item.contains("rows")) out += print_rows(item);
    }
    return out;
}

/// ", equal to its source at 2026-..."
static std::string verified(const Json& last) {
    if (!last.is_object()) return "";
    if (last.at("running").get<bool>()) return ", is being compared with its source";
    const std::string at = " at " + text_of(last.at("finished"));
    if (last.at("failed").get<bool>()) return ", could not be compared with its source" + at;
    if (last.at("equal").get<bool>()) return ", equal to its source" + at;
    return ", " + text_of(last.at("differences")) + " rows differed from its source" + at;
}

namespace {

/// ", 250.0 changes/s, 1.4 MB and 2.0 s behind, the source keeps 16.0 MB of log"
std::string behind(const Json& capture) {
    const auto megabytes = [&](const char* name) {
        return static_cast<double>(capture.value(name, uint64_t{0})) / 1e6;
    };
    return fmt::format(
        ", {:.1f} changes/s, {:.1f} MB and {:.1f} s behind, the source keeps {:.1f} MB of log",
        capture.value("changes_per_second", 0.0), megabytes("lag_bytes"),
        capture.value("lag_seconds", 0.0), megabytes("retained_bytes"));
}

}  // namespace

std::string print_status(const std::string& what, const Json& answer) {
    std::string out;
    const auto line = [&](const std::string& name, const std::string& state,
                          const std::string& more) {
        out += "  " + padded(name, 28) + " " + padded(state, 10) + " " + more;
        while (out.ends_with(' ')) out.pop_back();
        out += "\n";
    };
    for (const auto& one : answer.value(what, Json::array())) {
        if (what == "sources") {
            uint64_t rows = 0, rejected = 0, backlog = 0;
            for (const auto& table : one.at("tables")) {
                rows += table.at("rows").get<uint64_t>();
                rejected += table.at("rows_rejected").get<uint64_t>();
                backlog += table.value("backlog", uint64_t{0});
            }
            std::string more = with_commas(rows) + " rows";
            if (rejected > 0) more += ", " + with_commas(rejected) + " rejected";
            if (backlog > 0) more += ", " + with_commas(backlog) + " waiting";
            if (one.contains("capture")) more += behind(one.at("capture"));
            more += verified(one.value("verified", Json()));
            if (one.at("last_error") != "") more += ", " + text_of(one.at("last_error"));
            line("sources." + text_of(one.at("name")), text_of(one.at("state")), more);
            for (const auto& table : one.at("tables")) {
                const std::string name = "  " + text_of(table.at("table"));
                if (table.contains("paused"))
                    line(name, "paused", text_of(table.at("paused")));
                else if (table.at("last_error") != "")
                    line(name, "failed", text_of(table.at("last_error")));
                if (table.contains("note")) line(name, "note", text_of(table.at("note")));
            }
        } else if (what == "tables") {
            if (text_of(one.at("step")).starts_with("alerts.")) continue;  // in their own section
            std::string more;
            if (one.at("last").is_object()) {
                more = "run " + text_of(one.at("last").at("run")) + ", " +
                       with_commas(one.at("last").at("rows_written").get<uint64_t>()) +
                       " rows written";
                if (one.at("last").at("error") != "")
                    more += ", " + text_of(one.at("last").at("error"));
            }
            if (one.at("blocked_by") != "") more += ", blocked by " + text_of(one.at("blocked_by"));
            line(text_of(one.at("step")), text_of(one.at("state")), more);
        } else {
            line("alerts." + text_of(one.at("rule")), one.at("error") == "" ? "ok" : "failed",
                 text_of(one.at("open")) + " open" +
                     (one.at("error") == "" ? "" : ", " + text_of(one.at("error"))));
        }
    }
    return out.empty() ? out : what + "\n" + out;
}

}  // namespace tarn::app
