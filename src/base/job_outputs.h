// The files that a job is going to write, known before it begins.
#ifndef TWOFOLD_SRC_BASE_JOB_OUTPUTS_H_
#define TWOFOLD_SRC_BASE_JOB_OUTPUTS_H_

#include <sys/types.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace twofold {

// While an object lives, the files that it names are outputs of the thread that made it: nothing is read from them
// (check_not_output), no two of them are one, and none is written twice (note_written). Objects nest, those of a job in
// those of its caller, and belong to one thread.
class JobOutputs {
 public:
  // Empty paths are left out.
  JobOutputs(std::initializer_list<std::filesystem::path> files = {});
  ~JobOutputs();
  JobOutputs(const JobOutputs&) = delete;
  JobOutputs& operator=(const JobOutputs&) = delete;

  // Throws as check_writable(); Error(kInvalidArgument) where another output is the same file.
  void add_file(const std::filesystem::path& path);
  // All that is in a folder, which need not be there.
  void add_folder(const std::filesystem::path& path);

 private:
  friend void check_not_output(const std::filesystem::path& path);
  friend void note_written(const std::filesystem::path& path);

  // Where a file is: itself, or if it is not there its folder and its name.
  struct Place {
    dev_t device = 0;
    ino_t number = 0;
    std::string name;
    bool operator==(const Place&) const = default;
  };
  struct Output {
    std::filesystem::path path;  // as it was given
    bool is_folder = false;
    Place place;
    Place name;  // as the place of a file that is not there, whether it is or not
    bool is_written = false;
  };

  static Place place_of(const std::filesystem::path& path);
  static Place name_of(const std::filesystem::path& path);
  void add(Output output);

  JobOutputs* const outer_;
  std::vector<Output> outputs_;
};

// For whatever reads files, or finds out which will be read. Throws Error(kInvalidArgument) where `path` is an output
// of a job of this thread.
void check_not_output(const std::filesystem::path& path);

// For whatever writes files, once for each; `path` leads to the file without links. Throws Error(kInvalidArgument)
// where it is an output that has been written: a job may write more files than it can name beforehand.
void note_written(const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_JOB_OUTPUTS_H_
