// SPDX-License-Identifier: BSD-2-Clause
//
// A small application behind FastCGI: fcgiwrap, which runs a CGI script for each request, and the script asks the
// database with psql. It complains on standard error before it answers, as PHP does of what it does not like.

import Foundation

/// A running fcgiwrap. It ends with its last reference.
public final class FastCGIApplication: NginxUpstream {
  /// Whether fcgiwrap is installed on this machine.
  public static let isInstalled = findProgram("fcgiwrap") != nil

  private let folder: String
  private let daemon: Daemon

  /// - Parameter database: has a table `pages` with a `path` and a `version`.
  public init(_ database: TestDatabase) throws {
    guard let program = findProgram("fcgiwrap") else {
      throw SupportError("no fcgiwrap. Try: apt-get install fcgiwrap")
    }
    folder = try Scratch.makeFolder("fcgi")
    let script = folder + "/page"
    try Self.script(psql: try PostgresPrograms.found.get().path("psql"), database.dsn)
      .write(toFile: script, atomically: true, encoding: .utf8)
    guard chmod(script, 0o755) == 0 else { throw SupportError.system("chmod", script) }
    try Account.unprivileged.take(folder)
    var command = Command(program, ["-f", "-s", "unix:\(folder)/app.sock"])
    command.account = .unprivileged
    daemon = try Daemon(command)
    let (socket, daemon) = (folder + "/app.sock", self.daemon)
    try eventually("fcgiwrap listens", details: "\(daemon)") { access(socket, F_OK) == 0 }
  }

  /// A page that is not in the table is a 404, and one below /old/ is a redirect without a status of its own.
  private static func script(psql: String, _ dsn: String) -> String {
    """
    #!/bin/sh
    printf 'warning: no line end' >&2
    case $REQUEST_URI in
      /old/*)
        printf 'Location: /new\\r\\n\\r\\n'
        exit ;;
    esac
    version=$(echo "SELECT version FROM pages WHERE path = :'path'" |
      '\(psql)' -XAtq -v path="$REQUEST_URI" -d '\(dsn)')
    if [ -z "$version" ]; then
      printf 'Status: 404 Not Found\\r\\nContent-Type: text/plain\\r\\n\\r\\nno such page\\n'
    else
      printf 'Content-Type: text/plain\\r\\n\\r\\nversion %s\\n' "$version"
    fi

    """
  }

  public var module: String { "fastcgi" }

  public var pass: String {
    """
    fastcgi_pass unix:\(folder)/app.sock;
    fastcgi_param SCRIPT_FILENAME \(folder)/page;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param REQUEST_URI $request_uri;
    """
  }
}
