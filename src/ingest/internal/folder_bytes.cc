#include "ingest/internal/folder_bytes.h"

#include <simdjson.h>
#include <zlib.h>

#include <cstring>
#include <vector>

namespace tarn::ingest {
namespace {

constexpr uint64_t kUnpackedFree = 64u << 20;
constexpr size_t kReadBytes = 256u << 10;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

/// windows-1252 between 0x80 and 0x9f; the five that it does not have stay as they are.
constexpr uint16_t kWindows[32] = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                   0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

}  // namespace

bool is_ascii(std::string_view bytes) {
    constexpr uint64_t kHigh = 0x8080808080808080ull;
    size_t at = 0;
    for (; at + 64 <= bytes.size(); at += 64) {
        uint64_t words[8];
        std::memcpy(words, bytes.data() + at, 64);
        uint64_t any = 0;
        for (const uint64_t word : words) any |= word;
        if ((any & kHigh) != 0) return false;
    }
    for (; at < bytes.size(); ++at)
        if (static_cast<unsigned char>(bytes[at]) >= 0x80) return false;
    return true;
}

bool is_gzip(std::string_view head) {
    return head.size() >= 3 && head.substr(0, 3) == "\x1f\x8b\x08";
}

struct Gunzip::State {
    z_stream stream{};
    bool open = false;
    bool member_ended = false;
    uint64_t ratio_max = 0;
    uint64_t in = 0, out = 0;
    std::vector<unsigned char> buffer = std::vector<unsigned char>(kReadBytes);
};

Gunzip::Gunzip(uint64_t ratio_max) : state_(std::make_unique<State>()) {
    state_->ratio_max = ratio_max;
    state_->open = inflateInit2(&state_->stream, 15 + 16) == Z_OK;
}

Gunzip::~Gunzip() {
    if (state_->open) inflateEnd(&state_->stream);
}

void Gunzip::push(std::string_view bytes) {
    state_->stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    state_->stream.avail_in = static_cast<uInt>(bytes.size());
    state_->in += bytes.size();
}

Result<std::string_view> Gunzip::next() {
    State& state = *state_;
    if (!state.open) return Error{Code::exhausted, "no memory to unpack the file"};
    for (;;) {
        if (state.member_ended) {
            // Zeros between members, or behind the last one, are padding; what else follows is a
            // member, wherever the file was cut into pieces.
            while (state.stream.avail_in > 0 && *state.stream.next_in == 0) {
                ++state.stream.next_in;
                --state.stream.avail_in;
            }
            if (state.stream.avail_in == 0) return std::string_view();
            inflateReset(&state.stream);
            state.member_ended = false;
        }
        state.stream.next_out = state.buffer.data();
        state.stream.avail_out = static_cast<uInt>(state.buffer.size());
        const int answer = inflate(&state.stream, Z_NO_FLUSH);
        const size_t made = state.buffer.size() - state.stream.avail_out;
        state.out += made;
        if (answer == Z_STREAM_END)
            state.member_ended = true;
        else if (answer != Z_OK && answer != Z_BUF_ERROR)
            return Error{Code::invalid_argument,
                         std::string("the gzip file is damaged: ") +
                             (state.stream.msg != nullptr ? state.stream.msg : "no valid data")};
        if (state.out > kUnpackedFree && state.out / state.ratio_max > state.in)
            return Error{Code::invalid_argument,
                         "the gzip file unpacks to more than " + std::to_string(state.ratio_max) +
                             " times its size: refused as a decompression bomb"};
        if (made > 0)
            return std::string_view(reinterpret_cast<const char*>(state.buffer.data()), made);
        if (state.stream.avail_in == 0 || answer == Z_BUF_ERROR) return std::string_view();
    }
}

Status Gunzip::finish() const {
    if (state_->member_ended) return {};
    return Error{Code::invalid_argument, "the gzip file ends too early: it was cut off"};
}

Result<Encoding> parse_encoding(std::string_view name, std::string_view head) {
    if (name == "utf8") return Encoding::utf8;
    if (name == "latin1") return Encoding::latin1;
    if (name != "utf16")
        return Error{Code::invalid_argument,
                     "the encoding \"" + std::string(name) +
                         "\" is not known; there are utf8, latin1 and utf16"};
    const auto guessed = guess_encoding(head, true);
    return guessed == Encoding::utf16_big ? Encoding::utf16_big : Encoding::utf16_little;
}

std::string_view encoding_name(Encoding encoding) {
    switch (encoding) {
        case Encoding::utf8:
            return "utf8";
        case Encoding::latin1:
            return "latin1";
        case Encoding::utf16_little:
        case Encoding::utf16_big:
            return "utf16";
    }
    return "utf8";
}

std::optional<Encoding> guess_encoding(std::string_view head, bool cut) {
    if (head.starts_with(kUtf8Mark)) return Encoding::utf8;
    if (head.starts_with("\xFF\xFE")) return Encoding::utf16_little;
    if (head.starts_with("\xFE\xFF")) return Encoding::utf16_big;
    // Without a mark: every other byte of Western text is zero.
    size_t zeros[2] = {0, 0};
    const std::string_view sample = head.substr(0, 4096);
    for (size_t i = 0; i < sample.size(); ++i)
        if (sample[i] == 0) ++zeros[i % 2];
    if (zeros[1] > sample.size() / 4 && zeros[0] * 8 < zeros[1]) return Encoding::utf16_little;
    if (zeros[0] > sample.size() / 4 && zeros[1] * 8 < zeros[0]) return Encoding::utf16_big;
    if (is_ascii(head)) return std::nullopt;
    std::string_view whole = head;
    for (int i = 0; cut && i < 4 && !whole.empty(); ++i) {
        if (simdjson::validate_utf8(whole.data(), whole.size())) return Encoding::utf8;
        whole.remove_suffix(1);
    }
    return simdjson::validate_utf8(whole.data(), whole.size()) ? Encoding::utf8 : Encoding::latin1;
}

std::string_view Transcoder::convert(std::string_view bytes) {
    out_.clear();
    switch (encoding_) {
        case Encoding::utf8:
            if (began_) return bytes;
            // The mark may come in pieces.
            cut_off_.append(bytes);
            if (cut_off_.size() < kUtf8Mark.size()) return {};
            began_ = true;
            out_.swap(cut_off_);
            cut_off_.clear();
            return std::string_view(out_).substr(out_.starts_with(kUtf8Mark) ? kUtf8Mark.size()
                                                                             : 0);
        case Encoding::latin1:
            if (is_ascii(bytes)) return bytes;
            append_latin1(bytes);
            return out_;
        case Encoding::utf16_little:
        case Encoding::utf16_big:
            append_utf16(bytes);
            return out_;
    }
    return bytes;
}

std::string_view Transcoder::finish() {
    out_.clear();
    if (encoding_ == Encoding::utf8) {
        out_.swap(cut_off_);
    } else if (!cut_off_.empty() || high_surrogate_ != 0) {
        append_code_point(0xFFFD);
        cut_off_.clear();
        high_surrogate_ = 0;
    }
    return out_;
}

void Transcoder::append_latin1(std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
            out_.push_back(c);
        else
            append_code_point(byte < 0xA0 ? kWindows[byte - 0x80] : byte);
    }
}

