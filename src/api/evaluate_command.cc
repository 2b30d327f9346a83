#include "api/evaluate_command.h"

#include <sys/wait.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "base/error.h"

namespace twofold {

namespace {

constexpr std::string_view kModel = "{model}";

// For the shell: in single quotes, those inside written as '\''.
std::string quoted(const std::string& path) {
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string with_model(std::string command, const std::filesystem::path& model) {
  size_t at = command.find(kModel);
  if (at == std::string::npos) {
    throw_error(ErrorCode::kInvalidArgument, "the command '{}' does not say where the model goes: write {{model}}",
                command);
  }
  const std::string path = quoted(model.string());
  for (; at != std::string::npos; at = command.find(kModel, at + path.size())) {
    command.replace(at, kModel.size(), path);
  }
  return command;
}

std::string last_word(const std::string& text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const size_t begin = text.find_last_of(" \t\r\n", end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace

void check_evaluate_command(const std::string& command) {
  if (!command.empty()) with_model(command, "model.onnx");
}

double number_from_command(const std::string& command, const std::filesystem::path& model) {
  const std::string line = with_model(command, model);
  std::FILE* pipe = ::popen(line.c_str(), "re");
  if (pipe == nullptr) throw_error(ErrorCode::kIo, "cannot run '{}'", line);
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t read = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), read);
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' failed (exit code {})", line,
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  const std::string word = last_word(output);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size()) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' printed no number last, but '{}'", line, word);
  }
  return value;
}

}  // namespace twofold
