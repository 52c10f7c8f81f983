#include "lakefile/internal/build.h"

#include <algorithm>

#include "lakefile/internal/scalars.h"

namespace tarn::lakefile {

void take(const Node& map, const char* key, std::string& out) {
    if (const Node* found = map.find(key)) out = found->text;
}

void take(const Node& map, const char* key, std::vector<std::string>& out) {
    const Node* found = map.find(key);
    if (found == nullptr) return;
    out.clear();
    if (found->is_scalar()) out.push_back(found->text);
    for (const auto& item : found->items) out.push_back(item.text);
}

void take(const Node& map, const char* key, bool& out) {
    if (const Node* found = map.find(key)) out = found->text == "true";
}

void take(const Node& map, const char* key, int& out) {
    if (const Node* found = map.find(key)) out = static_cast<int>(parse_whole(found->text).value());
}

void take(const Node& map, const char* key, std::chrono::milliseconds& out) {
    if (const Node* found = map.find(key)) out = parse_duration(found->text).value();
}

void take(const Node& map, const char* key, std::chrono::seconds& out) {
    std::chrono::milliseconds exact = out;
    take(map, key, exact);
    out = std::chrono::ceil<std::chrono::seconds>(exact);
}

void take(const Node& map, const char* key, flows::TableRef& out) {
    if (const Node* found = map.find(key)) out = parse_table(found->text).value();
}

std::optional<char> character(const Node& map, const char* key) {
    const Node* found = map.find(key);
    return found == nullptr ? std::nullopt : std::optional<char>(found->text[0]);
}

flows::Refresh refresh_of(const Node* node, flows::Refresh otherwise) {
    if (node == nullptr) return otherwise;
    flows::Refresh out;
    if (node->is_scalar()) {
        out.kind =
            node->text == "manual" ? flows::Refresh::Kind::manual : flows::Refresh::Kind::on_change;
        return out;
    }
    out = parse_schedule(node->find("every")->text).value();
    if (node->find("window") != nullptr) {
        std::chrono::seconds window{0};
        take(*node, "window", window);
        out.window = window;
    }
    return out;
}

void Builder::problem(const Node& at, const std::string& where, std::string message) {
    problems_.push_back({where, at.line, at.column, std::move(message)});
}

std::string Builder::resolved(const Node& node, const std::string& where) {
    if (!secrets_) return node.text;
    auto result = resolve_secrets(node.text, secrets_);
    if (result.ok() && result->missing.empty()) return std::move(result->text);
    problem(node, where,
            result.ok() ? "there is no secret '" + result->missing +
                              "': give it with tarn secrets set " + result->missing
                        : result.error().message);
    return {};
}

const ObjectInfo* Builder::choose(const SectionInfo& section, Node& node,
                                  const std::string& where) {
    if (section.variants.size() == 1) return section.variants[0].object;
    std::vector<const char*> markers;
    const Variant* chosen = nullptr;
    for (const auto& variant : section.variants) {
        markers.push_back(variant.marker);
        if (node.find(variant.marker) == nullptr) continue;
        if (chosen != nullptr) {
            problem(node, where,
                    "'" + std::string(chosen->marker) + "' and '" + variant.marker +
                        "' exclude each other");
            return nullptr;
        }
        chosen = &variant;
    }
    if (chosen != nullptr) return chosen->object;
    if (!node.is_map() || node.members.empty()) {
        problem(node, where,
                with_article(section.item) + " needs keys, one of them " + words(markers));
        return nullptr;
    }
    std::string hint;
    for (const auto& member : node.members) {
        const std::string near = nearest(member.name, {markers.begin(), markers.end()});
        if (!near.empty()) hint = "; did you mean '" + near + "' by '" + member.name + "'?";
    }
    problem(node, where,
            with_article(section.item) + " needs one of the keys " + words(markers) + hint);
    return nullptr;
}

void Builder::item(const SectionInfo& section, const std::string& name, Node& node, int line,
                   int column) {
    Item item;
    item.kind = static_cast<Kind>(&section - sections().data());
    item.name = name;
    item.line = line;
    item.column = column;
    const size_t before = problems_.size();
    const ObjectInfo* info = choose(section, node, item.id());
    if (info == nullptr) return;
    checker_.object(node, *info, item.id());
    if (problems_.size() != before) return;
    if (Node* path = const_cast<Node*>(node.find("folder"));
        path != nullptr && item.kind == Kind::source)
        absolute_path(*path, item.id() + ".folder");
    take(node, "was", item.was);
    std::erase_if(node.members, [](const Node::Member& member) { return member.name == "was"; });
    std::stable_sort(node.members.begin(), node.members.end(),
                     [](const Node::Member& a, const Node::Member& b) { return a.name < b.name; });
    item.definition = to_json(node);
    if (const Node* sql = node.find(item.kind == Kind::alert ? "when" : "sql")) {
        item.sql_file = sql->file;
        item.sql_line = !sql->file.empty() ? 1 : sql->line;
    }
    build(node, item);
    if (problems_.size() == before) out_.items.push_back(std::move(item));
}

void Builder::build(const Node& node, Item& item) {
    switch (item.kind) {
        case Kind::source:
            return source(node, item);
        case Kind::table:
            return table(node, item);
        case Kind::model:
            return node.find("forecast") != nullptr ? forecast(node, item) : stock_out(node, item);
        case Kind::alert:
            return alert(node, item);
        case Kind::dashboard:
            return dashboard(node, item);
        case Kind::role:
            return role(node, item);
    }
}

void Builder::absolute_path(Node& node, const std::string& where) {
    if (node.text.starts_with("/")) return;
    if (folder_.empty())
        return problem(
            node, where,
            "this path is relative and nobody said to what; give it from the root (/...)");
    while (node.text.starts_with("./")) node.text.erase(0, 2);
    node.text = folder_ + (folder_.ends_with("/") ? "" : "/") + node.text;
}

void Builder::source(const Node& node, Item& item) {
    ingest::SourceSpec spec;
    spec.name = item.name;
    take(node, "database", spec.database);
    const size_t before = problems_.size();
    if (node.find("postgres") != nullptr) {
        ingest::PostgresSource from;
        postgres(node, item, from);
        if (item.name == "main")
            problem(
                node, item.id(),
                "a database cannot be called main, the lake's own; give the source another name");
        for (const auto& name : from.tables)
            item.outputs.push_back({item.name, name.substr(name.find('.') + 1)});
        if (from.tables.empty()) item.outputs.push_back({item.name, "*"});
        spec.from = std::move(from);
    } else if (node.find("mqtt") != nullptr) {
        ingest::MqttSource from;
        mqtt(node, item, from);
        spec.from = std::move(from);
        item.outputs.push_back({spec.database, item.name});
    } else {
        ingest::FolderSource from;
        folder(node, item, from);
        spec.from = std::move(from);
        item.outputs.push_back({spec.database, item.name});
    }
    promises(node, item);
    if (problems_.size() == before) out_.sources.push_back(std::move(spec));
}

namespace {

void care_limits(const Node& limits, ingest::PostgresSource& out) {
    if (const Node* rate = limits.find("rate"))
        out.bytes_per_second_max = parse_bytes(rate->text).value();
    const Node* node = limits.find("retained_wal");
    if (node == nullptr) return;
    const Node* limit = node->is_scalar() ? node : node->find("limit");
    if (limit != nullptr) out.retained_wal_max = parse_bytes(limit->text).value();
    std::string above;
    if (!node->is_scalar()) take(*node, "above", above);
    if (above == "reload")
        out.above_retained_wal = ingest::PostgresSource::AboveRetainedWal::reload;
}

}  // namespace

void Builder::postgres(const Node& node, const Item& item, ingest::PostgresSource& out) {
    out.url = resolved(*node.find("postgres"), item.id() + ".postgres");
    take(node, "tables", out.tables);
    if (const Node* limits = node.find("limits")) take(*limits, "connections", out.connections_max);
    if (out.connections_max < 1)
        problem(*node.find("limits"), item.id() + ".limits", "at least one connection is needed");
    if (const Node* verify = node.find("verify")) {
        if (verify->is_scalar()) {
            take(node, "verify", out.verify_every);
        } else {
            take(*verify, "every", out.verify_every);
            take(*verify, "repair", out.verify_repairs);
        }
    }
    take(node, "commit", out.commit);
    take(node, "history", out.history);
    std::string landing;
    take(node, "landing", landing);
    using Landing = ingest::PostgresSource::Landing;
    if (!landing.empty()) out.landing = landing == "csv" ? Landing::csv : Landing::parquet;
    if (const Node* limits = node.find("limits")) care_limits(*limits, out);
    const Node* follow = node.find("follow");
    using Follow = ingest::PostgresSource::Follow;
    out.follow = Follow::changes;
    if (follow == nullptr) return;
    if (follow->is_scalar()) {
        if (follow->text == "once") out.follow = Follow::once;
        return;
    }
    out.follow = Follow::incremental;
    take(*follow, "every", out.every);
    take(*follow, "by", out.by);
}

namespace {

std::vector<ingest::ColumnSpec> columns_of(const Node& node) {
    std::vector<ingest::ColumnSpec> out;
    if (const Node* columns = node.find("columns"))
        for (const auto& member : columns->members)
            out.push_back({member.name, query::parse_type(member.value.text).value()});
    return out;
}

/// The names in {} of a topic.
std::vector<std::string> captures_of(const std::string& topic) {
    std::vector<std::string> out;
    for (size_t at = 0; (at = topic.find('{', at)) != std::string::npos;) {
        const size_t end = topic.find('}', at);
        if (end == std::string::npos) break;
        out.push_back(topic.substr(at + 1, end - at - 1));
        at = end;
    }
    return out;
}

}  // namespace

void Builder::mqtt(const Node& node, const Item& item, ingest::MqttSource& out) {
    take(node, "mqtt", out.topic);
    out.columns = columns_of(node);
    take(node, "key", out.key);
    take(node, "commit", out.commit);
    take(node, "event_time", out.event_time);
    if (node.find("late") != nullptr) {
        std::chrono::seconds late{0};
        take(node, "late", late);
        out.late = late;
    }
    std::vector<std::string> names = captures_of(out.topic);
    for (const auto& column : out.columns) names.push_back(column.name);
    const auto known = [&](const Node& at, const std::string& name, const char* key) {
        if (std::find(names.begin(), names.end(), name) != names.end()) return;
        const std::string near = nearest(name, names);
        problem(at, item.id() + "." + key,
                "'" + name + "' is neither a column nor a level of the topic" +
                    (near.empty() ? std::string() : "; did you mean '" + near + "'?"));
    };
    if (const Node* key = node.find("key"))
        for (const auto& one : key->items) known(one, one.text, "key");
    if (const Node* time = node.find("event_time")) known(*time, time->text, "event_time");
}

void Builder::folder(const Node& node, const Item&, ingest::FolderSource& out) {
    take(node, "folder", out.path);
    using Source = ingest::FolderSource;
    std::string word;
    take(node, "format", word);
    out.format = word == "csv"          ? Source::Format::csv
                 : word == "json_lines" ? Source::Format::json_lines
                                        : Source::Format::by_name;
    word.clear();
    take(node, "new_columns", word);
    if (word == "refuse") out.new_columns = Source::NewColumns::refuse;
    word.clear();
    take(node, "bad_rows", word);
    if (word == "refuse_file") out.bad_rows = Source::BadRows::refuse_file;
    out.columns = columns_of(node);
    take(node, "key", out.key);
    take(node, "settle", out.settle);
    const Node* csv = node.find("csv");
    if (csv == nullptr) return;
    out.csv.delimiter = character(*csv, "delimiter");
    out.csv.quote = character(*csv, "quote");
    out.csv.decimal = character(*csv, "decimal");
    if (const Node* header = csv->find("header")) out.csv.header = header->text == "true";
    if (const Node* encoding = csv->find("encoding")) out.csv.encoding = encoding->text;
    if (const Node* format = csv->find("date_format")) out.csv.date_format = format->text;
    if (const Node* format = csv->find("timestamp_format")) out.csv.timestamp_format = format->text;
}

void Builder::table(const Node& node, Item& item) {
    flows::TableSpec spec;
    spec.name = parse_table(item.name).value();
    take(node, "sql", spec.sql);
    take(node, "key", spec.key);
    take(node, "partition", spec.partition);
    take(node, "description", spec.description);
    spec.refresh = refresh_of(node.find("refresh"), {});
    if (spec.refresh.window && spec.key.empty())
        problem(*node.find("refresh"), item.id() + ".refresh",
                "a window needs a key: its first date or timestamp column says how old a row is");
    if (const Node* checks = node.find("checks"))
        for (const auto& member : checks->members) {
            const std::string& word = member.value.text;
            spec.checks.push_back({member.name, word == "stop" ? flows::Consequence::stop
                                                : word == "set_aside"
                                                    ? flows::Consequence::set_aside
                                                    : flows::Consequence::warn});
        }
    item.outputs.push_back(spec.name);
    promises(node, item);
    out_.tables.push_back(std::move(spec));
}

void Builder::promises(const Node& node, const Item& item) {
    const bool database = node.find("postgres") != nullptr;  // many tables: each name says which
    const std::string only = database ? "" : item.outputs.front().full_name();
    if (const Node* measures = node.find("measures"))
        for (const auto& member : measures->members) {
            const size_t dot = member.name.find('.');
            if (database == (dot == std::string::npos))
                problem(member.value, item.id() + ".measures",
                        database ? "say of which table: sales." + member.name
                                 : "a measure's name has no dot: " + member.name.substr(dot + 1));
            else if (database)
                out_.measures[item.name + "." + member.name.substr(0, dot)]
                             [member.name.substr(dot + 1)] = member.value.text;
            else
                out_.measures[only][member.name] = member.value.text;
        }
    if (node.find("fresh") == nullptr) return;
    if (!database) {
        take(node, "fresh", out_.fresh[only]);
        return;
    }
    for (const auto& member : node.find("fresh")->members)
        take(*node.find("fresh"), member.name.c_str(), out_.fresh[item.name + "." + member.name]);
}

void Builder::outputs_meet() {
    for (size_t i = 0; i < out_.items.size(); ++i)
        for (size_t j = 0; j < i; ++j)
            for (const auto& mine : out_.items[i].outputs)
                for (const auto& other : out_.items[j].outputs) {
                    const bool all = mine.table == "*" || other.table == "*";
                    if (mine.database != other.database || (!all && mine.table != other.table))
                        continue;
                    const std::string name =
                        mine.table == "*" ? other.full_name() : mine.full_name();
                    problems_.push_back(
                        {out_.items[i].id(), out_.items[i].line, out_.items[i].column,
                         name + " is made by " + out_.items[j].id() +
                             " too: one table, one maker; give one of them another name"});
                }
}

void Builder::finish() {
    outputs_meet();
    const auto has = [&](Kind kind, const std::string& name) {
        return std::any_of(out_.items.begin(), out_.items.end(), [&](const Item& item) {
            return item.kind == kind && item.name == name;
        });
    };
    for (const auto& item : out_.items) {
        if (!item.was.empty() && has(item.kind, item.was))
            problems_.push_back(
                {item.id(), item.line, item.column,
                 "was: " + item.was + ", but that one is still declared; take it out of the file"});
        if (item.kind != Kind::role) continue;
        for (const auto& role : out_.roles) {
            if (role.name != item.name) continue;
            for (const auto& alert : role.silence)
                if (!has(Kind::alert, alert))
                    problems_.push_back({item.id() + ".silence", item.line, item.column,
                                         "there is no alert '" + alert + "' in this lakefile"});
            for (const auto& [pattern, grant] : role.grants)
                if (pattern.starts_with("main.") && has(Kind::source, pattern.substr(5)) &&
                    std::any_of(out_.sources.begin(), out_.sources.end(),
                                [&pattern = pattern](const ingest::SourceSpec& source) {
                                    return source.name == pattern.substr(5) &&
                                           source.from.index() == 0;
                                }))
                    problems_.push_back(
                        {item.id(), item.line, item.column,
                         pattern.substr(5) + " is a database: write " + pattern.substr(5) + ".*"});
        }
    }
}

}  // namespace tarn::lakefile
