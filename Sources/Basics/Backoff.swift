// How long to wait before the next try: doubling to a ceiling, with jitter so that many
// listeners do not come back at once.

/// A delay that doubles with each failure.
public struct Backoff: Equatable, Sendable {
  public let first: Duration
  public let ceiling: Duration
  private var current: Duration?

  public init(first: Duration, ceiling: Duration) {
    self.first = first
    self.ceiling = ceiling
  }

  /// The delay before the next try. `jitter`, from 0 to 1, takes off up to a quarter.
  public mutating func next(jitter: Double) -> Duration {
    let delay = current.map { min($0 * 2, ceiling) } ?? first
    current = delay
    return delay * (1 - jitter / 4)
  }

  /// Begins again at the first delay.
  public mutating func reset() { current = nil }

  /// Whether no failure is counted.
  public var isReset: Bool { current == nil }
}
