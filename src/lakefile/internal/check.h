// Checks a tree against the table of keys (keys.h): unknown and missing keys, and the form of every
// single value. What passes may be built without looking again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lakefile/internal/node.h"
#include "lakefile/keys.h"

namespace tarn::lakefile {

class Checker {
 public:
    /// `files`: what .sql names stand for; null: texts are SQL already (restored items).
    Checker(const std::map<std::string, std::string>* files, std::vector<Problem>& problems)
        : files_(files), problems_(problems) {}

    /// Reads files in: the text of a Form::sql becomes SQL.
    void object(Node& node, const ObjectInfo& info, const std::string& where);
    void value(Node& node, const KeyInfo& key, const std::string& where);
    void problem(const Node& at, const std::string& where, std::string message);
    /// Names of .sql files that stand in the text.
    const std::set<std::string>& files_named() const { return named_; }

 private:
    void member(Node::Member& member, const ObjectInfo& info, const std::string& where);
    void one(Node& node, const KeyInfo& key, const std::string& where);
    void list(Node& node, const KeyInfo& key, const std::string& where);
    void map(Node& node, const KeyInfo& key, const std::string& where);
    void scalar(Node& node, const KeyInfo& key, const std::string& where);
    Status form(const Node& node, const KeyInfo& key) const;
    void choice(const Node& node, const KeyInfo& key, const std::string& where);
    void sql(Node& node, const std::string& where);
    Status name_of(Form form, const std::string& text) const;

    const std::map<std::string, std::string>* files_;
    std::vector<Problem>& problems_;
    std::set<std::string> named_;
};

/// "weather/*.csv, drop/x" -> "a, b or c".
std::string words(const std::vector<const char*>& list);
/// "a source", "an alert".
std::string with_article(std::string_view noun);

}  // namespace tarn::lakefile
