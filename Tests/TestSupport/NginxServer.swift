// SPDX-License-Identifier: BSD-2-Clause
//
// A real nginx with a cache, before an application of the tests. It has its own master and workers, runs under an
// ordinary account, and logs to standard error.

import Foundation

/// An application that nginx passes requests to.
public protocol NginxUpstream: Sendable {
  /// The beginning of the directives of nginx's module, such as `proxy`.
  var module: String { get }
  /// The directives that pass a request.
  var pass: String { get }
}

/// A running nginx. It ends with its last reference.
public final class NginxServer: Sendable {
  /// Whether nginx is installed on this machine.
  public static let isInstalled = findProgram("nginx") != nil
  /// The host of its pages.
  public static let host = "shop.example"

  /// The folder that contains the cache; nginx's own folder in it is `proxy`.
  public let tree: TemporaryTree
  private let application: any NginxUpstream
  private let folder: String
  private let daemon: Daemon

  /// Starts nginx and waits until it accepts connections.
  /// - Parameters:
  ///   - tree: the folder of its cache; nginx makes a folder `proxy` in it.
  ///   - cache: further parameters of proxy_cache_path, or of the other modules' directive.
  ///   - location: further directives of the only location.
  public init(
    _ tree: TemporaryTree, before application: any NginxUpstream, cache: String = "inactive=10m",
    location: String = ""
  ) throws {
    guard let program = findProgram("nginx") else {
      throw SupportError("no nginx. Try: apt-get install nginx")
    }
    self.tree = tree
    self.application = application
    folder = try Scratch.makeFolder("nginx")
    try Account.unprivileged.take(folder)
    try tree.give(to: .unprivileged)
    try Self.configuration(folder, tree, application, cache, location).write(
      toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    var command = Command(program, ["-e", "stderr", "-c", folder + "/nginx.conf", "-p", folder])
    command.account = .unprivileged
    daemon = try Daemon(command)
    let (socket, daemon) = (self.socket, self.daemon)
    try eventually(timeout: .seconds(20), "nginx takes connections", details: "\(daemon)") {
      _ = try unixGet("/", at: socket, host: Self.host)
      return true
    }
  }

  deinit { stop() }

  private static func configuration(
    _ folder: String, _ tree: TemporaryTree, _ application: any NginxUpstream, _ cache: String,
    _ location: String
  ) -> String {
    let module = application.module
    let temporary = ["client_body", "fastcgi", "uwsgi", "scgi", "proxy"].map {
      "\($0)_temp_path \(folder)/\($0);"
    }
    return """
      daemon off;
      worker_processes 2;
      pid \(folder)/nginx.pid;
      error_log stderr notice;
      events { worker_connections 512; }
      http {
        access_log off;
        \(temporary.joined(separator: "\n  "))
        \(module)_cache_path \(tree.path)/proxy levels=1:2 keys_zone=pages:10m use_temp_path=off \(cache);
        server {
          listen unix:\(folder)/http.sock;
          location / {
            \(application.pass)
            \(module)_cache pages;
            \(module)_cache_key https://$host$request_uri;
            \(module)_cache_valid 200 302 404 1h;
            add_header X-Cache $upstream_cache_status always;
            \(location)
          }
        }
      }

      """
  }

  public var socket: String { folder + "/http.sock" }

  /// Requests a page from it.
  public func get(_ path: String, headers: [String: String] = [:]) throws -> HTTPResponse {
    try unixGet(path, at: socket, host: Self.host, headers: headers)
  }

  /// The key of a page.
  public static func key(_ path: String) -> String { "https://\(host)\(path)" }

  /// The lines of its log that contain a word, such as `[crit]`.
  public func log(_ word: String) -> [String] { daemon.lines.filter { $0.contains(word) } }

  /// Kills one of its workers. The master replaces it.
  public func killWorker() {
    let master = daemon.pid
    let text = try? String(
      contentsOfFile: "/proc/\(master)/task/\(master)/children", encoding: .utf8)
    let children = (text ?? "").split(separator: " ").compactMap { pid_t($0) }
    let worker = children.first { pid in
      let line = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
      return line?.hasPrefix("nginx: worker") == true
    }
    if let worker { kill(worker, SIGKILL) }
  }

  /// Makes it reload with new workers, as after a change of its configuration.
  public func reload() { daemon.terminate(SIGHUP) }

  /// Stops it in order. If only the master were killed, its workers would stay.
  public func stop() {
    daemon.terminate(SIGTERM)
    _ = try? daemon.waitForExit(timeout: .seconds(10))
  }
}
