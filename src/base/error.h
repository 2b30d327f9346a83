// throw_error: formats and throws twofold::Error.
#ifndef TWOFOLD_SRC_BASE_ERROR_H_
#define TWOFOLD_SRC_BASE_ERROR_H_

#include <fmt/format.h>

#include "twofold/error.h"

namespace twofold {

template <typename... Args>
[[noreturn]] void throw_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_ERROR_H_
