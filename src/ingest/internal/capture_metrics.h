// What a database that is followed change by change counts; how it stands at a moment is in
// source_metrics.h. Owned by its runner.
#pragma once

#include <string>

#include "base/metrics.h"

namespace tarn::ingest {

struct CaptureMetrics {
    CaptureMetrics(Metrics& metrics, const std::string& source)
        : changes(metrics.counter("tarn_capture_changes_total",
                                  "Changes of rows taken from a database's log",
                                  {{"source", source}})),
          transactions(metrics.counter("tarn_capture_transactions_total",
                                       "Transactions taken from a database's log",
                                       {{"source", source}})),
          errors(metrics.counter("tarn_capture_errors_total",
                                 "Times a followed database had to be tried again",
                                 {{"source", source}})) {}
    Counter &changes, &transactions, &errors;
};

}  // namespace tarn::ingest
