// SPDX-License-Identifier: BSD-2-Clause
//
// The value of an option that is one of a few words.

import ArgumentParser

/// An enum of words that an option takes.
protocol WordArgument: ExpressibleByArgument, CaseIterable, RawRepresentable
where RawValue == String {}

extension WordArgument {
  /// The same list that the parser makes of the cases by default, without the key path that it creates for it: the key
  /// path alone took a fortieth of the shortest run.
  static var allValueStrings: [String] { allCases.map { $0.rawValue } }
  static var allValueDescriptions: [String: String] { [:] }
}
