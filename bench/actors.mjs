// What supervision costs: `npm run build && node --expose-gc bench/actors.mjs [messages]`.
//  1. A mailbox with a supervised handler, beside a bare Queue with a takeBetween loop, over the same messages: five rounds,
//     the two in turn, batches of at most 100.
//  2. Throughput and latency of 31 shards while one more dies on every message, beside the same with 32 that are well.
//  3. Heap and time of 10,000 actors that wait at their mailboxes.
import { Effect, Fiber, Layer, Logger, Queue } from "effect"
import { Mailbox } from "../dist/actor/Mailbox.js"
import { patient } from "../dist/actor/RestartPolicy.js"
import { Supervisor } from "../dist/actor/Supervisor.js"

const messages = Number(process.argv[2] ?? 1_000_000)
const rounds = 5
const capacity = 1_024
const batch_max = 100
const idleActors = 10_000

const seconds = (effect) =>
  Effect.gen(function* () {
    globalThis.gc?.()
    const began = performance.now()
    yield* effect
    return (performance.now() - began) / 1_000
  })

const tally = () => {
  let sum = 0
  return { add: (batch) => batch.forEach((message) => (sum += message)), sum: () => sum }
}
const expected = (messages * (messages - 1)) / 2
const isWhole = (counted) =>
  counted.sum() === expected ? Effect.void : Effect.die(new Error(`the sum is ${counted.sum()}, not ${expected}`))

const bare = Effect.gen(function* () {
  const counted = tally()
  const queue = yield* Queue.bounded(capacity)
  const consumer = yield* Effect.forkChild(
    Effect.gen(function* () {
      let left = messages
      while (left > 0) {
        const batch = yield* Queue.takeBetween(queue, 1, batch_max)
        counted.add(batch)
        left -= batch.length
      }
    })
  )
  for (let message = 0; message < messages; message++) yield* Queue.offer(queue, message)
  yield* Fiber.join(consumer)
  yield* isWhole(counted)
})

