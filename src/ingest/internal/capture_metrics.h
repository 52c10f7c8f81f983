// What a database that is followed change by change shows as metrics. Owned by its runner.
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
                                 {{"source", source}})),
          lag_bytes(metrics.gauge("tarn_capture_lag_bytes",
                                  "Log of a database that is not in the lake yet",
                                  {{"source", source}})),
          lag_seconds(metrics.gauge("tarn_capture_lag_seconds",
                                    "Age of the oldest transaction that is not in the lake yet",
                                    {{"source", source}})),
          retained_bytes(metrics.gauge("tarn_capture_retained_bytes",
                                       "Log that a database keeps for the lake",
                                       {{"source", source}})),
          paused(metrics.gauge("tarn_capture_paused_tables",
                               "Followed tables that stand still and need a person",
                               {{"source", source}})) {}
    Counter &changes, &transactions, &errors;
    Gauge &lag_bytes, &lag_seconds, &retained_bytes, &paused;
};

}  // namespace tarn::ingest
