// Names of nodes that YAML or JSON would read as something else.
#ifndef TWOFOLD_TESTS_PLAN_HOSTILE_NAMES_H_
#define TWOFOLD_TESTS_PLAN_HOSTILE_NAMES_H_

namespace twofold {

inline constexpr const char* kHostileNames[] = {
    "a: b",        "a#b",       "a #b", "//a", "x//y", "{a}",  "[a, b]", "'a'", "a\"b", "a\\b",
    "- a",         "1",         "0x1f", "1e5", "null", "true", "~",      "@a",  "%a",   "&a",
    "*a",          "!a",        "|",    ">",   "?",    ",",    "a\nb",   " a ", "a\tb", "\xc3\xa4\xe7\xba\xbf",
    "node_config", "op_config", ":",    "a:",  "-"};

}  // namespace twofold

#endif  // TWOFOLD_TESTS_PLAN_HOSTILE_NAMES_H_
