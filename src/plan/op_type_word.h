// Operators as config files spell them.
#ifndef TWOFOLD_SRC_PLAN_OP_TYPE_WORD_H_
#define TWOFOLD_SRC_PLAN_OP_TYPE_WORD_H_

#include <string>
#include <string_view>

namespace twofold {

// The ONNX operator that is meant, whatever letters are capital: "Softmax" of "softmax". A word that is none stays.
std::string op_type_of_word(std::string_view word);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_OP_TYPE_WORD_H_
