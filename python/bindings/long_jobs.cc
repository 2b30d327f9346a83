#include "long_jobs.h"

namespace nb = nanobind;

namespace twofold::python {

namespace {

// What goes wrong on the way to the screen is no reason to end the job.
void write_to_stderr(std::string_view text) {
  const nb::gil_scoped_acquire gil;
  try {
    const nb::object stream = nb::module_::import_("sys").attr("stderr");
    stream.attr("write")(nb::str(text.data(), text.size()));
    stream.attr("flush")();
  } catch (const nb::python_error&) {
  }
}

}  // namespace

bool AskPython::operator()() {
  const Clock::time_point now = Clock::now();
  if (now < next_ || (cancelled_.is_none() && !is_main_thread_)) return false;
  next_ = now + std::chrono::milliseconds(50);
  const nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
  return !cancelled_.is_none() && nb::cast<bool>(nb::bool_(nb::borrow(cancelled_())));
}

ShowProgress::ShowProgress(nb::handle callable, int columns) {
  if (!callable.is_none()) {
    progress_ = [callable](std::string_view stage, int64_t done, int64_t total) {
      const nb::gil_scoped_acquire gil;
      callable(nb::str(stage.data(), stage.size()), done, total);
    };
  } else if (columns > 0) {
    bar_.emplace([columns] { return columns; }, write_to_stderr);
    progress_ = [this](std::string_view stage, int64_t done, int64_t total) { bar_->update(stage, done, total); };
  }
}

}  // namespace twofold::python
