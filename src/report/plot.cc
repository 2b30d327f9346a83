#include "report/plot.h"

#include <duktape.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "report/assets.h"
#include "report/checked_object.h"
#include "report/figure_check.h"

namespace twofold {

namespace {

// D3, plots/*.js and a document in a Duktape heap of their own. Not thread-safe.
class PlotScript {
 public:
  PlotScript() : context_(duk_create_heap(nullptr, nullptr, nullptr, nullptr, die)) {
    if (context_ == nullptr) throw_error(ErrorCode::kResourceExhausted, "no memory to draw figures");
    for (const std::string_view text : {report_assets::kD3, report_assets::kPlots, report_assets::kDom}) {
      if (duk_peval_lstring(context_.get(), text.data(), text.size()) != 0) fail();
      duk_pop(context_.get());
    }
  }

  std::string figure_file(const std::string& json) {
    duk_get_global_string(context_.get(), "figureFile");
    duk_push_lstring(context_.get(), json.data(), json.size());
    if (duk_pcall(context_.get(), 1) != DUK_EXEC_SUCCESS) fail();
    size_t size = 0;
    const char* text = duk_get_lstring(context_.get(), -1, &size);
    std::string file(text, size);
    duk_pop(context_.get());
    return file;
  }

 private:
  struct Destroy {
    void operator()(duk_context* context) const { duk_destroy_heap(context); }
  };

  // Every call is protected, so this is for errors of Duktape itself.
  static void die(void*, const char* message) {
    std::fprintf(stderr, "twofold: Duktape: %s\n", message);
    std::abort();
  }

  // Figures are checked before they get here, which leaves those that are too large.
  [[noreturn]] void fail() {
    const std::string message = duk_safe_to_string(context_.get(), -1);
    duk_pop(context_.get());
    throw_error(ErrorCode::kResourceExhausted, "the figure cannot be drawn: {}", message);
  }

  std::unique_ptr<duk_context, Destroy> context_;
};

}  // namespace

std::string plot_svg(std::string_view figure_json) {
  const nlohmann::ordered_json figure = parse_json(figure_json, "figure");
  check_figure(figure, "figure");
  thread_local PlotScript script;
  return script.figure_file(figure.dump());
}

}  // namespace twofold
