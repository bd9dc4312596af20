// SPDX-License-Identifier: BSD-2-Clause
//
// Whether a user could delete what is in a folder, by the kernel's rules (unlink(2), path_resolution(7)):
// owner, group, mode, sticky bit and mount. Only the kernel can evaluate access control lists. It can be asked
// for the current user but not for another.

import Basics
import SystemPackage

/// A user, as the kernel sees it.
package struct Actor: Equatable, Sendable {
  /// The displayed name; escaped.
  package let name: String
  let user: UInt32
  let groups: Set<UInt32>
  /// Whether it is the user of this process. Only then can the kernel be asked.
  let isSelf: Bool

  init(name: String, user: UInt32, groups: Set<UInt32>, isSelf: Bool = false) {
    self.name = name
    self.user = user
    self.groups = groups
    self.isSelf = isSelf
  }

  /// The user of this process.
  package static var current: Actor {
    let user = geteuid()
    var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
    let count = getgroups(CInt(groups.count), &groups)
    groups = Array(groups.prefix(Int(max(0, count)))) + [getegid()]
    let name = getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "user \(user)"
    return Actor(
      name: escape(Array(name.utf8)), user: user, groups: Set(groups), isSelf: true)
  }

  /// The user of that name, with all its groups; nil when there is no such user.
  package init?(named name: String) {
    guard let entry = getpwnam(name) else { return nil }
    let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    var count: CInt = 64
    var groups = [gid_t](repeating: 0, count: Int(count))
    while getgrouplist(name, group, &groups, &count) < 0 {
      // Some systems report the number of groups, others only that there are more.
      count = max(count, CInt(groups.count) * 2)
      guard count <= 1 << 20 else { return nil }
      groups = [gid_t](repeating: 0, count: Int(count))
    }
    self.init(
      name: escape(Array(name.utf8)), user: user, groups: Set(groups.prefix(Int(count))))
  }

  /// Whether permission bits do not apply. User 0 is assumed to have CAP_DAC_OVERRIDE.
  var isRoot: Bool { user == 0 }

  /// The three bits that apply to this user: the owner's, or else the group's, or else the others'.
  private func bits(_ folder: Ownership) -> UInt32 {
    if folder.owner == user { return folder.mode >> 6 & 7 }
    if groups.contains(folder.group) { return folder.mode >> 3 & 7 }
    return folder.mode & 7
  }

  /// What prevents deleting in a folder; nil when nothing does.
  func denial(in folder: Ownership) -> Denial.Reason? {
    if isRoot { return nil }
    let bits = self.bits(folder)
    if bits & 1 == 0 { return .enter }
    if bits & 4 == 0 { return .list }
    return bits & 2 == 0 ? .write : nil
  }

  /// Whether only the owners of the file and of its folder may delete it, and this user is neither.
  func isBarred(from file: Ownership, in folder: Ownership) -> Bool {
    !isRoot && folder.isSticky && folder.owner != user && file.owner != user
  }

  /// The first folder on the way to a path that the user may not enter; nil when there is none, or when it is
  /// unknown.
  package func barrier(onTheWayTo path: FilePath) -> (folder: FilePath, Denial)? {
    guard !isSelf, !isRoot, path.isAbsolute else { return nil }
    var way = path
    var above: [FilePath] = []
    while way.removeLastComponent() { above.append(way) }
    for folder in above.reversed() {
      guard let ownership = try? Ownership(of: folder), bits(ownership) & 1 == 0 else { continue }
      return (folder, Denial(.enter, self, ownership))
    }
    return nil
  }
}

extension Denial {
  init(_ reason: Reason, _ actor: Actor, _ ownership: Ownership, pages: Int = 0) {
    self.init(
      reason: reason, user: actor.name, owner: ownership.owner, group: ownership.group,
      mode: ownership.mode & 0o7777, pages: pages)
  }
}

extension Directory {
  /// What prevents a user from deleting in this folder.
  func denial(of actor: Actor, _ ownership: Ownership) -> Denial.Reason? {
    guard actor.isSelf else { return actor.denial(in: ownership) }
    if actor.isRoot { return nil }
    do throws(Errno) {
      try checkAccess()
      return nil
    } catch {
      // When the permission bits do not explain it, an access control list does.
      return error == .readOnlyFileSystem ? .readOnlyMount : actor.denial(in: ownership) ?? .write
    }
  }
}