const supervised = Effect.gen(function* () {
  const counted = tally()
  const supervisor = yield* Supervisor
  const mailbox = yield* Mailbox.make({ actor: "bench", capacity })
  const run = mailbox.consume({
    handle: (batch) => Effect.sync(() => counted.add(batch)),
    onPoison: () => Effect.void,
    batch_max
  })
  yield* supervisor.start({ name: "bench", kind: "transient", policy: patient, mailbox, run })
  for (let message = 0; message < messages; message++) yield* mailbox.offer(message)
  yield* mailbox.end
  yield* supervisor.ended("bench")
  yield* isWhole(counted)
})

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const spread = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`

const overhead = Effect.gen(function* () {
  const took = { bare: [], supervised: [], ratio: [] }
  yield* bare
  yield* supervised
  for (let round = 0; round < rounds; round++) {
    const without = yield* seconds(bare)
    const withActor = yield* seconds(supervised)
    took.bare.push(without)
    took.supervised.push(withActor)
    took.ratio.push(withActor / without)
  }
  console.log(`${messages} messages, batches of at most ${batch_max}, median of ${rounds} (least–most)`)
  console.log(`bare Queue + takeBetween      ${median(took.bare).toFixed(2)} s (${spread(took.bare)})`)
  console.log(`mailbox + supervised handler  ${median(took.supervised).toFixed(2)} s (${spread(took.supervised)})`)
  console.log(`ratio                         ${median(took.ratio).toFixed(2)} (${spread(took.ratio)}), at most 1.3`)
})

const shards = 32
const chunks = Math.ceil(messages / 100 / shards)
/** Lines parsed for one message: about what a shard does for a chunk of ticks. */
const line = JSON.stringify({
  symbol: "005930",
  price: 70_000,
  volume: 12,
  cumVolume: 1_234_567,
  fields: "^".repeat(46)
})
const workOf = () => {
  let sum = 0
  for (let tick = 0; tick < 30; tick++) sum += JSON.parse(line).price
  return sum
}

/** Sends the same chunks to every shard; gives seconds until all that are well have handled theirs, and their p99. */
const shardDay = (isSick) =>
  Effect.scoped(
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const latencies_ms = []
      const senders = []
      const began = performance.now()
      for (let index = 0; index < shards; index++) {
        const isWell = !isSick || index > 0
        const mailbox = yield* Mailbox.make({ actor: `${isSick}/${index}`, capacity: 128 })
        const handle = ([sentAt]) =>
          isWell
            ? Effect.sync(() => {
                workOf()
                latencies_ms.push(performance.now() - sentAt)
              })
            : Effect.die(new Error("it dies on every message"))
        const run = mailbox.consume({ handle, onPoison: () => Effect.void })
        yield* supervisor.start({ name: mailbox.actor, kind: "transient", policy: patient, mailbox, run })
        const send = Effect.gen(function* () {
          for (let chunk = 0; chunk < chunks; chunk++) {
            yield* mailbox.offer(performance.now())
            if (chunk % 8 === 7) yield* Effect.yieldNow
          }
          yield* mailbox.end
          yield* supervisor.ended(mailbox.actor)
        })
        const sender = yield* Effect.forkScoped(send)
        if (index > 0) senders.push(sender)
      }
      for (const sender of senders) yield* Fiber.join(sender)
      const took = (performance.now() - began) / 1_000
      if (isSick) yield* supervisor.stop(`${isSick}/0`)
      if (latencies_ms.length !== chunks * (isSick ? shards - 1 : shards)) return yield* Effect.die(new Error("lost"))
      const p99_ms = latencies_ms.sort((a, b) => a - b)[Math.floor(latencies_ms.length * 0.99)]
      return { perSecond: latencies_ms.length / took, p99_ms }
    })
  )

const isolation = Effect.gen(function* () {
  const ratios = { perSecond: [], p99_ms: [] }
  yield* shardDay(false)
  for (let round = 0; round < rounds; round++) {
    const well = yield* shardDay(false)
    const ill = yield* shardDay(true)
    ratios.perSecond.push(ill.perSecond / well.perSecond)
    ratios.p99_ms.push(ill.p99_ms / well.p99_ms)
  }
  const shown = (values) => `${median(values).toFixed(2)} (${spread(values)})`
  console.log(
    `one of ${shards} shards dies on every message; the others, beside a run without it, ${chunks} chunks each`
  )
  console.log(`  throughput                  ${shown(ratios.perSecond)}, at least 0.95`)
  console.log(`  p99 of their latency        ${shown(ratios.p99_ms)}, at most 1.05`)
})

const idle = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  globalThis.gc?.()
  const heapBefore = process.memoryUsage().heapUsed
  const rssBefore = process.memoryUsage().rss
  const names = Array.from({ length: idleActors }, (_, at) => `idle/${at}`)
  const started = yield* seconds(
    Effect.forEach(
      names,
      (name) =>
        Effect.gen(function* () {
          const mailbox = yield* Mailbox.make({ actor: name, capacity: 16 })
          const run = mailbox.consume({ handle: () => Effect.void, onPoison: () => Effect.void })
          yield* supervisor.start({ name, kind: "transient", policy: patient, mailbox, run, drain: mailbox.end })
        }),
      { discard: true }
    ).pipe(Effect.andThen(Effect.yieldNow))
  )
  globalThis.gc?.()
  const heap_mb = (process.memoryUsage().heapUsed - heapBefore) / 1e6
  const rss_mb = (process.memoryUsage().rss - rssBefore) / 1e6
  const late = []
  const stopped = yield* seconds(
    Effect.tap(supervisor.shutdown({ order: [], deadline_ms: 10_000 }), (names) =>
      Effect.sync(() => late.push(...names))
    )
  )
  if (late.length > 0) return yield* Effect.die(new Error(`${late.length} actors did not end`))
  console.log(
    `${idleActors} idle actors            heap ${heap_mb.toFixed(1)} MB, RSS ${rss_mb.toFixed(1)} MB, at most 100`
  )
  console.log(`  started in ${started.toFixed(2)} s, ended in ${stopped.toFixed(2)} s, together at most 2`)
})

const run = (program) =>
  Effect.runPromise(Effect.scoped(Effect.provide(program, Layer.merge(Supervisor.layer, Logger.layer([])))))
await run(overhead)
await run(isolation)
await run(idle)
