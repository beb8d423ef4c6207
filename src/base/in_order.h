#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace shutdown_auditor::base {

// Pieces of work for several threads whose results are taken in the order in which the work was given, on the thread that
// gives it. Only a few are under way at a time, so that results that wait for their turn stay few. A result is destroyed by
// the thread that made it: memory given back to another thread's heap makes both wait. Where no thread can be had, the work
// is done when it is given. All calls from one thread. What the work throws comes out of add() or finish().
template <class Result>
class InOrder {
 public:
  using Work = std::function<Result()>;
  using Take = std::function<void(Result&)>;

  InOrder(unsigned threads, Take take) : take_(std::move(take)) {
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
    given_.notify_all();
  }

  void add(Work work) {
    if (threads_.empty()) {
      Result result = work();
      take_(result);
      return;
    }
    if (under_way_.size() >= 2 * threads_.size()) {
      take_first();
    }
    under_way_.push_back(std::make_unique<Piece>(std::move(work)));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(under_way_.back().get());
    }
    given_.notify_one();
  }

  // After the last add(): takes what is still under way.
  void finish() {
    while (!under_way_.empty()) {
      take_first();
    }
  }

 private:
  // What a thread has made and the giver has taken.
  using Spent = std::vector<std::optional<Result>>;

  struct Piece {
    explicit Piece(Work given) : work(std::move(given)) {}
    Work work;
    std::optional<Result> result;
    std::exception_ptr failure;
    Spent* maker = nullptr;  // null: not done
  };

  void take_first() {
    const std::unique_ptr<Piece> first = std::move(under_way_.front());
    under_way_.pop_front();
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return first->maker != nullptr; });
    }
    if (first->failure) {
      std::rethrow_exception(first->failure);
    }
    take_(*first->result);
    const std::lock_guard lock(mutex_);
    first->maker->push_back(std::move(first->result));
  }

  void run() {
    Spent spent;  // guarded by mutex_
    Spent freed;
    for (;;) {
      Piece* piece = nullptr;
      {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        freed.swap(spent);
        if (waiting_.empty()) {
          return;
        }
        piece = waiting_.front();
        waiting_.pop_front();
      }
      freed.clear();
      try {
        piece->result.emplace(piece->work());
      } catch (...) {
        piece->failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        piece->maker = &spent;
      }
      done_.notify_one();
    }
  }

  Take take_;
  std::deque<std::unique_ptr<Piece>> under_way_;
  std::mutex mutex_;  // guards the next two, and `maker` of the pieces
  std::deque<Piece*> waiting_;
  bool ended_ = false;
  std::condition_variable given_;
  std::condition_variable done_;
  std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace shutdown_auditor::base
