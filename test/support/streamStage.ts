import { Context, Effect, Layer, Queue, type Scope } from "effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocket } from "ws"
import { Counters, type Counts } from "../../src/simulator/Counters.ts"
import { mintApprovalKey } from "../../src/simulator/desk/approvalKey.ts"
import { exchangeOptions, type ExchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import { StreamApi } from "../../src/simulator/StreamApi.ts"
import { FrameTap } from "../../src/simulator/stream/FrameTap.ts"
import { defaultStreamOptions, StreamOptions } from "../../src/simulator/stream/StreamOptions.ts"
import { TokenDesk } from "../../src/simulator/TokenDesk.ts"
import { type ScriptedMarket, scriptedMarket } from "./scriptedMarket.ts"

export interface StageOptions {
  readonly exchange?: Partial<ExchangeOptions>
  readonly stream?: Partial<StreamOptions>
  readonly tap?: FrameTap
}

/** A client on a real socket that takes every byte as it comes. */
export interface StageClient {
  readonly socket: WebSocket
  /** The next message, a character a byte. */
  readonly next: Effect.Effect<string>
  readonly closed: Effect.Effect<number>
  send(text: string): void
  /** Sends a registration and gives the answer. */
  ask(trId: string, trKey: string, given?: { readonly trType?: string; readonly key?: string }): Effect.Effect<Ack>
  /** Passes once everything sent before was heard by the exchange. */
  readonly heard: Effect.Effect<void>
  /** Everything that came and was not taken, without waiting. */
  readonly rest: Effect.Effect<ReadonlyArray<string>>
}

export interface Ack {
  readonly header: { readonly tr_id: string; readonly tr_key: string; readonly encrypt: string }
  readonly body: {
    readonly rt_cd: string
    readonly msg_cd: string
    readonly msg1: string
    readonly output?: { readonly iv: string; readonly key: string }
  }
}

export interface Stage {
  readonly market: ScriptedMarket
  readonly counters: Counts
  readonly stream: Context.Service.Shape<typeof StreamApi>
  connect(appKey?: string): Effect.Effect<StageClient, never, Scope.Scope>
}

export const registrationOf = (key: string, trId: string, trKey: unknown, trType = "1"): string =>
  JSON.stringify({
    header: { approval_key: key, custtype: "P", tr_type: trType, "content-type": "utf-8" },
    body: { input: { tr_id: trId, tr_key: trKey } }
  })

/** Approval keys of the test clock's first second. */
export const approvalKey = (appKey: string): string => mintApprovalKey(appKey, 0)

const listening = (upgrade: Context.Service.Shape<typeof StreamApi>["upgrade"]) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; close(): void }>((resume) => {
      const lines = new Set<Duplex>()
      const server = createServer()
      server.on("upgrade", (request, line, head) => {
        lines.add(line)
        upgrade(request, line, head)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          for (const line of lines) line.destroy()
        }
        resume(Effect.succeed({ port, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ port }) => port))

/** The stream of an exchange over a scripted market, on a port of this machine. */
export const makeStage = Effect.fnUntraced(function* ({ exchange = {}, stream = {}, tap }: StageOptions = {}) {
  const market = scriptedMarket()
  const context = yield* Layer.build(
    StreamApi.layerOf(market).pipe(
      Layer.provide(TokenDesk.layer),
      Layer.provideMerge(Counters.layer),
      Layer.provide(Layer.succeed(Options, exchangeOptions(exchange))),
      Layer.provide(Layer.succeed(StreamOptions, { ...defaultStreamOptions, ...stream })),
      Layer.provide(tap === undefined ? Layer.empty : Layer.succeed(FrameTap, tap)),
      Layer.fresh
    )
  )
  const api = Context.get(context, StreamApi)
  const port = yield* listening(api.upgrade)

  const connect = Effect.fnUntraced(function* (appKey = "PSKEY"): Effect.fn.Return<StageClient, never, Scope.Scope> {
    const received = yield* Queue.bounded<string>(100_000)
    const closes = yield* Queue.bounded<number>(1)
    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket>((resume) => {
        const opening = new WebSocket(`ws://127.0.0.1:${port}/tryitout`, { autoPong: false, skipUTF8Validation: true })
        opening.on("message", (data) => Queue.offerUnsafe(received, (data as Buffer).toString("latin1")))
        opening.on("close", (code) => Queue.offerUnsafe(closes, code))
        opening.on("error", (error) => resume(Effect.die(error)))
        opening.on("open", () => resume(Effect.succeed(opening)))
      }),
      (opened) => Effect.sync(() => opened.terminate())
    )
    const next = Queue.take(received)
    const heard = Effect.promise(async (signal) => {
      socket.ping()
      await once(socket, "pong", { signal })
    })
    return {
      socket,
      next,
      closed: Queue.take(closes),
      send: (text) => socket.send(text),
      ask: (trId, trKey, { key = approvalKey(appKey), trType = "1" } = {}) =>
        Effect.suspend(() => {
          socket.send(registrationOf(key, trId, trKey, trType))
          return Effect.map(next, ackOf)
        }),
      heard,
      // What the exchange wrote before its pong has come before the pong.
      rest: Effect.andThen(heard, Queue.clear(received))
    }
  })
  const stage: Stage = { market, counters: Context.get(context, Counters), stream: api, connect }
  return stage
})

/** Messages of the exchange itself are UTF-8. */
export const ackOf = (text: string): Ack => JSON.parse(Buffer.from(text, "latin1").toString("utf8")) as Ack

export const codeOf = (text: string): string => ackOf(text).body.msg_cd

export interface DecodedFrame {
  readonly trId: string
  readonly count: number
  readonly columns: number
  readonly records: ReadonlyArray<ReadonlyArray<string>>
}

/** A plain data frame; throws when its values do not come out even. */
export const frameOf = (text: string): DecodedFrame => {
  const [kind = "", trId = "", digits = "", ...rest] = text.split("|")
  if (kind !== "0" || !/^\d{3}$/.test(digits) || rest.length !== 1)
    throw new Error(`no data frame: ${text.slice(0, 60)}`)
  const count = Number(digits)
  const values = (rest[0] ?? "").split("^")
  const columns = values.length / count
  if (!Number.isInteger(columns)) throw new Error(`${values.length} values in ${count} records`)
  const records = Array.from({ length: count }, (_, at) => values.slice(at * columns, (at + 1) * columns))
  return { trId, count, columns, records }
}

/** A value as its column has it: what remains when the digits are taken away. */
export const shapeOf = (value: string): string =>
  value === ""
    ? "blank"
    : /^-?\d+\.\d\d$/.test(value)
      ? "decimal"
      : /^-?\d+$/.test(value)
        ? "whole"
        : /^[0-9A-Z]{4,9}$/.test(value)
          ? "code"
          : value
