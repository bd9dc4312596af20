// SPDX-License-Identifier: BSD-2-Clause
//
// A few threads share a stack of tasks, and a task may push more. Clears and scans use it to spread over
// folders. The threads share nothing but the stack.

import Basics

/// How many threads fit where the address space is limited (`ulimit -v`, softlimit). Each thread takes 8 MB for
/// its stack and 64 MB for glibc's malloc, and twice that for a moment. Swift ends the program when memory is
/// refused.
private let mostThreads: Int = {
  let limit = fpc_address_space_limit()
  return limit < 0 ? .max : max(1, Int(limit >> 27))
}()

/// Runs tasks on up to `threads` threads, including the caller's, and returns when all are done.
final class WorkPool<Task: Sendable>: @unchecked Sendable {
  // Safe: everything below is read and written under `mutex` only.
  private var tasks: [Task]
  private var idle = 0
  /// The caller's thread, and the threads that it has started.
  private var running = 1
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  private init(tasks: [Task]) {
    self.tasks = tasks
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Gives each thread its own worker and returns the workers when no task is left.
  ///
  /// It begins with `threads` threads, including the caller's. When `body` returns true, more threads make
  /// the work faster, and the others up to `most` are started.
  static func run<Worker>(
    _ tasks: [Task], threads: Int, most: Int = 1,
    worker makeWorker: @autoclosure @escaping @Sendable () -> Worker,
    _ body: @escaping @Sendable (inout Worker, Task, WorkPool) -> Bool
  ) -> [Worker] {
    let (threads, most) = (min(threads, mostThreads), min(most, mostThreads))
    let pool = WorkPool(tasks: tasks)
    let crew = Crew<Worker>()
    let work: @Sendable () -> Worker = {
      var worker = makeWorker()
      while let task = pool.next() {
        if body(&worker, task, pool) { crew.grow(to: most, pool) }
      }
      return worker
    }
    crew.work = work
    crew.grow(to: max(1, threads), pool)
    return [work()] + crew.join()
  }

  /// Adds a task. Last in, first out, so that few folders are open at a time.
  func push(_ task: Task) {
    pthread_mutex_lock(mutex)
    tasks.append(task)
    if idle > 0 { pthread_cond_signal(condition) }
    pthread_mutex_unlock(mutex)
  }

  /// Adds a task unless `most` tasks wait already. In that case the caller does it at once. Waiting tasks
  /// therefore take limited memory, however many folders a folder has.
  func offer(_ task: Task, most: Int) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard tasks.count < most else { return false }
    tasks.append(task)
    if idle > 0 { pthread_cond_signal(condition) }
    return true
  }

  /// Counts one thread each time `start` has started one.
  fileprivate func addThreads(_ start: () -> Bool) {
    pthread_mutex_lock(mutex)
    while start() { running += 1 }
    pthread_mutex_unlock(mutex)
  }

  /// The next task, or nil when every thread has run out of tasks.
  private func next() -> Task? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let task = tasks.popLast() { return task }
    idle += 1
    while true {
      if let task = tasks.popLast() {
        idle -= 1
        return task
      }
      if idle >= running {
        pthread_cond_broadcast(condition)
        return nil
      }
      pthread_cond_wait(condition, mutex)
    }
  }
}

/// The threads beside the caller's; their number may grow.
private final class Crew<Worker>: @unchecked Sendable {
  // Safe: `work` is set before the first thread starts. The list is read and written under the pool's lock.
  // The last thread that may add to it has ended when it is joined.
  var work: (@Sendable () -> Worker)?
  private var threads: [WorkerThread<Worker>] = []

  /// Starts the threads that are missing to `count`, including the caller's. When the system cannot start
  /// one, the work goes on without it.
  func grow<Task>(to count: Int, _ pool: WorkPool<Task>) {
    guard let work else { return }
    pool.addThreads {
      guard threads.count + 1 < count, let thread = WorkerThread(work) else { return false }
      threads.append(thread)
      return true
    }
  }

  /// Waits for all threads. The work refers to its crew, so the reference is dropped here; otherwise neither
  /// would be freed.
  func join() -> [Worker] {
    work = nil
    return threads.compactMap { $0.join() }
  }
}

/// One POSIX thread and what it returns.
private final class WorkerThread<Result>: @unchecked Sendable {
  // Safe: the thread writes `result`, and it is read only after the join.
  private var result: Result?
  private var thread = pthread_t()

  /// Nil when the system cannot start a thread.
  init?(_ body: @escaping () -> Result) {
    let start = Unmanaged.passRetained(ThreadStart())
    start.takeUnretainedValue().run = { self.result = body() }
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, start.toOpaque())
    guard status == 0 else {
      start.release()
      return nil
    }
  }

  func join() -> Result? {
    pthread_join(thread, nil)
    return result
  }

  /// Detaches the thread. It keeps itself alive.
  func detach() { pthread_detach(thread) }
}

/// The priority of a thread for the processor and the disk.
package enum ThreadPriority: Sendable {
  case usual
  /// It runs when others leave time. Where only whole processes have priorities, this is the same as usual.
  case idle
}

/// Runs a function on a detached thread, which is not waited for.
/// - Returns: false when the system cannot start a thread; nothing was run then.
package func detachThread(
  _ priority: ThreadPriority = .usual, _ body: @escaping @Sendable () -> Void
) -> Bool {
  let thread = WorkerThread {
    if priority == .idle { becomeIdle() }
    body()
  }
  guard let thread else { return false }
  thread.detach()
  return true
}

/// Gives the calling thread the lowest priority, permanently. Where the system does not allow it, nothing
/// changes.
private func becomeIdle() {
  #if os(Linux)
    fpc_make_thread_idle()
  #endif
}

/// The object that pthread_create's one pointer points to.
private final class ThreadStart {
  var run: () -> Void = {}
}
