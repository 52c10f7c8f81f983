// JSON lines: one object a line. Texts, numbers and truths become values of columns, nested ones
// their JSON text. Pure, without I/O; one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::ingest {

/// Cuts bytes into lines; a line above 1 MiB is told as broken, once.
class LineCutter {
 public:
    void push(std::string_view bytes);
    void finish() { finished_ = true; }

    struct Line {
        uint64_t number = 0;    // from 1
        std::string_view text;  // without its end
        const char* problem = nullptr;
    };
    /// False: push() more. Empty lines are left out.
    bool next(Line& line);

 private:
    std::string buffer_;
    size_t begin_ = 0;
    uint64_t number_ = 1;
    bool finished_ = false, skipping_ = false;
};

struct JsonMember {
    enum class Kind : uint8_t { null, boolean, number, text, nested };
    Kind kind = Kind::null;
    bool truth = false;
    std::string_view name;
    std::string_view text;  // number: as it is written; text; nested: its JSON
};

class JsonLine {
 public:
    JsonLine();
    ~JsonLine();
    JsonLine(const JsonLine&) = delete;
    JsonLine& operator=(const JsonLine&) = delete;

    /// Calls `member` for each member in order until it says false; what it gets is valid until the
    /// next call of read(). invalid_argument: no object, or no JSON.
    Status read(std::string_view line, const std::function<bool(const JsonMember&)>& member);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tarn::ingest
