#include "base/job_outputs.h"

#include <sys/stat.h>

#include <utility>

#include "base/error.h"
#include "base/output_path.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

thread_local JobOutputs* current = nullptr;

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

}  // namespace

JobOutputs::JobOutputs(std::initializer_list<fs::path> files) : outer_(std::exchange(current, this)) {
  try {
    for (const fs::path& path : files) {
      if (!path.empty()) add_file(path);
    }
  } catch (...) {
    current = outer_;
    throw;
  }
}

JobOutputs::~JobOutputs() { current = outer_; }

JobOutputs::Place JobOutputs::place_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return {status.st_dev, status.st_ino, ""};
  return name_of(path);
}

JobOutputs::Place JobOutputs::name_of(const fs::path& path) {
  struct stat status {};
  if (::stat(folder_of(path).c_str(), &status) == 0) return {status.st_dev, status.st_ino, path.filename().string()};
  return {0, 0, path.lexically_normal().string()};
}

void JobOutputs::add_file(const fs::path& path) {
  const OutputPath target = output_path(path);
  switch (target.kind) {
    case OutputPath::Kind::kFile: return add({path, false, place_of(target.path), name_of(target.path)});
    case OutputPath::Kind::kStream:
      if (!fs::is_character_file(target.path)) add({path, false, place_of(target.path)});
      return;  // of /dev/null there is enough for all
    case OutputPath::Kind::kDescriptor: return add({path, false, {0, 0, std::to_string(target.descriptor)}});
  }
}

void JobOutputs::add_folder(const fs::path& path) { outputs_.push_back({path, true, place_of(path)}); }

void JobOutputs::add(Output output) {
  for (const JobOutputs* job = this; job != nullptr; job = job->outer_) {
    for (const Output& other : job->outputs_) {
      if (other.is_folder || other.place != output.place) continue;
      throw_error(ErrorCode::kInvalidArgument, "'{}'{} would be written twice: give every output a file of its own",
                  output.path.string(),
                  other.path == output.path ? "" : fmt::format(", which is '{}' too,", other.path.string()));
    }
  }
  outputs_.push_back(std::move(output));
}

void note_written(const fs::path& path) {
  if (current == nullptr) return;
  const JobOutputs::Place name = JobOutputs::name_of(path);
  for (JobOutputs* job = current; job != nullptr; job = job->outer_) {
    for (JobOutputs::Output& output : job->outputs_) {
      if (output.is_folder || output.name != name) continue;
      if (!std::exchange(output.is_written, true)) return;
      throw_error(ErrorCode::kInvalidArgument,
                  "'{}' is the name of another file that was written already: give every output a file of its own",
                  output.path.string());
    }
  }
}

void check_not_output(const fs::path& path) {
  if (current == nullptr) return;
  const JobOutputs::Place file = JobOutputs::place_of(path), folder = JobOutputs::place_of(folder_of(path));
  for (const JobOutputs* job = current; job != nullptr; job = job->outer_) {
    for (const JobOutputs::Output& output : job->outputs_) {
      if (output.place != (output.is_folder ? folder : file)) continue;
      const std::string what = output.is_folder      ? fmt::format("files in '{}'", output.path.string())
                               : output.path == path ? "it"
                                                     : fmt::format("'{}', the same file,", output.path.string());
      throw_error(ErrorCode::kInvalidArgument,
                  "'{}' is read, and {} would be written: choose another place for the output", path.string(), what);
    }
  }
}

}  // namespace twofold
