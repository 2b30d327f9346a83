// What an action complains of, for tests of messages.
#ifndef TWOFOLD_TESTS_BASE_MESSAGE_OF_H_
#define TWOFOLD_TESTS_BASE_MESSAGE_OF_H_

#include <string>

#include "twofold/error.h"

namespace twofold::testing {

// The message of the Error that `action` throws; "nothing thrown" where it throws none.
template <typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_BASE_MESSAGE_OF_H_
