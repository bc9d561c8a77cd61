import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { until } from "./virtualTime.ts"

const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path))

/** Why systemd cannot be played here; printed by the tests that skip. */
export const notifyMissing =
  python === undefined
    ? "no python3, which has the datagram sockets that Node has not"
    : !existsSync("/usr/bin/systemd-notify") && "no systemd-notify"

/** As systemd does: datagram by datagram; what it is handed besides is let go, which ends the sender's wait. */
const receiver = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("[]", flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 65536, 4)
    for fd in fds: os.close(fd)
    print(json.dumps(data.decode().split("\\n")), flush=True)
`

/** Listens on a unix datagram socket while the scope lives; gives what has been told, field by field. */
export const notifySocket = Effect.fnUntraced(function* (path: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(python ?? "", ["-c", receiver, path], { stdio: ["ignore", "pipe", "inherit"] })),
    (running) => Effect.sync(() => running.kill("SIGKILL"))
  )
  let said = ""
  child.stdout.on("data", (text) => (said += String(text)))
  yield* until(() => said.includes("\n"))
  return (): ReadonlyArray<string> =>
    said
      .slice(0, said.lastIndexOf("\n"))
      .split("\n")
      .flatMap((line) => JSON.parse(line) as ReadonlyArray<string>)
      .filter((field) => field !== "" && field !== "BARRIER=1")
})
