// A file that is not there yet.
#ifndef TWOFOLD_SRC_BASE_TEMPORARY_FILE_H_
#define TWOFOLD_SRC_BASE_TEMPORARY_FILE_H_

#include <filesystem>

namespace twofold {

// Open for writing in a folder, with the permissions that the process gives new files. Has no name where the file
// system can do that, so that nothing is left behind however the process ends; elsewhere it has one that the destructor
// takes away. Functions that fail leave errno behind.
class TemporaryFile {
 public:
  enum class Name { kIfNeeded, kAlways };

  explicit TemporaryFile(const std::filesystem::path& folder, Name name = Name::kIfNeeded);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // Negative: it could not be made.
  int descriptor() const { return descriptor_; }
  // Gives it this name in its folder, in place of whatever has it. False if that fails.
  bool publish(const std::filesystem::path& path);
  // False where what was written turns out not to be.
  bool close();

 private:
  // A name beside the others that nothing has. False if there is none.
  template <typename Take>
  bool take_name(const Take& take);

  std::filesystem::path folder_, name_;  // name_: empty where it has none
  int descriptor_ = -1;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_TEMPORARY_FILE_H_
