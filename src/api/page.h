// What the debugger's page shows, as JSON (report/report_check.h).
#ifndef TWOFOLD_SRC_API_PAGE_H_
#define TWOFOLD_SRC_API_PAGE_H_

#include <nlohmann/json.hpp>
#include <vector>

#include "api/debug_steps.h"
#include "twofold/debug_all.h"

namespace twofold {

// `nodes` are all nodes with what each alone does.
nlohmann::ordered_json page_of(DebugCase& subject, const DebugAllJob& job, const DebugAllReport& report,
                               const MeasuredUnits& nodes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_PAGE_H_
