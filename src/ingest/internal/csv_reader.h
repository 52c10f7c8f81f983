// Delimited text into records (RFC 4180 and what is found outside): quotes, delimiters and line
// ends inside quotes, doubled quotes, lines that end in LF, CRLF or CR, a last line without an end.
// Bytes come in pieces of any size; the records are the same however they are cut. A broken record
// is told with a reason, and reading goes on at the next line. Pure, without I/O; one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::ingest {

struct CsvSyntax {
    char delimiter = ',';
    char quote = '"';  // 0: quotes mean nothing
};

struct CsvField {
    std::string_view text;  // without quotes, doubled quotes made single
    bool quoted = false;
};

struct CsvRecord {
    uint64_t line = 0;      // its first line, from 1
    std::string_view text;  // as it came, without the line end
    const std::vector<CsvField>* fields = nullptr;
    const char* problem = nullptr;  // not null: broken, and fields hold nothing of use
};

inline constexpr size_t kRecordBytesMax = 1 << 20;

class CsvReader {
 public:
    explicit CsvReader(CsvSyntax syntax, size_t record_bytes_max = kRecordBytesMax);

    /// Adds bytes. Records and fields that were given are void afterwards.
    void push(std::string_view bytes);
    /// No more bytes come: what is left is the last record.
    void finish() { finished_ = true; }
    /// False: push() more, or after finish() the end. Empty lines are left out.
    bool next(CsvRecord& record);

 private:
    enum class Scan : uint8_t { record, more, broken };

    Scan scan(size_t at);
    Scan scan_quoted(size_t& at);
    bool end_of_field(size_t& at, Scan& outcome);
    size_t find_plain_end(size_t at) const;
    size_t line_end(size_t at) const;
    void give_up_on(const char* problem, CsvRecord& record);
    bool skip_long_line();
    std::string_view slice(size_t from, size_t to) const {
        return {buffer_.get() + from, to - from};
    }

    const CsvSyntax syntax_;
    const size_t record_bytes_max_;
    // [begin_, end_) is not yet given; 64 bytes beyond end_ may be read.
    std::unique_ptr<char[]> buffer_;
    size_t capacity_ = 0, begin_ = 0, end_ = 0;
    bool finished_ = false;
    bool skipping_ = false;  // in a line that is too long
    bool nul_ = false;       // one has come
    bool after_cr_ = false;  // an LF that comes next belongs to the line end before
    int rescues_left_ = 64;  // quotes that never end: each costs another look at record_bytes_max
    uint64_t line_ = 1;
    std::vector<CsvField> fields_;
    std::string unescaped_;  // never grows while a record is scanned: fields point into it
    // What scan() found.
    size_t text_end_ = 0, next_begin_ = 0;
    uint64_t lines_ = 0;
    const char* problem_ = nullptr;
};

}  // namespace tarn::ingest
