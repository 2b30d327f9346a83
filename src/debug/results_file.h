// What has been measured of units, kept as it comes, so that a job that was ended at any moment can go on.
#ifndef TWOFOLD_SRC_DEBUG_RESULTS_FILE_H_
#define TWOFOLD_SRC_DEBUG_RESULTS_FILE_H_

#include <filesystem>
#include <map>
#include <string>

#include "debug/sensitivity.h"

namespace twofold {

// A line of JSON that says what the results are of, then one per unit. Lines are written with one call each; a last
// line that was torn when its writer was killed is cut off.
class ResultsFile {
 public:
  // What results depend on, by words for messages: {"model", "9f3c..."}.
  using Subject = std::map<std::string, std::string>;
  using Results = std::map<std::string, Sensitivity, std::less<>>;

  // What a file holds, by unit, if it is of the subject as far as that says. What is behind its last end of a line is
  // left out. Throws Error as the constructor, and for a file that is not there.
  static Results read(const std::filesystem::path& path, const Subject& subject);

  // Makes the file anew, or, with `resume`, goes on with the one that is there, if there is one. Throws
  // Error(kInvalidArgument) if that one is no such file, or of another subject: with the first difference; Error(kIo)
  // where it cannot be written.
  ResultsFile(std::filesystem::path path, const Subject& subject, bool resume);
  ~ResultsFile();
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;

  // Throws Error(kInvalidArgument) unless each unit has numbers of so many samples and outputs.
  void check_counts(size_t samples, size_t outputs) const;

  // What the file holds of a unit; nullptr if nothing.
  const Sensitivity* find(const std::string& unit) const;
  // Throws Error(kIo) if the line cannot be written (disk full, say); what is there already stays.
  void add(const std::string& unit, const Sensitivity& sensitivity);

 private:
  void append(std::string line);

  const std::filesystem::path path_;
  int descriptor_ = -1;
  Results known_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_RESULTS_FILE_H_
