// Bytes of a file on their way to a reader: gzip undone, any encoding made UTF-8. Both take pieces
// of any size and keep what is cut off in the middle. Pure, without I/O; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::ingest {

bool is_gzip(std::string_view head);
bool is_ascii(std::string_view bytes);

/// Undoes gzip (RFC 1952), several members one after another too.
class Gunzip {
 public:
    /// A file may grow to `ratio_max` times its size (and 64 MiB in any case): beyond it is a bomb.
    explicit Gunzip(uint64_t ratio_max = 1000);
    ~Gunzip();
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    /// What comes next of the file.
    void push(std::string_view bytes);
    /// Up to 256 KiB more of what was packed; empty: push() more. invalid_argument: no gzip,
    /// damaged, a bomb.
    Result<std::string_view> next();
    /// invalid_argument: the file ends too early.
    Status finish() const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

enum class Encoding : uint8_t { utf8, latin1, utf16_little, utf16_big };

/// "utf8", "latin1" (read as windows-1252, which has the same letters and more), "utf16". The order
/// of utf16's bytes is seen in `head`.
Result<Encoding> parse_encoding(std::string_view name, std::string_view head);
std::string_view encoding_name(Encoding encoding);

/// nullopt: all of it is ASCII, which says nothing. `cut`: the last character may be incomplete.
std::optional<Encoding> guess_encoding(std::string_view head, bool cut);

class Transcoder {
 public:
    explicit Transcoder(Encoding encoding) : encoding_(encoding) {}
    /// Valid until the next call. UTF-8 goes through as it is, but for a byte order mark at the
    /// beginning.
    std::string_view convert(std::string_view bytes);
    /// What a file that ends in the middle of a character leaves.
    std::string_view finish();

 private:
    void append_latin1(std::string_view bytes);
    void append_utf16(std::string_view bytes);
    void append_code_point(uint32_t point);

    const Encoding encoding_;
    bool began_ = false;
    std::string out_;
    std::string cut_off_;  // utf16: an odd byte; utf8: the beginning of the file below 3 bytes
    uint32_t high_surrogate_ = 0;
};

}  // namespace tarn::ingest
