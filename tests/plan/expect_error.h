// EXPECT_ERROR: that a statement throws Error with a code and a message.
#ifndef TWOFOLD_TESTS_PLAN_EXPECT_ERROR_H_
#define TWOFOLD_TESTS_PLAN_EXPECT_ERROR_H_

#include <gtest/gtest.h>

#include <string>

#include "twofold/error.h"

// The message must hold `text`.
#define EXPECT_ERROR(statement, expected_code, text)                                      \
  do {                                                                                    \
    try {                                                                                 \
      statement;                                                                          \
      ADD_FAILURE() << "nothing was thrown";                                              \
    } catch (const ::twofold::Error& error) {                                             \
      EXPECT_EQ(error.code(), expected_code) << error.what();                             \
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what(); \
    }                                                                                     \
  } while (false)

#endif  // TWOFOLD_TESTS_PLAN_EXPECT_ERROR_H_
