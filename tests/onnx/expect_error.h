// Expects that a statement throws twofold::Error with a code and a message that contains all of some words.
#ifndef TWOFOLD_TESTS_ONNX_EXPECT_ERROR_H_
#define TWOFOLD_TESTS_ONNX_EXPECT_ERROR_H_

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>

#include "twofold/error.h"

namespace twofold::testing {

inline void expect_error(ErrorCode code, std::initializer_list<const char*> words,
                         const std::function<void()>& statement) {
  try {
    statement();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const char* word : words) EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    return;
  }
  ADD_FAILURE() << "no error";
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_ONNX_EXPECT_ERROR_H_
