#include "models/booster.h"

#include <xgboost/c_api.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace tarn::models {

struct Booster::Handle {
    BoosterHandle booster = nullptr;
    ~Handle() {
        if (booster != nullptr) XGBoosterFree(booster);
    }
};

namespace {

struct Data {
    DMatrixHandle matrix = nullptr;
    ~Data() {
        if (matrix != nullptr) XGDMatrixFree(matrix);
    }
};

Status done(int answer, const char* what, Code code = Code::internal) {
    if (answer == 0) return {};
    std::string message = XGBGetLastError();
    // The library's messages end in a stack trace, which is nothing to a user.
    if (const auto trace = message.find("Stack trace"); trace != std::string::npos)
        message.resize(trace);
    while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back())))
        message.pop_back();
    return Error(code, std::string(what) + ": " + message);
}

double mean_of(const std::vector<float>& labels) {
    double sum = 0;
    for (const float label : labels) sum += static_cast<double>(label);
    return labels.empty() ? 0 : sum / static_cast<double>(labels.size());
}

std::map<std::string, std::string> all_parameters(const BoosterOptions& options,
                                                  double base_score) {
    std::map<std::string, std::string> all = {{"objective", "reg:squarederror"},
                                              {"tree_method", "hist"},
                                              {"max_depth", "8"},
                                              {"eta", "0.06"},
                                              {"min_child_weight", "20"},
                                              {"subsample", "0.8"},
                                              {"colsample_bytree", "0.6"},
                                              {"verbosity", "0"}};
    for (const auto& [name, value] : options.parameters) all[name] = value;
    all["seed"] = std::to_string(options.seed);
    all["nthread"] = "1";
    all["base_score"] = std::to_string(base_score);
    return all;
}

}  // namespace

Booster::Booster() : handle_(std::make_unique<Handle>()) {}
Booster::~Booster() = default;

Result<std::unique_ptr<Booster>> Booster::train(const Matrix& features,
                                                const std::vector<float>& labels,
                                                const BoosterOptions& options,
                                                const std::function<bool(int tree)>& go_on) {
    TARN_ASSERT(features.rows() == labels.size());
    if (labels.empty()) return Error(Code::invalid_argument, "there are no rows to train on");
    Data data;
    TARN_CHECK_OK(done(XGDMatrixCreateFromMat_omp(features.cells.data(), features.rows(),
                                                  features.columns, NAN, &data.matrix, 1),
                       "training rows"));
    TARN_CHECK_OK(
        done(XGDMatrixSetFloatInfo(data.matrix, "label", labels.data(), labels.size()), "labels"));
    std::unique_ptr<Booster> made(new Booster);
    BoosterHandle& booster = made->handle_->booster;
    TARN_CHECK_OK(done(XGBoosterCreate(&data.matrix, 1, &booster), "model"));
    for (const auto& [name, value] : all_parameters(options, mean_of(labels)))
        TARN_CHECK_OK(done(XGBoosterSetParam(booster, name.c_str(), value.c_str()), name.c_str(),
                           Code::invalid_argument));
    for (int tree = 0; tree < options.trees; ++tree) {
        if (go_on && !go_on(tree)) return Error(Code::cancelled, "training was stopped");
        TARN_CHECK_OK(done(XGBoosterUpdateOneIter(booster, tree, data.matrix), "training",
                           Code::invalid_argument));
    }
    return made;
}

Result<std::unique_ptr<Booster>> Booster::load(const std::string& bytes) {
    std::unique_ptr<Booster> made(new Booster);
    TARN_CHECK_OK(done(XGBoosterCreate(nullptr, 0, &made->handle_->booster), "model"));
    TARN_CHECK_OK(
        done(XGBoosterLoadModelFromBuffer(made->handle_->booster, bytes.data(), bytes.size()),
             "the model's trees can't be read", Code::corrupted));
    TARN_CHECK_OK(done(XGBoosterSetParam(made->handle_->booster, "nthread", "1"), "nthread"));
    return made;
}

Result<std::vector<float>> Booster::predict(const Matrix& features) const {
    if (features.rows() == 0) return std::vector<float>();
    const nlohmann::json array = {
        {"data", {reinterpret_cast<uintptr_t>(features.cells.data()), true}},
        {"shape", {features.rows(), features.columns}},
        {"typestr", "<f4"},
        {"version", 3}};
    // The library's JSON reader knows NaN as a bare word, which nlohmann does not write.
    const char* config =
        R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"cache_id":0,"missing":NaN})";
    bst_ulong const* shape = nullptr;
    bst_ulong dimensions = 0;
    float const* answer = nullptr;
    TARN_CHECK_OK(done(XGBoosterPredictFromDense(handle_->booster, array.dump().c_str(), config,
                                                 nullptr, &shape, &dimensions, &answer),
                       "prediction"));
    return std::vector<float>(answer, answer + features.rows());
}

Result<std::string> Booster::save() const {
    bst_ulong length = 0;
    char const* bytes = nullptr;
    TARN_CHECK_OK(
        done(XGBoosterSaveModelToBuffer(handle_->booster, R"({"format":"ubj"})", &length, &bytes),
             "saving"));
    return std::string(bytes, length);
}

Result<std::vector<double>> Booster::importance(size_t columns) const {
    bst_ulong names_count = 0, dimensions = 0;
    char const** names = nullptr;
    bst_ulong const* shape = nullptr;
    float const* scores = nullptr;
    TARN_CHECK_OK(
        done(XGBoosterFeatureScore(handle_->booster, R"({"importance_type":"total_gain"})",
                                   &names_count, &names, &dimensions, &shape, &scores),
             "importance"));
    std::vector<double> shares(columns, 0.0);
    double sum = 0;
    for (bst_ulong i = 0; i < names_count; ++i) {
        const size_t column =
            static_cast<size_t>(std::strtoull(names[i] + 1, nullptr, 10));  // "f12"
        if (column >= columns) continue;
        shares[column] = static_cast<double>(scores[i]);
        sum += shares[column];
    }
    if (sum > 0)
        for (auto& share : shares) share /= sum;
    return shares;
}

}  // namespace tarn::models
