#include "api/job.h"

#include <utility>

namespace twofold {

Job::Job(const Cancelled& cancelled, const Progress& progress)
    : cancelled_(cancelled),
      progress_(progress),
      ask_(cancelled || progress ? std::function<bool()>([this] { return ask(); }) : nullptr),
      scope_(ask_) {}

Progress Job::progress() {
  if (!progress_) return nullptr;
  return [this](std::string_view stage, int64_t done, int64_t total) { tell({std::string(stage), done, total}); };
}

void Job::tell(News news) {
  const bool is_caller = std::this_thread::get_id() == caller_;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    untold_ = is_caller ? std::nullopt : std::optional(news);
  }
  if (is_caller) progress_(news.stage, news.done, news.total);
}

bool Job::ask() {
  std::optional<News> news;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    news = std::exchange(untold_, std::nullopt);
  }
  if (news) progress_(news->stage, news->done, news->total);
  return cancelled_ && cancelled_();
}

}  // namespace twofold
