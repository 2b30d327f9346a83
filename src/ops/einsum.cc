// Einsum: any equation of letters and ellipses. Operands are joined from left to right; each pair becomes a batch of
// matrix products of permuted copies, and a letter is summed as soon as nothing to its right needs it.
#include <algorithm>
#include <map>
#include <string>

#include "loops/fixed_gemm.h"
#include "loops/strided_copy.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

// The dimensions of an ellipsis, the last one being kEllipsis, the one before it kEllipsis + 1 and so on.
constexpr int kEllipsis = 256;

using Labels = std::vector<int>;

bool contains(const Labels& labels, int label) { return std::ranges::find(labels, label) != labels.end(); }

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
};

// One term of an equation, in which "..." stands for `ellipsis` dimensions.
Labels parse_term(const std::string& term, int ellipsis) {
  Labels labels;
  bool seen = false;
  for (size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == '.') {
      if (seen || term.compare(i, 3, "...") != 0) {
        throw_error(ErrorCode::kInvalidModel, "the term '{}' has a misplaced ellipsis", term);
      }
      seen = true;
      i += 2;
      for (int d = ellipsis; d-- > 0;) labels.push_back(kEllipsis + d);
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      labels.push_back(c);
    } else {
      throw_error(ErrorCode::kInvalidModel, "the term '{}' has the character '{}'", term, c);
    }
  }
  return labels;
}

std::vector<std::string> split_terms(const std::string& text) {
  std::vector<std::string> terms(1);
  for (char c : text) {
    if (c == ',') {
      terms.emplace_back();
    } else {
      terms.back() += c;
    }
  }
  return terms;
}

// Without "->" the output has the ellipsis, then every letter that occurs once, in the order of the alphabet.
Labels implicit_output(const std::vector<Labels>& inputs) {
  std::map<int, int> uses;
  Labels output, letters;
  for (const Labels& labels : inputs) {
    for (int label : labels) ++uses[label];
  }
  for (const auto& [label, count] : uses) {
    if (label >= kEllipsis) {
      output.insert(output.begin(), label);
    } else if (count == 1) {
      letters.push_back(label);
    }
  }
  output.insert(output.end(), letters.begin(), letters.end());
  return output;
}

Equation parse(const OpCall& call) {
  std::string text = call.attributes().get_string("equation", "");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  const std::vector<std::string> terms = split_terms(text.substr(0, arrow));
  if (static_cast<int>(terms.size()) != call.num_inputs()) {
    throw_error(ErrorCode::kInvalidModel, "equation '{}' has {} terms for {} inputs", text, terms.size(),
                call.num_inputs());
  }
  Equation equation;
  int widest = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    const int rank = call.input(static_cast<int>(i)).rank();
    const bool has_ellipsis = terms[i].find('.') != std::string::npos;
    const int ellipsis = has_ellipsis ? rank - static_cast<int>(terms[i].size()) + 3 : 0;
    equation.inputs.push_back(parse_term(terms[i], std::max(ellipsis, 0)));
    if (static_cast<int>(equation.inputs.back().size()) != rank) {
      throw_error(ErrorCode::kInvalidModel, "the term '{}' does not fit input {} of shape {}", terms[i], i,
                  to_string(call.input(static_cast<int>(i)).shape()));
    }
    widest = std::max(widest, ellipsis);
  }
  equation.output =
      arrow == std::string::npos ? implicit_output(equation.inputs) : parse_term(text.substr(arrow + 2), widest);
  return equation;
}

using Sizes = std::map<int, int64_t>;

// The size of every label; a dimension of 1 stretches to that of the same label elsewhere.
Sizes label_sizes(const OpCall& call, const Equation& equation) {
  Sizes sizes;
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    const Shape& shape = call.input(static_cast<int>(i)).shape();
    for (size_t d = 0; d < shape.size(); ++d) {
      int64_t& size = sizes.try_emplace(equation.inputs[i][d], shape[d]).first->second;
      if (size == 1) size = shape[d];
      if (shape[d] != 1 && shape[d] != size) {
        throw_error(ErrorCode::kInvalidModel, "one label stands for dimensions of {} and {}", size, shape[d]);
      }
    }
  }
  for (size_t i = 0; i < equation.output.size(); ++i) {
    const int label = equation.output[i];
    if (!sizes.contains(label) || std::count(equation.output.begin(), equation.output.end(), label) != 1) {
      throw_error(ErrorCode::kInvalidModel, "the output's label '{}' is unknown or there twice",
                  static_cast<char>(label));
    }
  }
  return sizes;
}

// A tensor and what its dimensions are called.
struct Term {
  Tensor tensor;
  Labels labels;
};

