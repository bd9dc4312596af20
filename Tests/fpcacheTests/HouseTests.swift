// SPDX-License-Identifier: BSD-2-Clause
//
// The house as ARCHITECTURE.md draws it: which target imports which, which folder uses which, who
// imports the C library, how long a function may be. Read from the sources, since no compiler checks
// folders.

import Foundation
import TestSupport
import Testing

@Suite struct HouseTests {
  /// What each target may import of ours. An arrow more is a decision, not an accident.
  private static let targets: [String: Set<String>] = [
    "Basics": ["CSyscalls"],
    "CacheFS": ["Basics"],
    "PGQueue": ["Basics", "CLibpq"],
    "Listening": ["Basics", "CacheFS", "PGQueue"],
    "fpcache": ["Basics", "CacheFS", "PGQueue", "Listening"],
  ]

  /// What each folder may use of the other folders of its target: rooms and corridors.
  private static let folders: [String: Set<String>] = [
    "Basics": [],
    "CacheFS/Kernel": [],
    "CacheFS/Hashed": ["Kernel"],
    "CacheFS/Layout": ["Kernel", "Hashed"],
    "CacheFS/Keys": ["Kernel", "Hashed", "Layout"],
    "CacheFS/Scan": ["Kernel", "Hashed", "Layout", "Keys"],
    "CacheFS/Clear": ["Kernel", "Hashed", "Layout", "Keys", "Scan"],
    "CacheFS/Prune": ["Kernel", "Hashed", "Layout", "Keys", "Scan", "Clear"],
    "CacheFS/Stats": ["Kernel", "Hashed", "Layout", "Scan"],
    "CacheFS/Audit": ["Kernel", "Hashed", "Layout", "Keys", "Scan", "Clear"],
    "PGQueue/Connection": [],
    "PGQueue/Queues": ["Connection"],
    "PGQueue/Nodes": ["Connection", "Queues"],
    "PGQueue/Surveys": ["Connection", "Queues", "Nodes"],
    "Listening": [],
    "Listening/Site": [],
    "Listening/Settle": ["", "Site"],
    "Listening/Retries": [],
    "Listening/Events": [""],
    "Listening/Drain": ["", "Site", "Settle", "Events", "Retries"],
    "Listening/Nodes": ["", "Site", "Settle", "Retries", "Drain"],
    "Listening/Queries": ["", "Site"],
    "Listening/Health": ["Drain", "Events"],
    "Listening/Recheck": ["", "Site", "Queries", "Health"],
    "Listening/Scrub": ["", "Site", "Queries", "Recheck", "Health"],
    "Listening/Prune": ["", "Queries", "Recheck", "Health"],
    "Listening/Loop": [
      "", "Site", "Settle", "Events", "Retries", "Drain", "Nodes", "Queries", "Recheck", "Scrub",
      "Prune", "Health",
    ],
    "fpcache": [
      "Commands", "Commands/Clear", "Commands/Listen", "Commands/Prune", "Commands/SQL",
      "Commands/Stats", "Commands/Status",
      "Commands/Survey", "Commands/Verify", "Terminal",
    ],
    "fpcache/Terminal": [],
    "fpcache/Configuration": ["Terminal"],
    "fpcache/Completion": ["Configuration", "Terminal"],
    "fpcache/Commands": ["Configuration", "Terminal"],
    "fpcache/Commands/Clear": ["Commands", "Configuration", "Terminal"],
    "fpcache/Commands/Listen": ["Commands", "Configuration", "Terminal"],
    "fpcache/Commands/Prune": ["Commands", "Commands/Clear", "Configuration", "Terminal"],
    "fpcache/Commands/SQL": ["Commands", "Configuration", "Terminal"],
    "fpcache/Commands/Survey": ["Commands", "Configuration", "Terminal"],
    "fpcache/Commands/Stats": ["Commands", "Commands/Survey", "Configuration", "Terminal"],
    "fpcache/Commands/Status": ["Commands", "Commands/Survey", "Configuration", "Terminal"],
    "fpcache/Commands/Verify": ["Commands", "Commands/Survey", "Configuration", "Terminal"],
  ]

