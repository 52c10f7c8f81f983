#include "objects/internal/uploads.h"

#include "base/lane.h"
#include "codec/text.h"

namespace tarn::objects::internal {
namespace {

Error void_upload() {
    return {Code::internal, "This upload has failed or ended already."};
}

}  // namespace

Status PutUpload::write(std::string_view piece) {
    assert_may_block();
    if (!intake_) return void_upload();
    auto written = intake_->write(piece);
    if (!written.ok()) intake_.reset();
    return written;
}

Result<ObjectInfo> PutUpload::finish(const std::vector<Checksum>& trailer) {
    assert_may_block();
    const auto intake = std::move(intake_);
    if (!intake) return void_upload();
    TARN_ASSERT(caller_.has_value());
    TARN_CHECK_OK(intake->finish(trailer));
    return objects_.commit_put(*caller_, bucket_, key_, options_, *intake);
}

Status MultipartPart::write(std::string_view piece) {
    assert_may_block();
    if (!intake_) return void_upload();
    auto written = intake_->write(piece);
    if (!written.ok()) intake_.reset();
    return written;
}

Result<PartInfo> MultipartPart::finish(const std::vector<Checksum>& trailer) {
    assert_may_block();
    const auto intake = std::move(intake_);
    if (!intake) return void_upload();
    TARN_CHECK_OK(intake->finish(trailer));
    PartRecord record;
    record.size = intake->size();
    record.etag = codec::hex_encode(intake->md5());
    record.pieces = intake->pieces();
    for (const auto& checksum : intake->checksums())
        if (!algorithm_ || checksum.algorithm == *algorithm_) record.checksum = checksum;
    return objects_.commit_part(caller_, bucket_, key_, upload_id_, number_, std::move(record),
                                intake.get());
}

void StagedChange::committed() {
    if (intake_) intake_->kept();
    objects_.released(std::exchange(dead_, {}));
}

}  // namespace tarn::objects::internal
