// From names to ids, for names that are held elsewhere: graphs are copied all the time, and a copy of this is one of
// plain numbers.
#ifndef TWOFOLD_SRC_GRAPH_NAME_INDEX_H_
#define TWOFOLD_SRC_GRAPH_NAME_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace twofold {

// A hash table with open addressing. Ids are 0 or more. `NameOf` gives the name of an id that is in the table.
class NameIndex {
 public:
  // -1 if no id has the name.
  template <typename NameOf>
  int32_t find(std::string_view name, const NameOf& name_of) const {
    if (slots_.empty()) return kFree;
    const uint32_t hash = hash_of(name);
    for (size_t i = hash & mask();; i = (i + 1) & mask()) {
      const Slot& slot = slots_[i];
      if (slot.id == kFree) return kFree;
      if (slot.id != kErased && slot.hash == hash && name_of(slot.id) == name) return slot.id;
    }
  }

  // REQUIRES: no id has the name.
  void insert(std::string_view name, int32_t id);
  // REQUIRES: the id has the name.
  void erase(std::string_view name, int32_t id);

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = kFree;
  };
  static constexpr int32_t kFree = -1, kErased = -2;

  static uint32_t hash_of(std::string_view name);
  size_t mask() const { return slots_.size() - 1; }
  void put(Slot entry);
  void make_room();

  std::vector<Slot> slots_;  // none, or a power of two, of which at most half are taken
  size_t taken_ = 0;         // by ids, and by those that were erased
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRAPH_NAME_INDEX_H_
