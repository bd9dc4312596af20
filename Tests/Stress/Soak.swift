import ArgumentParser

struct Soak: ParsableCommand {
  func run() throws {}
}
