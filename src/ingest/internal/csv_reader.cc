#include "ingest/internal/csv_reader.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tarn::ingest {
namespace {

constexpr size_t kSlack = 64;
constexpr const char* kTooLong = "the line is longer than 1 MiB";
constexpr const char* kOpenQuote = "a quote is opened and never closed";
constexpr const char* kAfterQuote = "there is text between a closing quote and the delimiter";
constexpr const char* kNul = "the line holds a NUL byte";

}  // namespace

CsvReader::CsvReader(CsvSyntax syntax, size_t record_bytes_max)
    : syntax_(syntax), record_bytes_max_(record_bytes_max) {}

void CsvReader::push(std::string_view bytes) {
    nul_ = nul_ || (!bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()) != nullptr);
    const size_t left = end_ - begin_;
    if (begin_ > 0 || left + bytes.size() + kSlack > capacity_) {
        if (left + bytes.size() + kSlack > capacity_) {
            const size_t grown = std::max(capacity_ * 2, left + bytes.size() + kSlack);
            std::unique_ptr<char[]> larger(new char[grown]());
            if (left > 0) std::memcpy(larger.get(), buffer_.get() + begin_, left);
            buffer_ = std::move(larger);
            capacity_ = grown;
        } else if (left > 0) {
            std::memmove(buffer_.get(), buffer_.get() + begin_, left);
        }
        begin_ = 0;
        end_ = left;
    }
    std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
}

bool CsvReader::next(CsvRecord& record) {
    for (;;) {
        if (skipping_ && !skip_long_line()) return false;
        if (after_cr_ && begin_ < end_) {
            if (buffer_[begin_] == '\n') ++begin_;
            after_cr_ = false;
        }
        if (begin_ == end_) return false;
        Scan outcome = scan(begin_);
        if (outcome == Scan::more) {
            if (!finished_ && end_ - begin_ <= record_bytes_max_) return false;
            problem_ = finished_ && end_ - begin_ <= record_bytes_max_ ? kOpenQuote : kTooLong;
            outcome = Scan::broken;
        } else if (outcome == Scan::record && text_end_ - begin_ > record_bytes_max_) {
            // Whether the pieces were large or small must not matter.
            problem_ = kTooLong;
            outcome = Scan::broken;
        }
        if (outcome == Scan::broken) {
            // The text that is told is the whole first line, however the bytes were cut.
            if (!finished_ && end_ - begin_ <= record_bytes_max_ && line_end(begin_) == end_)
                return false;
            give_up_on(problem_, record);
            return true;
        }
        record.line = line_;
        record.text = slice(begin_, text_end_);
        record.fields = &fields_;
        record.problem = nullptr;
        const bool empty = text_end_ == begin_;
        line_ += lines_;
        begin_ = next_begin_;
        if (empty) continue;
        if (nul_ && std::memchr(record.text.data(), 0, record.text.size()) != nullptr)
            record.problem = kNul;
        return true;
    }
}

/// Looks for one record that begins at `at`.
CsvReader::Scan CsvReader::scan(size_t at) {
    fields_.clear();
    unescaped_.clear();
    lines_ = 0;
    const char* const bytes = buffer_.get();
    for (;;) {
        Scan outcome = Scan::record;
        if (at < end_ && bytes[at] == syntax_.quote && syntax_.quote != 0) {
            outcome = scan_quoted(at);
            if (outcome != Scan::record) return outcome;
        } else {
            const size_t stop = find_plain_end(at);
            if (stop == end_ && !finished_) return Scan::more;
            fields_.push_back({slice(at, stop), false});
            at = stop;
        }
        if (end_of_field(at, outcome)) return outcome;
    }
}

/// After a field: true at the end of the record.
bool CsvReader::end_of_field(size_t& at, Scan& outcome) {
    const char* const bytes = buffer_.get();
    if (at < end_ && bytes[at] == syntax_.delimiter) {
        ++at;
        return false;
    }
    text_end_ = at;
    if (at == end_) {
        outcome = finished_ ? Scan::record : Scan::more;
        next_begin_ = at;
    } else if (bytes[at] == '\n') {
        next_begin_ = at + 1;
        ++lines_;
    } else if (bytes[at] == '\r') {
        // The LF may not be here yet; it is passed over when it comes.
        next_begin_ = at + 1;
        after_cr_ = true;
        ++lines_;
    } else {
        problem_ = at - begin_ > record_bytes_max_ ? kTooLong : kAfterQuote;
        outcome = Scan::broken;
    }
    return true;
}

