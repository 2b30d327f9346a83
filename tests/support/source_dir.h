// Where the sources are, for tests that read files of the checkout.
#ifndef TWOFOLD_TESTS_SUPPORT_SOURCE_DIR_H_
#define TWOFOLD_TESTS_SUPPORT_SOURCE_DIR_H_

#include <filesystem>

namespace twofold {

std::filesystem::path source_dir();

}  // namespace twofold

#endif  // TWOFOLD_TESTS_SUPPORT_SOURCE_DIR_H_