  private static let sources = SourceFile.all()

  @Test("a target imports what is drawn, and nothing else") func imports() {
    #expect(Set(Self.sources.map(\.target)) == Set(Self.targets.keys))
    let ours = Set(Self.targets.keys).union(["CLibpq", "CSyscalls"])
    for file in Self.sources {
      let found = file.imports.intersection(ours).subtracting([file.target])
      let added = found.subtracting(Self.targets[file.target] ?? [])
      #expect(added.isEmpty, "\(file.path) imports \(added.sorted())")
    }
  }

  @Test("a folder uses what is drawn, and nothing else") func folders() {
    #expect(Set(Self.sources.map(\.folder)) == Set(Self.folders.keys))
    let homes = Dictionary(
      Self.sources.flatMap { file in file.types.map { ($0, [file]) } }, uniquingKeysWith: +)
    for file in Self.sources {
      let allowed = Set(
        (Self.folders[file.folder] ?? []).map { file.target + ($0.isEmpty ? "" : "/\($0)") })
      for word in file.words {
        // A name that two files declare says nothing of either.
        guard let found = homes[word], found.count == 1, let home = found.first else { continue }
        guard home.target == file.target, home.folder != file.folder else { continue }
        #expect(allowed.contains(home.folder), "\(file.path) uses \(word) of \(home.folder)")
      }
    }
  }

  @Test("one file imports the C library, and none names it") func oneLibc() {
    for file in Self.sources where file.path != "Sources/Basics/Libc.swift" {
      #expect(
        file.imports.isDisjoint(with: ["Glibc", "Musl", "Darwin", "Foundation"]), "\(file.path)")
      #expect(!file.code.contains(/\b(Glibc|Musl|Darwin)\./), "\(file.path)")
    }
  }

  @Test("what differs between systems stands in Basics and Kernel") func systems() {
    for file in Self.sources where file.code.contains(/#if\s+!?os\(/) {
      #expect(["Basics", "CacheFS/Kernel"].contains(file.folder), "\(file.path)")
    }
  }

  /// scripts/fuzz builds the program without that file, since libFuzzer has an entry point of its own.
  @Test("no other file needs the one with the entry point") func entryPoint() throws {
    let entry = try #require(Self.sources.first { $0.path == "Sources/fpcache/FPCache.swift" })
    let declarations = entry.code.matches(
      of:
        /^(?:(?:public|package|internal) )?(?:let|var|func|struct|class|enum|protocol|typealias|extension) .*/
        .anchorsMatchLineEndings())
    #expect(declarations.map { String($0.0) } == ["struct FPCache: ParsableCommand {"])
    for file in Self.sources where file.path != entry.path {
      #expect(!file.words.contains("FPCache"), "\(file.path)")
    }
  }

  /// Of lines and arguments. Past these a function wants parts with names.
  private static let (longest, widest) = (50, 5)

  @Test("no function is longer than 50 lines or asks for more than five arguments") func functions()
  {
    for file in Self.sources {
      for function in file.functions {
        #expect(
          function.lines <= Self.longest,
          "\(file.path): \(function.name) has \(function.lines) lines")
        #expect(
          function.arguments <= Self.widest,
          "\(file.path): \(function.name) asks for \(function.arguments) arguments")
      }
    }
  }

  /// The reading itself: a test that finds nothing must not pass for one that finds nothing wrong.
  @Test("the sources are read") func isRead() throws {
    #expect(Self.sources.count > 100)
    let clearer = try #require(
      Self.sources.first { $0.path == "Sources/CacheFS/Clear/Clearer.swift" })
    #expect(clearer.types.contains("Clearer"))
    #expect(clearer.words.contains("Layout"))
    #expect(clearer.imports.contains("Basics"))
    let function = SourceFile(
      path: "Sources/X/Y.swift",
      text:
        "struct A {\n  func f(\n    _ a: Int, b: (Int, [Int: Int]) -> Void, c: String = \"),(\"\n  ) {\n    let x = 1\n  }\n}\n"
    ).functions.first
    #expect(function?.name == "f")
    #expect(function?.arguments == 2, "one has a default")
    #expect(function?.lines == 5)
  }
}
