// What start_put, begin_put, begin_staged, begin_part and stage hand out. They borrow the store and must not
// outlive it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "objects/internal/objects.h"

namespace tarn::objects::internal {

class PutUpload final : public Upload {
 public:
    PutUpload(Objects& objects, std::string bucket, std::string key, PutOptions options,
              std::unique_ptr<Intake> intake)
        : objects_(objects),
          bucket_(std::move(bucket)),
          key_(std::move(key)),
          options_(std::move(options)),
          intake_(std::move(intake)) {}

    /// Without a caller it can only be staged.
    void committed_by(const security::Caller& caller) { caller_ = caller; }
    Status write(std::string_view piece) override;
    Result<ObjectInfo> finish(const std::vector<Checksum>& trailer) override;

    const std::string& bucket() const { return bucket_; }
    const std::string& key() const { return key_; }
    const PutOptions& options() const { return options_; }
    /// The body; the upload is void afterwards.
    std::unique_ptr<Intake> take() { return std::move(intake_); }

 private:
    Objects& objects_;
    const std::string bucket_;
    const std::string key_;
    const PutOptions options_;
    std::optional<security::Caller> caller_;
    std::unique_ptr<Intake> intake_;
};

/// All that a put needs to be told, or tried again, when its change was decided. Its maker's until
/// the commit begins, the committer's until `ready`, then its holder's.
class PendingPut final : public StartedPut {
 public:
    PendingPut(Objects& objects, security::Caller by, std::string in_bucket, std::string of_key,
               PutOptions put_options)
        : caller(std::move(by)),
          bucket(std::move(in_bucket)),
          key(std::move(of_key)),
          options(std::move(put_options)),
          objects_(objects) {}

    Result<ObjectInfo> finish() override { return objects_.end_put(*this); }

    const security::Caller caller;
    const std::string bucket;
    const std::string key;
    const PutOptions options;
    std::unique_ptr<Intake> intake;
    ObjectRecord next;
    std::vector<Extent> dead;  // by the change, once it is durable
    Status outcome;

 private:
    Objects& objects_;
};

class MultipartPart final : public PartUpload {
 public:
    MultipartPart(Objects& objects, security::Caller caller, std::string bucket, std::string key,
                  std::string upload_id, uint32_t number,
                  std::optional<ChecksumAlgorithm> algorithm, std::unique_ptr<Intake> intake)
        : objects_(objects),
          caller_(std::move(caller)),
          bucket_(std::move(bucket)),
          key_(std::move(key)),
          upload_id_(std::move(upload_id)),
          number_(number),
          algorithm_(algorithm),
          intake_(std::move(intake)) {}

    Status write(std::string_view piece) override;
    Result<PartInfo> finish(const std::vector<Checksum>& trailer) override;

 private:
    Objects& objects_;
    const security::Caller caller_;
    const std::string bucket_;
    const std::string key_;
    const std::string upload_id_;
    const uint32_t number_;
    const std::optional<ChecksumAlgorithm> algorithm_;  // kept with the part
    std::unique_ptr<Intake> intake_;
};

class StagedChange final : public Staged {
 public:
    StagedChange(Objects& objects, ObjectInfo info, std::unique_ptr<Intake> intake,
                 std::vector<Extent> dead)
        : objects_(objects),
          info_(std::move(info)),
          intake_(std::move(intake)),
          dead_(std::move(dead)) {}

    const ObjectInfo& info() const override { return info_; }
    void committed() override;

 private:
    Objects& objects_;
    const ObjectInfo info_;
    std::unique_ptr<Intake> intake_;  // null for a delete
    std::vector<Extent> dead_;
};

}  // namespace tarn::objects::internal
