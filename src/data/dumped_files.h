// Samples as debuggers of devices dump them: b<index>_input_data_<input name>.npy, all in one folder.
#ifndef TWOFOLD_SRC_DATA_DUMPED_FILES_H_
#define TWOFOLD_SRC_DATA_DUMPED_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

namespace twofold {

// [input][sample], in the order of the indices. Empty where none of the files is called so. An input is found by its
// name, or by that with '_' for whatever is no letter, digit, '-' or '.'. Throws Error(kInvalidArgument) where an input
// lacks a sample that another one has, naming both; Error(kNotFound) for an input without any, or a name that is no
// input's.
std::vector<std::vector<std::filesystem::path>> dumped_files(const std::vector<std::filesystem::path>& files,
                                                             const std::vector<std::string>& inputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_DUMPED_FILES_H_
