// From checked trees (check.h) to the services' specs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakefile/internal/check.h"
#include "lakefile/internal/node.h"
#include "lakefile/lakefile.h"

namespace tarn::lakefile {

/// Adds items to a Lakefile one by one. An item with a problem is left out.
class Builder {
 public:
    /// `checker` reads files in and checks; `folder`: what relative paths hang on (empty: they are
    /// absolute already).
    Builder(Lakefile& out, std::vector<Problem>& problems, Checker& checker,
            const SecretLookup& secrets, std::string folder)
        : out_(out),
          problems_(problems),
          checker_(checker),
          secrets_(secrets),
          folder_(std::move(folder)) {}

    void item(const SectionInfo& section, const std::string& name, Node& node, int line,
              int column);
    /// What only shows when everything is there: names that meet, references to nothing.
    void finish();

 private:
    const ObjectInfo* choose(const SectionInfo& section, Node& node, const std::string& where);
    void build(const Node& node, Item& item);
    void source(const Node& node, Item& item);
    void postgres(const Node& node, const Item& item, ingest::PostgresSource& out);
    void mqtt(const Node& node, const Item& item, ingest::MqttSource& out);
    void folder(const Node& node, const Item& item, ingest::FolderSource& out);
    void table(const Node& node, Item& item);
    void forecast(const Node& node, Item& item);
    void lost_sales(const Node& node, const Item& item, models::ForecastSpec& out);
    void stock_out(const Node& node, Item& item);
    void alert(const Node& node, const Item& item);
    void dashboard(const Node& node, const Item& item);
    void role(const Node& node, const Item& item);
    /// measures: and fresh: of what `item` fills.
    void promises(const Node& node, const Item& item);
    void outputs_meet();
    void absolute_path(Node& node, const std::string& where);

    /// The text with its secrets; a problem when one is missing.
    std::string resolved(const Node& node, const std::string& where);
    void problem(const Node& at, const std::string& where, std::string message);

    Lakefile& out_;
    std::vector<Problem>& problems_;
    Checker& checker_;
    const SecretLookup& secrets_;
    const std::string folder_;
};

// Members of checked maps. An absent one leaves `out` as it is.
void take(const Node& map, const char* key, std::string& out);
void take(const Node& map, const char* key,
          std::vector<std::string>& out);  // a single value is a list of one
void take(const Node& map, const char* key, bool& out);
void take(const Node& map, const char* key, int& out);
void take(const Node& map, const char* key, std::chrono::seconds& out);
void take(const Node& map, const char* key, std::chrono::milliseconds& out);
void take(const Node& map, const char* key, flows::TableRef& out);
std::optional<char> character(const Node& map, const char* key);
/// on_change, manual, or {every, window}.
flows::Refresh refresh_of(const Node* node, flows::Refresh otherwise);

}  // namespace tarn::lakefile
