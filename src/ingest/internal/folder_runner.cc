#include "ingest/internal/runner.h"

namespace tarn::ingest {

namespace {

/// Until this kind of source is built it says so.
class Absent final : public Runner {
 public:
    explicit Absent(const SourceSpec& spec) : name_(spec.name) {}
    void start() override {}
    void ask_to_stop() override {}
    void stop() override {}
    SourceStatus status() const override {
        SourceStatus status;
        status.name = name_;
        status.kind = "folder";
        status.state = SourceStatus::State::failed;
        status.last_error = "sources of kind folder are not implemented yet";
        return status;
    }

 private:
    const std::string name_;
};

}  // namespace

std::unique_ptr<Runner> make_folder_runner(const SourceSpec& spec, const SourcesParts&) {
    return std::make_unique<Absent>(spec);
}

Result<Preview> preview_folder(const SourceSpec&, const SourcesParts&, size_t) {
    return Error(Code::unimplemented, "sources of kind folder are not implemented yet");
}

}  // namespace tarn::ingest
