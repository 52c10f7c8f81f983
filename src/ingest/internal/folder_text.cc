#include "ingest/internal/folder_text.h"

namespace tarn::ingest {

FileText::FileText(DropFile& file, std::optional<Encoding> encoding,
                   std::function<Status(std::string_view)> tap)
    : file_(file), tap_(std::move(tap)) {
    file_.rewind();
    if (encoding) transcoder_.emplace(*encoding);
}

Result<std::string_view> FileText::next() {
    while (!ended_) {
        TARN_TRY(bytes, next_unpacked());
        if (bytes.empty()) {
            ended_ = true;
            if (transcoder_) return noted(transcoder_->finish());
            break;
        }
        const std::string_view text = transcoder_ ? transcoder_->convert(bytes) : bytes;
        if (!text.empty()) return noted(text);
    }
    return std::string_view();
}

std::string_view FileText::noted(std::string_view text) {
    all_ascii_ = all_ascii_ && is_ascii(text);
    return text;
}

Result<std::string_view> FileText::next_unpacked() {
    for (;;) {
        if (gunzip_) {
            TARN_TRY(unpacked, gunzip_->next());
            if (!unpacked.empty()) return unpacked;
        }
        TARN_TRY(raw, file_.read());
        if (tap_ && !raw.empty()) TARN_CHECK_OK(tap_(raw));
        if (!began_) {
            began_ = true;
            if (is_gzip(raw)) gunzip_.emplace();
        }
        if (!gunzip_) return raw;
        if (raw.empty()) {
            TARN_CHECK_OK(gunzip_->finish());
            return raw;
        }
        gunzip_->push(raw);
    }
}

}  // namespace tarn::ingest
