// A few threads over a shared stack of tasks, where a task may push more: how clears and scans
// fan out, folder by folder. The stack is the only thing that the threads share.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs tasks on up to `threads` threads, the caller's included, and ends when all are done.
final class WorkPool<Task: Sendable>: @unchecked Sendable {
  // Safe: all that is below is read and written under `mutex` only.
  private var tasks: [Task]
  private var idle = 0
  private var running: Int
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  private init(tasks: [Task], threads: Int) {
    self.tasks = tasks
    running = threads
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
  static func run<Worker>(
    _ tasks: [Task], threads: Int, worker makeWorker: @autoclosure @escaping @Sendable () -> Worker,
    _ body: @escaping @Sendable (inout Worker, Task, WorkPool) -> Void
  ) -> [Worker] {
    let pool = WorkPool(tasks: tasks, threads: max(1, threads))
    let started = (1..<max(1, threads)).compactMap { _ in
      WorkerThread<Worker> { pool.work(makeWorker(), body) }
    }
    pool.adjustRunning(to: started.count + 1)
    let own = pool.work(makeWorker(), body)
    return [own] + started.compactMap { $0.join() }
  }

  /// Adds a task; last in, first out, so that few folders are open at a time.
  func push(_ task: Task) {
    pthread_mutex_lock(mutex)
    tasks.append(task)
    if idle > 0 { pthread_cond_signal(condition) }
    pthread_mutex_unlock(mutex)
  }

  /// A thread that could not be started must not be waited for.
  private func adjustRunning(to count: Int) {
    pthread_mutex_lock(mutex)
    running = count
    if idle == running { pthread_cond_broadcast(condition) }
    pthread_mutex_unlock(mutex)
  }

  private func work<Worker>(
    _ worker: Worker, _ body: @Sendable (inout Worker, Task, WorkPool) -> Void
  ) -> Worker {
    var worker = worker
    while let task = next() { body(&worker, task, self) }
    return worker
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
}

/// What pthread_create's one pointer points to.
private final class ThreadStart {
  var run: () -> Void = {}
}
