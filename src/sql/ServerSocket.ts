import { Redacted } from "effect"
import { connect, type Socket } from "node:net"

const targetOf = (url: string) => {
  const { hostname, port, searchParams } = new URL(url)
  const host = searchParams.get("host") ?? (decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1") || "localhost")
  const at = Number(searchParams.get("port") ?? port) || 5432
  return host.startsWith("/") ? { path: `${host}/.s.PGSQL.${at}` } : { host, port: at, noDelay: true }
}

/**
 * A connection to the server of a URL that closes when not a byte has passed for `silence_ms`. A server that takes a
 * question and never answers would otherwise hold its asker for ever: the client's BEGIN and SAVEPOINT cannot be
 * interrupted, and a stopped process keeps acknowledging TCP.
 */
export const openSocket = (url: Redacted.Redacted, silence_ms: number): Socket => {
  const socket = connect(targetOf(Redacted.value(url)))
  socket.setTimeout(silence_ms, () => socket.destroy())
  return socket
}
