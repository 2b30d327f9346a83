// The one exception type of Twofold: whatever a model, a file, a config or a user can cause.
#ifndef TWOFOLD_ERROR_H_
#define TWOFOLD_ERROR_H_

#include <stdexcept>
#include <string>

namespace twofold {

enum class ErrorCode {
  kInvalidArgument,    // an argument, an input tensor or a config value is wrong
  kInvalidModel,       // the model file contradicts itself or the ONNX standard
  kUnsupported,        // valid, but Twofold (or the target) does not do it
  kNotFound,           // a file, node, operand or key does not exist
  kIo,                 // reading or writing failed
  kResourceExhausted,  // out of memory or over a size limit
  kCancelled,          // the caller gave the run up
};

// Thrown with a message that names the file, node, operand or key and says what to do.
class Error : public std::runtime_error {
 public:
  // The message becomes a line that a terminal shows: control characters and bytes that are not UTF-8 are replaced by
  // '?', line breaks by blanks, and the middle of what is longer than 2000 bytes by "...".
  Error(ErrorCode code, const std::string& message);
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace twofold

#endif  // TWOFOLD_ERROR_H_
