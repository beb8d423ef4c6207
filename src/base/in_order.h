#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace shutdown_auditor::base {

// Pieces of work for several threads whose results are taken in the order in which the work was given, on the thread that
// gives it. Only a few are under way at a time, so that results that wait for their turn stay few. Where no thread can be
// had, the work is done when it is given. All calls from one thread. What the work throws comes out of add() or finish().
template <class Result>
class InOrder {
 public:
  using Work = std::function<Result()>;
  using Take = std::function<void(Result)>;

  InOrder(unsigned threads, Take take) : most_(std::size_t{threads} * 2), take_(std::move(take)) {
    try {
      for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
      }
    } catch (const std::system_error&) {
      // Fewer, or none, will do.
    }
  }
  InOrder(const InOrder&) = delete;
  InOrder& operator=(const InOrder&) = delete;
  // Drops work that has not begun and waits for the rest.
  ~InOrder() {
    {
      const std::lock_guard lock(mutex_);
      waiting_.clear();
      ended_ = true;
    }
    wake_.notify_all();
  }

  void add(Work work) {
    if (threads_.empty()) {
      take_(work());
      return;
    }
    if (under_way_.size() >= most_) {
      take_first();
    }
    std::packaged_task<Result()> task(std::move(work));
    under_way_.push_back(task.get_future());
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  // After the last add(): takes what is still under way.
  void finish() {
    while (!under_way_.empty()) {
      take_first();
    }
  }

 private:
  void take_first() {
    std::future<Result> first = std::move(under_way_.front());
    under_way_.pop_front();
    take_(first.get());
  }

  void run() {
    for (;;) {
      std::packaged_task<Result()> task;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        if (waiting_.empty()) {
          return;
        }
        task = std::move(waiting_.front());
        waiting_.pop_front();
      }
      task();
    }
  }

  std::size_t most_;
  Take take_;
  std::deque<std::future<Result>> under_way_;
  std::mutex mutex_;  // guards the next two
  std::deque<std::packaged_task<Result()>> waiting_;
  bool ended_ = false;
  std::condition_variable wake_;
  std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace shutdown_auditor::base
