// Changes models at random and takes each through all that a user does with one: it is imported, run and quantized, and
// what comes out is run. docs/robustness.md has the counts.
//
//     mutated_models COUNT SEED JOBS WHERE FILE.onnx...
//
// Number, seed and files say what the models are. Each is tried in a process that may die; the models that killed it
// are written to the folder WHERE. Exits with 1 if there is one.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fuzz/mutate_model.h"
#include "twofold/error.h"
#include "twofold/quantize.h"
#include "twofold/session.h"

namespace twofold::testing {
namespace {

enum class Outcome : uint8_t { kNone, kStarted, kRefused, kRan, kQuantized, kBadMessage, kSlow, kCrashed };

constexpr std::array kWords = {"not tried", "started", "refused with one line", "ran, quantizing refused",
                               "quantized", "no line", "took over 20 s",        "crashed"};
constexpr unsigned kSecondsPerModel = 20;
constexpr int64_t kMostElements = 100000;
constexpr size_t kLongestLine = 3000;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Trial {
 public:
  Trial(const std::vector<std::string>& models, uint64_t seed, size_t number) : random_(seed * 1000003 + number) {
    onnx::ModelProto model;
    model.ParseFromString(models[random_() % models.size()]);
    // One change, half of the time, so that what is left of a model often still runs.
    for (uint64_t i = random_() % 2 == 0 ? 1 : 1 + random_() % 4; i > 0; --i) mutate(model, random_);
    bytes_ = model.SerializeAsString();
    if (random_() % 32 == 0 && !bytes_.empty()) bytes_[random_() % bytes_.size()] = static_cast<char>(random_());
  }

  const std::string& bytes() const { return bytes_; }

  Outcome run(const std::filesystem::path& folder) {
    Outcome outcome = Outcome::kRefused;
    try {
      const Session session(std::as_bytes(std::span(bytes_.data(), bytes_.size())), folder, {.threads = 1});
      const std::vector<Tensor> inputs = inputs_of(session);
      session.run(inputs);
      outcome = Outcome::kRan;
      quantize(session, inputs, folder);
      outcome = Outcome::kQuantized;
    } catch (const Error& error) {
      if (!is_line(error.what())) return Outcome::kBadMessage;
    }
    return outcome;
  }

 private:
  static bool is_line(const std::string& text) {
    const bool controls = std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
    return !controls && !text.empty() && text.size() < kLongestLine;
  }

  std::vector<Tensor> inputs_of(const Session& session) {
    std::vector<Tensor> inputs;
    for (const TensorInfo& info : session.inputs()) {
      Shape shape = info.shape;
      for (int64_t& dim : shape) dim = dim < 0 ? 2 : dim;
      int64_t count = 1;
      for (int64_t dim : shape) count = std::min(kMostElements, count * std::min(dim, kMostElements));
      if (count >= kMostElements) throw Error(ErrorCode::kResourceExhausted, "the test makes no inputs so large");
      Tensor input(info.dtype, shape);
      for (size_t i = 0; i < input.byte_size(); ++i) input.mutable_bytes()[i] = std::byte{0};
      if (info.dtype == DType::kFloat32) {
        for (float& x : input.mutable_data<float>()) x = static_cast<float>(random_() % 2001) / 1000.0F - 1.0F;
      }
      inputs.push_back(std::move(input));
    }
    return inputs;
  }

  void quantize(const Session& session, const std::vector<Tensor>& inputs, const std::filesystem::path& folder) {
    const std::filesystem::path model = folder / "model.onnx", output = folder / "quantized.onnx";
    std::ofstream(model, std::ios::binary) << bytes_;
    std::map<std::string, Tensor> sample;
    for (size_t i = 0; i < inputs.size(); ++i) sample.emplace(session.inputs()[i].name, inputs[i]);
    QuantizeOptions options;
    options.threads = 1;
    options.output = output;
    twofold::quantize(model, {{}, samples_in_memory({sample, sample})}, options);
    Session(output, {.threads = 1}).run(inputs);
  }

  std::mt19937_64 random_;
  std::string bytes_;
};

struct Campaign {
  std::vector<std::string> models;
  uint64_t seed;
  size_t count, jobs;
  std::filesystem::path where;
  std::atomic<Outcome>* outcomes;  // shared with the processes
};

// In a process of its own: every jobs-th model from `first` on.
[[noreturn]] void try_models(const Campaign& campaign, size_t first, const std::filesystem::path& folder) {
  for (size_t i = first; i < campaign.count; i += campaign.jobs) {
    campaign.outcomes[i] = Outcome::kStarted;
    Trial trial(campaign.models, campaign.seed, i);
    ::alarm(kSecondsPerModel);
    campaign.outcomes[i] = trial.run(folder);
  }
  std::_Exit(0);
}

// One of the jobs, with a new process behind each model that killed the last one.
[[noreturn]] void run_job(const Campaign& campaign, size_t job) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("twofold_mutated_models.{}", ::getpid());
  std::filesystem::create_directories(folder);
  for (size_t next = job; next < campaign.count;) {
    const pid_t child = ::fork();
    if (child == 0) try_models(campaign, next, folder);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    while (campaign.outcomes[next] != Outcome::kStarted && next + campaign.jobs < campaign.count) next += campaign.jobs;
    const bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    campaign.outcomes[next] = slow ? Outcome::kSlow : Outcome::kCrashed;
    std::ofstream(campaign.where / fmt::format("{}-{}.onnx", slow ? "slow" : "crash", next), std::ios::binary)
        << Trial(campaign.models, campaign.seed, next).bytes();
    next += campaign.jobs;
  }
  std::filesystem::remove_all(folder);
  std::_Exit(0);
}

int report(const Campaign& campaign) {
  std::map<Outcome, size_t> counts;
  for (size_t i = 0; i < campaign.count; ++i) {
    const Outcome outcome = campaign.outcomes[i];
    ++counts[outcome];
    if (outcome != Outcome::kBadMessage) continue;
    std::ofstream(campaign.where / fmt::format("message-{}.onnx", i), std::ios::binary)
        << Trial(campaign.models, campaign.seed, i).bytes();
  }
  for (const auto& [outcome, count] : counts) fmt::print("{:>8}  {}\n", count, kWords[static_cast<size_t>(outcome)]);
  return counts[Outcome::kCrashed] + counts[Outcome::kBadMessage] > 0 ? 1 : 0;
}

int run(int argc, char** argv) {
  if (argc < 6) {
    fmt::print(stderr, "usage: mutated_models COUNT SEED JOBS WHERE FILE.onnx...\n");
    return 2;
  }
  Campaign campaign{{}, std::stoull(argv[2]), std::stoull(argv[1]), std::stoull(argv[3]), argv[4], nullptr};
  for (int i = 5; i < argc; ++i) campaign.models.push_back(read_file(argv[i]));
  std::filesystem::create_directories(campaign.where);
  campaign.outcomes = static_cast<std::atomic<Outcome>*>(
      ::mmap(nullptr, campaign.count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<pid_t> jobs;
  for (size_t job = 0; job < campaign.jobs; ++job) {
    jobs.push_back(::fork());
    if (jobs.back() == 0) run_job(campaign, job);
  }
  for (const pid_t job : jobs) ::waitpid(job, nullptr, 0);
  return report(campaign);
}

}  // namespace
}  // namespace twofold::testing

int main(int argc, char** argv) { return twofold::testing::run(argc, argv); }
