// What a stream shows text on.
#ifndef TWOFOLD_SRC_BASE_TERMINAL_H_
#define TWOFOLD_SRC_BASE_TERMINAL_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace twofold {

// Columns of the terminal that a descriptor is: those of COLUMNS in the environment, if it has a number, else those
// that the terminal tells, else 80. 0 where it is no terminal: lines may be of any length.
size_t terminal_columns(int descriptor);

// Whether colours may be shown: on a terminal that knows them (TERM is not "dumb"), unless NO_COLOR says anything.
bool shows_colours(int descriptor);

enum class Colour { kError, kNote };

// The text in a colour, if `coloured`.
std::string in_colour(std::string_view text, Colour colour, bool coloured);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_TERMINAL_H_