// A row-major copy with the dimensions `labels`, each of its full size. A label that the term has twice becomes the
// diagonal; one that it does not have, or only with size 1, repeats the elements.
Tensor arranged(const Term& term, const Labels& labels, const Sizes& sizes) {
  const std::vector<int64_t> in = element_strides(term.tensor.shape());
  Shape shape;
  for (int label : labels) shape.push_back(sizes.at(label));
  Tensor result(term.tensor.dtype(), std::move(shape));
  const std::vector<int64_t> out = element_strides(result.shape());
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < labels.size(); ++d) {
    int64_t step = 0;
    for (size_t k = 0; k < term.labels.size(); ++k) {
      if (term.labels[k] == labels[d] && term.tensor.shape()[k] != 1) step += in[k];
    }
    dims.push_back({result.shape()[d], step, out[d]});
  }
  if (result.size() > 0) {
    strided_copy(byte_size(result.dtype()), std::move(dims), term.tensor.bytes(), result.mutable_bytes());
  }
  return result;
}

int64_t count_of(const Labels& labels, const Sizes& sizes) {
  Shape shape;
  for (int label : labels) shape.push_back(sizes.at(label));
  return num_elements(shape);
}

Labels joined(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// a and b as one term, summed over what neither `later` terms nor the output need.
template <typename T>
Term contract(const Term& a, const Term& b, const Labels& later, const Sizes& sizes) {
  Labels batch, rows, columns, inner;
  Labels all;
  for (int label : joined(a.labels, b.labels)) {
    if (!contains(all, label)) all.push_back(label);
  }
  for (int label : all) {
    const bool in_a = contains(a.labels, label), in_b = contains(b.labels, label);
    if (!contains(later, label)) {
      inner.push_back(label);
    } else if (in_a && in_b) {
      batch.push_back(label);
    } else {
      (in_a ? rows : columns).push_back(label);
    }
  }
  const Tensor left = arranged(a, joined(joined(batch, rows), inner), sizes);
  const Tensor right = arranged(b, joined(joined(batch, inner), columns), sizes);
  const int64_t m = count_of(rows, sizes), n = count_of(columns, sizes), k = count_of(inner, sizes);
  Term result{{}, joined(joined(batch, rows), columns)};
  Shape shape;
  for (int label : result.labels) shape.push_back(sizes.at(label));
  result.tensor = Tensor(a.tensor.dtype(), std::move(shape));
  T* out = result.tensor.mutable_data<T>().data();
  for (int64_t i = 0; i < count_of(batch, sizes); ++i) {
    fixed_gemm<T>(m, n, k, left.data<T>().data() + i * m * k, right.data<T>().data() + i * k * n, out + i * m * n);
  }
  return result;
}

template <typename T>
void einsum_of(OpCall& call, const Equation& equation, const Sizes& sizes) {
  // Products with 1 make a sum over one term the same operation as one over two.
  const Term one{Tensor::scalar(T{1}), {}};
  Term current{call.input(0), equation.inputs[0]};
  const size_t count = equation.inputs.size();
  const auto later = [&](size_t from) {
    Labels labels = equation.output;
    for (size_t i = from; i < count; ++i) labels = joined(labels, equation.inputs[i]);
    return labels;
  };
  for (size_t i = 1; i < count; ++i) {
    const Term next{call.input(static_cast<int>(i)), equation.inputs[i]};
    current = contract<T>(current, next, later(i + 1), sizes);
  }
  const auto summed = [&](int label) { return !contains(equation.output, label); };
  if (std::ranges::any_of(current.labels, summed)) current = contract<T>(current, one, equation.output, sizes);
  call.set_output(0, arranged(current, equation.output, sizes));
}

void einsum(OpCall& call) {
  const Equation equation = parse(call);
  for (int i = 1; i < call.num_inputs(); ++i) {
    if (call.input(i).dtype() == call.input(0).dtype()) continue;
    throw_error(ErrorCode::kInvalidModel, "input {} is {}, but input 0 is {}", i, to_string(call.input(i).dtype()),
                to_string(call.input(0).dtype()));
  }
  const Sizes sizes = label_sizes(call, equation);
  switch (call.input(0).dtype()) {
    case DType::kFloat32: return einsum_of<float>(call, equation, sizes);
    case DType::kFloat64: return einsum_of<double>(call, equation, sizes);
    case DType::kInt32: return einsum_of<int32_t>(call, equation, sizes);
    case DType::kInt64: return einsum_of<int64_t>(call, equation, sizes);
    default: throw_error(ErrorCode::kUnsupported, "Einsum of {} is not supported", to_string(call.input(0).dtype()));
  }
}

constexpr OpDef kOps[] = {
    {.op_type = "Einsum", .run = with_16bit_floats<einsum>},
};

}  // namespace

std::span<const OpDef> einsum_ops() { return kOps; }

}  // namespace twofold
