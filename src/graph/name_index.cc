#include "graph/name_index.h"

#include <functional>
#include <utility>

namespace twofold {

uint32_t NameIndex::hash_of(std::string_view name) {
  return static_cast<uint32_t>(std::hash<std::string_view>{}(name));
}

void NameIndex::put(Slot entry) {
  size_t i = entry.hash & mask();
  while (slots_[i].id != kFree) i = (i + 1) & mask();
  slots_[i] = entry;
  ++taken_;
}

// Slots for twice as many ids as there are, without those that were erased.
void NameIndex::make_room() {
  size_t ids = 0;
  for (const Slot& slot : slots_) ids += slot.id >= 0 ? 1 : 0;
  size_t size = 16;
  while (size < 4 * ids) size *= 2;
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(size));
  taken_ = 0;
  for (const Slot& slot : before) {
    if (slot.id >= 0) put(slot);
  }
}

void NameIndex::insert(std::string_view name, int32_t id) {
  if (2 * (taken_ + 1) > slots_.size()) make_room();
  put({hash_of(name), id});
}

void NameIndex::erase(std::string_view name, int32_t id) {
  size_t i = hash_of(name) & mask();
  while (slots_[i].id != id) i = (i + 1) & mask();
  slots_[i].id = kErased;
}

}  // namespace twofold