void Transcoder::append_utf16(std::string_view bytes) {
    const auto unit_of = [&](char first, char second) {
        const auto a = static_cast<unsigned char>(first), b = static_cast<unsigned char>(second);
        return encoding_ == Encoding::utf16_little ? static_cast<uint32_t>(a | b << 8)
                                                   : static_cast<uint32_t>(a << 8 | b);
    };
    const auto take = [&](uint32_t unit) {
        if (!began_) {
            began_ = true;
            if (unit == 0xFEFF) return;
        }
        const bool low = unit >= 0xDC00 && unit < 0xE000;
        if (high_surrogate_ != 0) {
            const uint32_t high = high_surrogate_;
            high_surrogate_ = 0;
            if (low) return append_code_point(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            append_code_point(0xFFFD);
        }
        if (unit >= 0xD800 && unit < 0xDC00)
            high_surrogate_ = unit;
        else
            append_code_point(low ? 0xFFFD : unit);
    };
    size_t at = 0;
    if (!cut_off_.empty() && !bytes.empty()) {
        take(unit_of(cut_off_[0], bytes[0]));
        cut_off_.clear();
        at = 1;
    }
    for (; at + 1 < bytes.size(); at += 2) take(unit_of(bytes[at], bytes[at + 1]));
    if (at < bytes.size()) cut_off_ = bytes.substr(at);
}

void Transcoder::append_code_point(uint32_t point) {
    if (point < 0x80) {
        out_.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        out_.push_back(static_cast<char>(0xC0 | point >> 6));
        out_.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    } else if (point < 0x10000) {
        out_.push_back(static_cast<char>(0xE0 | point >> 12));
        out_.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
        out_.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    } else {
        out_.push_back(static_cast<char>(0xF0 | point >> 18));
        out_.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3F)));
        out_.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
        out_.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    }
}

}  // namespace tarn::ingest
