// How a stop reaches the connections, and how long it lets the server answer.

/// That a stop was asked for, as the connections of one thread learn it.
public final class Stop {
  /// What is left to all that the server has to answer yet: with what else is to be done, within the 5 s in
  /// which the listener promises to leave.
  public static let patience = Duration.seconds(3)

  private let patience: Duration
  /// Readable for good once a stop was asked for.
  public let descriptor: CInt
  /// When the server has to have answered; nil until a connection has seen that it is to stop.
  private(set) var deadline: ContinuousClock.Instant?

  public init(descriptor: CInt, patience: Duration = Stop.patience) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// Begins the time, if it has not begun.
  func noteSeen() { deadline = deadline ?? .now + patience }
}
