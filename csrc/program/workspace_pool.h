// Idle workspaces of one network: borrowed for a call, given back at its end, by any number of threads at once.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "program/network.h"

namespace netlet {

template <class T>
class WorkspacePool {
 public:
  // backward: the walk that workspaces are for, which outlives the pool; null where there is none.
  explicit WorkspacePool(const Network<T>& network, const BackwardPlan* backward = nullptr)
      : network_(network), backward_(backward) {}
  WorkspacePool(const WorkspacePool&) = delete;
  ~WorkspacePool() {
    for (auto& slot : idle_) delete slot.exchange(nullptr);
  }

  // A workspace of at least `capacity` rows, from the idle ones or new; given back at the end.
  class Lease {
   public:
    Lease(WorkspacePool& pool, int64_t capacity, int threads) : pool_(pool) {
      for (auto& slot : pool_.idle_) {
        Workspace<T>* found = slot.exchange(nullptr, std::memory_order_acquire);
        if (!found) continue;
        std::unique_ptr<Workspace<T>> kept(found);
        if (kept->capacity >= capacity && kept->threads >= threads) {
          ws_ = std::move(kept);
          return;
        }
      }
      ws_ = pool_.network_.workspace(capacity, threads, pool_.backward_);
    }
    Lease(Lease&&) = default;
    Lease(const Lease&) = delete;
    ~Lease() {
      if (!ws_) return;
      for (auto& slot : pool_.idle_) {
        Workspace<T>* expected = nullptr;
        if (slot.compare_exchange_strong(expected, ws_.get(), std::memory_order_release)) {
          ws_.release();
          return;
        }
      }
    }
    Workspace<T>& operator*() const { return *ws_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace<T>> ws_;
  };

 private:
  const Network<T>& network_;
  const BackwardPlan* backward_;
  // A slot is taken by exchanging it for null, so nothing here can block or be left locked.
  std::array<std::atomic<Workspace<T>*>, 16> idle_{};
};

}  // namespace netlet
