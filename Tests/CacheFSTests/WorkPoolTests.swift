// SPDX-License-Identifier: BSD-2-Clause
//
// Tasks that push tasks, on one thread or many: each is done just once, and the pool ends.

import Synchronization
import Testing

@testable import CacheFS

@Suite struct WorkPoolTests {
  /// Every task below `limit` pushes its children of a binary heap.
  @Test(arguments: 1...16)
  func everyTaskIsDoneOnce(_ threads: Int) {
    let limit = 3_000
    let workers = WorkPool.run([1], threads: threads, worker: [Int]()) { done, task, pool in
      done.append(task)
      for child in [2 * task, 2 * task + 1] where child < limit { pool.push(child) }
      return false
    }
    #expect(workers.count == threads)
    #expect(workers.flatMap { $0 }.sorted() == Array(1..<limit))
  }

  /// A chain is the worst case: all threads but one wait for each push.
  @Test(arguments: [1, 2, 3, 8, 16])
  func aChainIsFollowedToItsEnd(_ threads: Int) {
    let workers = WorkPool.run([0], threads: threads, worker: [Int]()) { done, task, pool in
      done.append(task)
      if task < 2_000 { pool.push(task + 1) }
      return false
    }
    #expect(workers.flatMap { $0 }.sorted() == Array(0...2_000))
  }

  @Test(arguments: [1, 2, 8, 16])
  func nothingToDoEnds(_ threads: Int) {
    let none: [Int] = []
    for _ in 0..<50 {
      let workers = WorkPool.run(none, threads: threads, worker: 0) { count, _, _ in
        count += 1
        return false
      }
      #expect(workers == Array(repeating: 0, count: threads))
    }
  }

  @Test(arguments: [-1, 0])
  func thereIsAlwaysOneThread(_ threads: Int) {
    let workers = WorkPool.run([1, 2, 3], threads: threads, worker: 0) { sum, task, _ in
      sum += task
      return false
    }
    #expect(workers == [6])
  }

  @Test func moreThreadsThanTasks() {
    let workers = WorkPool.run([5], threads: 16, worker: 0) { sum, task, _ in
      sum += task
      return false
    }
    #expect(workers.count == 16 && workers.reduce(0, +) == 5)
  }

  @Test func oneThreadTakesTheLastTaskFirst() {
    let workers = WorkPool.run([1, 2, 3], threads: 1, worker: [Int]()) { done, task, pool in
      done.append(task)
      if task == 3 { [30, 31].forEach(pool.push) }
      return false
    }
    #expect(workers == [[3, 31, 30, 2, 1]])
  }

  @Test func eachThreadHasAWorkerOfItsOwn() {
    let made = Atomic(0)
    let workers = WorkPool.run(
      Array(0..<100), threads: 8, worker: made.add(1, ordering: .relaxed).newValue
    ) { _, _, _ in false }
    #expect(Set(workers) == Set(1...8))
    #expect(made.load(ordering: .relaxed) == 8)
  }

  @Test("threads are added once the work turns out to need them, and all work is done once")
  func grows() {
    for (most, isWorthIt, count) in [(8, true, 8), (8, false, 2), (1, true, 2)] {
      let workers = WorkPool.run(Array(1...500), threads: 2, most: most, worker: [Int]()) {
        done, task, _ in
        done.append(task)
        return isWorthIt
      }
      #expect(workers.count == count)
      #expect(workers.flatMap { $0 }.sorted() == Array(1...500))
    }
  }
}
