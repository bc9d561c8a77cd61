import { Data, Effect } from "effect"
import { execFile } from "node:child_process"

/** What systemd asks of a service that it starts. */
export interface NotifyAddress {
  readonly socket: string
  /** Absent where no watchdog is set, or where it is another process's. */
  readonly watchdog_seconds: number | undefined
}

/** The words did not reach systemd. */
export class NotifyFailed extends Data.TaggedError("NotifyFailed")<{ readonly detail: string }> {
  override get message() {
    return `systemd-notify: ${this.detail}; the unit needs NotifyAccess=all and the program systemd-notify`
  }
}

/** By then systemd has taken what was said, or has other troubles than ours. */
const timeout_ms = 2_000

/** Where to tell systemd, from the environment that it gives; `undefined` where it has not started this process. */
export const notifyAddressOf = (
  env: Readonly<Record<string, string | undefined>>,
  pid: number
): NotifyAddress | undefined => {
  const socket = env["NOTIFY_SOCKET"]
  if (socket === undefined || socket === "") return undefined
  const watchdog_us = Number(env["WATCHDOG_USEC"])
  const isOurs = (env["WATCHDOG_PID"] ?? String(pid)) === String(pid)
  return { socket, watchdog_seconds: isOurs && watchdog_us > 0 ? watchdog_us / 1_000_000 : undefined }
}

/**
 * Tells systemd by `systemd-notify`, which is wherever systemd is. Node has no datagram sockets of the unix kind, and the
 * packages that bring them are compiled at their installation; a process of some milliseconds four times a minute costs
 * less than a compiler on every server. It is not the unit's main process, so the unit says `NotifyAccess=all`. It gets
 * the socket's name and nothing else of our environment: no secret is in there.
 */
export const notifySystemd =
  (socket: string) =>
  (fields: ReadonlyArray<string>): Effect.Effect<void, NotifyFailed> =>
    Effect.callback((resume) => {
      const options = { env: { NOTIFY_SOCKET: socket }, timeout: timeout_ms, killSignal: "SIGKILL" } as const
      const child = execFile("systemd-notify", [...fields], options, (error, _stdout, stderr) => {
        resume(error === null ? Effect.void : Effect.fail(new NotifyFailed({ detail: stderr.trim() || error.message })))
      })
      return Effect.sync(() => void child.kill("SIGKILL"))
    })