/// `at` is on the opening quote; leaves it behind the closing one.
CsvReader::Scan CsvReader::scan_quoted(size_t& at) {
    const char* const bytes = buffer_.get();
    const size_t from = at + 1;
    // After many quotes that were never closed they may no longer reach beyond their line.
    const size_t limit = rescues_left_ > 0 ? end_ : line_end(begin_);
    size_t look = from, part = from;
    size_t unescaped_from = std::string::npos;
    for (;;) {
        const void* found =
            look < limit ? std::memchr(bytes + look, syntax_.quote, limit - look) : nullptr;
        if (found == nullptr) {
            if (limit == end_) return Scan::more;
            problem_ = kOpenQuote;
            return Scan::broken;
        }
        const size_t quote = static_cast<size_t>(static_cast<const char*>(found) - bytes);
        if (quote - begin_ >= record_bytes_max_) {
            problem_ = kTooLong;
            return Scan::broken;
        }
        if (quote + 1 == end_ && !finished_) return Scan::more;
        const bool doubled = quote + 1 < end_ && bytes[quote + 1] == syntax_.quote;
        if (!doubled) {
            CsvField field{slice(from, quote), true};
            if (unescaped_from != std::string::npos) {
                unescaped_.append(bytes + part, quote - part);
                field.text = std::string_view(unescaped_).substr(unescaped_from);
            }
            for (const char *line = field.text.data(), *end = line + field.text.size();;) {
                line = static_cast<const char*>(
                    std::memchr(line, '\n', static_cast<size_t>(end - line)));
                if (line == nullptr) break;
                ++lines_;
                ++line;
            }
            fields_.push_back(field);
            at = quote + 1;
            return Scan::record;
        }
        if (unescaped_from == std::string::npos) {
            // All that is unescaped of one record is shorter than the record.
            if (unescaped_.capacity() < record_bytes_max_ + kSlack) {
                unescaped_.reserve(record_bytes_max_ + kSlack);
            }
            unescaped_from = unescaped_.size();
        }
        unescaped_.append(bytes + part, quote + 1 - part);
        part = look = quote + 2;
    }
}

/// The first delimiter or line end at or after `at`, or end_.
size_t CsvReader::find_plain_end(size_t at) const {
    const char* const bytes = buffer_.get();
    const char delimiter = syntax_.delimiter;
#ifdef __SSE2__
    const __m128i d = _mm_set1_epi8(delimiter), lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    while (at < end_) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
        const __m128i hit =
            _mm_or_si128(_mm_cmpeq_epi8(block, d),
                         _mm_or_si128(_mm_cmpeq_epi8(block, lf), _mm_cmpeq_epi8(block, cr)));
        const int mask = _mm_movemask_epi8(hit);
        if (mask != 0)
            return std::min(at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask))),
                            end_);
        at += 16;
    }
    return end_;
#else
    while (at < end_ && bytes[at] != delimiter && bytes[at] != '\n' && bytes[at] != '\r') ++at;
    return at;
#endif
}

/// The first line end at or after `at`, or end_.
size_t CsvReader::line_end(size_t at) const {
    const char* const bytes = buffer_.get();
    while (at < end_ && bytes[at] != '\n' && bytes[at] != '\r') ++at;
    return at;
}

/// Gives the first line of a broken record as broken, and goes on behind it.
void CsvReader::give_up_on(const char* problem, CsvRecord& record) {
    const size_t line_stop = line_end(begin_);
    const size_t at = std::min(line_stop, begin_ + record_bytes_max_);
    // A short line was not too long: it opened a quote.
    if (problem == kTooLong && at == line_stop) problem = kOpenQuote;
    if (problem == kOpenQuote && rescues_left_ > 0) --rescues_left_;
    record.line = line_;
    record.text = slice(begin_, at);
    record.fields = &fields_;
    record.problem = problem;
    fields_.clear();
    after_cr_ = false;
    begin_ = at;
    skipping_ = true;
}

/// False: the end of the line has not come yet.
bool CsvReader::skip_long_line() {
    begin_ = line_end(begin_);
    if (begin_ == end_) return false;
    after_cr_ = buffer_[begin_] == '\r';
    ++begin_;
    ++line_;
    skipping_ = false;
    return true;
}

}  // namespace tarn::ingest
