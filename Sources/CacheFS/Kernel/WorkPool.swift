// SPDX-License-Identifier: BSD-2-Clause
//
// A few threads over a shared stack of tasks, where a task may push more: how clears and scans
// fan out, folder by folder. The stack is the only thing that the threads share.

import Basics

/// How many threads there is room for where the address space is limited (`ulimit -v`, softlimit): each takes 8 MB
/// for its stack, and glibc's malloc 64 MB and for a moment twice that. Where memory is refused Swift ends
/// the program.
private let mostThreads: Int = {
  let limit = fpc_address_space_limit()
  return limit < 0 ? .max : max(1, Int(limit >> 27))
}()

/// Runs tasks on up to `threads` threads, the caller's included, and ends when all are done.
final class WorkPool<Task: Sendable>: @unchecked Sendable {
  // Safe: all that is below is read and written under `mutex` only.
  private var tasks: [Task]
  private var idle = 0
  /// The caller's thread, and those that it has started.
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

  /// Gives each thread a worker of its own and returns the workers when nothing is left to do.
  ///
  /// Begins with `threads`, the caller's included. As soon as `body` returns true the work turns
  /// out to be of the kind that more threads make faster, and the others up to `most` are started.
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

  /// Adds a task; last in, first out, so that few folders are open at a time.
  func push(_ task: Task) {
    pthread_mutex_lock(mutex)
    tasks.append(task)
    if idle > 0 { pthread_cond_signal(condition) }
    pthread_mutex_unlock(mutex)
  }

  /// Adds a task unless so many wait already: then whoever found it does it at once, and what waits takes no more
  /// memory, however many folders a folder has.
  func offer(_ task: Task, most: Int) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard tasks.count < most else { return false }
    tasks.append(task)
    if idle > 0 { pthread_cond_signal(condition) }
    return true
  }

  /// Counts a thread for each time that `start` has started one.
  fileprivate func addThreads(_ start: () -> Bool) {
    pthread_mutex_lock(mutex)
    while start() { running += 1 }
    pthread_mutex_unlock(mutex)
  }

  /// The next task, or nil when every thread has run out of them.
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

/// The threads beside the caller's, as many as there are by now.
private final class Crew<Worker>: @unchecked Sendable {
  // Safe: `work` is set before the first thread starts, the list is read and written in the
  // pool's lock, and the last thread that may add to it has ended when it is joined.
  var work: (@Sendable () -> Worker)?
  private var threads: [WorkerThread<Worker>] = []

  /// Starts what is missing to `count` threads, the caller's included. One that the system cannot
  /// spare is done without.
  func grow<Task>(to count: Int, _ pool: WorkPool<Task>) {
    guard let work else { return }
    pool.addThreads {
      guard threads.count + 1 < count, let thread = WorkerThread(work) else { return false }
      threads.append(thread)
      return true
    }
  }

  /// Waits for all of them. The work knows its crew: without it neither would ever be freed.
  func join() -> [Worker] {
    work = nil
    return threads.compactMap { $0.join() }
  }
}

/// One POSIX thread and what it returns.
private final class WorkerThread<Result>: @unchecked Sendable {
  // Safe: `result` is written by the thread and read after it was joined.
  private var result: Result?
  private var thread = pthread_t()

  /// Nil when the system has no thread to spare.
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

  /// The thread keeps itself alive.
  func detach() { pthread_detach(thread) }
}

/// How a thread stands beside others for the processor and the disk.
package enum ThreadPriority: Sendable {
  case usual
  /// It gets what others leave. Where the system has priorities of whole processes only, as usual.
  case idle
}

/// Runs something on a thread that nobody waits for.
/// - Returns: false when the system has no thread to spare; nothing was run then.
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

/// Gives the calling thread the lowest priority, for good. A system that does not allow it changes nothing.
private func becomeIdle() {
  #if os(Linux)
    fpc_make_thread_idle()
  #endif
}

/// What pthread_create's one pointer points to.
private final class ThreadStart {
  var run: () -> Void = {}
}
