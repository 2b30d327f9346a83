// Einsum: the gradient of an operand is an Einsum of dy and of all other operands. "ij,jk->ik" gives "ik,jk->ij" for
// the first.
#include <algorithm>
#include <cctype>
#include <set>

#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Letters, one per dimension of each term. The dimensions of an ellipsis have got letters that nothing else uses.
struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

std::string letters_not_in(const std::string& text) {
  std::string free;
  for (const char first : {'A', 'a'}) {
    for (int i = 0; i < 26; ++i) {
      const auto letter = static_cast<char>(first + i);
      if (text.find(letter) == std::string::npos) free += letter;
    }
  }
  return free;
}

// Ellipses are aligned at their ends.
std::string without_ellipsis(std::string term, const std::string& letters) {
  const size_t at = term.find("...");
  return at == std::string::npos ? term : term.replace(at, 3, letters);
}

// Without "->": the ellipsis, then every letter that occurs once.
std::string implicit_output(const std::string& terms, bool ellipsis) {
  std::string output = ellipsis ? "..." : "";
  for (char letter = 'A'; letter <= 'z'; ++letter) {
    if (std::ranges::count(terms, letter) == 1 && std::isalpha(static_cast<unsigned char>(letter)) != 0)
      output += letter;
  }
  return output;
}

Equation parse(const RuleCall& call) {
  std::string text = call.attributes().get_string("equation", "");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  const std::string terms = text.substr(0, arrow);
  const bool ellipsis = terms.find("...") != std::string::npos;
  std::string output = arrow == std::string::npos ? implicit_output(terms, ellipsis) : text.substr(arrow + 2);
  const std::string free = letters_not_in(text);
  Equation equation;
  size_t widest = 0;
  for (size_t begin = 0; begin <= terms.size() && static_cast<int>(equation.inputs.size()) < call.num_inputs();) {
    const size_t end = std::min(terms.find(',', begin), terms.size());
    const std::string term = terms.substr(begin, end - begin);
    const auto rank = static_cast<size_t>(call.rank(static_cast<int>(equation.inputs.size())));
    const size_t width = ellipsis && term.find("...") != std::string::npos ? rank + 3 - term.size() : 0;
    widest = std::max(widest, width);
    std::string letters = free.substr(0, width);
    std::ranges::reverse(letters);
    equation.inputs.push_back(without_ellipsis(term, letters));
    begin = end + 1;
  }
  std::string letters = free.substr(0, widest);
  std::ranges::reverse(letters);
  equation.output = without_ellipsis(std::move(output), letters);
  return equation;
}

void lead_to(RuleCall& call, const Equation& equation, size_t operand) {
  const std::string& own = equation.inputs[operand];
  const auto input = static_cast<int>(operand);
  if (std::set<char>(own.begin(), own.end()).size() != own.size()) {
    return call.lacks(input, "no rule for the diagonal that '" + own + "' takes");
  }
  std::string from = equation.output;
  std::vector<Term> terms = {call.dy()};
  std::map<char, int64_t> sizes;
  const auto note_sizes = [&](const std::string& labels, const Shape& shape) {
    for (size_t d = 0; d < labels.size(); ++d) sizes[labels[d]] = std::max(sizes[labels[d]], shape[d]);
  };
  note_sizes(equation.output, call.y_shape());
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    if (i == operand) continue;
    from += "," + equation.inputs[i];
    terms.push_back(call.x(static_cast<int>(i)));
    note_sizes(equation.inputs[i], call.x_shape(static_cast<int>(i)));
  }
  // What only this operand has is summed in it alone, and gets the same gradient everywhere.
  std::string to;
  Shape shape;
  for (const char label : own) {
    if (sizes.contains(label)) to += label;
    shape.push_back(sizes.contains(label) ? sizes[label] : 1);
  }
  Term gradient = call.backward().node(op::kEinsum, terms, {{"equation", from + "->" + to}});
  if (to != own) gradient = reshape(gradient, shape);
  // A dimension of one may have been stretched, here or in the other operands.
  const Shape& x = call.x_shape(input);
  Shape summed = shape;
  for (size_t d = 0; d < x.size(); ++d) summed[d] = std::min(shape[d], x[d]);
  gradient = unbroadcast(gradient, shape, summed);
  call.add(input, summed == x ? gradient : expand(gradient, x));
}

void einsum(RuleCall& call) {
  const Equation equation = parse(call);
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    if (call.wants(static_cast<int>(i))) lead_to(call, equation, i);
  }
}

constexpr RuleDef kRules[] = {{op::kEinsum, einsum}};

}  // namespace

std::span<const RuleDef> einsum_gradients() { return kRules; }

}  // namespace twofold
