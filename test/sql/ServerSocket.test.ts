import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { openSocket } from "../../src/sql/ServerSocket.ts"
import { tempFolder } from "./fixtures.ts"

const listening = (server: Server, where: object) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      server.listen(where, () => resume(Effect.succeed(server)))
    }),
    () => Effect.sync(() => void server.close())
  )

const portOf = (server: Server) => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

const closed = (socket: Socket) =>
  Effect.callback<void>((resume) => void socket.once("close", () => resume(Effect.void)))

const connected = (url: string) =>
  Effect.gen(function* () {
    const socket = openSocket(Redacted.make(url), 60_000)
    yield* Effect.callback<void, Error>((resume) => {
      socket.once("connect", () => resume(Effect.void))
      socket.once("error", (cause) => resume(Effect.fail(cause)))
    })
    socket.destroy()
  })

describe("the socket to a server", () => {
  it.live("closes when the server takes what it is sent and never answers", () =>
    Effect.gen(function* () {
      const server = yield* listening(
        createServer((socket) => socket.resume()),
        { port: 0, host: "127.0.0.1" }
      )
      const socket = openSocket(Redacted.make(`postgres://u@127.0.0.1:${portOf(server)}/db`), 50)
      socket.write("BEGIN")
      yield* closed(socket)
      assert.isTrue(socket.destroyed)
    })
  )

  it.live("goes where the URL says, in each of the ways libpq knows", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const port = portOf(yield* listening(createServer(), { port: 0, host: "127.0.0.1" }))
      yield* listening(createServer(), { path: join(folder, ".s.PGSQL.5433") })
      yield* connected(`postgres://user:p%40ss@127.0.0.1:${port}/db?sslmode=disable`)
      yield* connected(`postgresql://user@nowhere.invalid/db?host=127.0.0.1&port=${port}`)
      yield* connected(`postgres:///db?host=${encodeURIComponent(folder)}&port=5433`)
      yield* connected(`postgres://${encodeURIComponent(folder)}:5433/db`)
    })
  )
})
