import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { gapCauses } from "../../src/domain/Gap.ts"
import { recordSources } from "../../src/domain/JournalRecord.ts"
import { rejectReasons } from "../../src/domain/Reject.ts"
import { beginRefusals } from "../../src/http/refusals.ts"
import { Conservation } from "../../src/journal/Conservation.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { beginDeliveries } from "../../src/ops/alerts/deliveryMeter.ts"
import { Shards } from "../../src/shard/Shards.ts"
import { node } from "../journal/fixtures.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"

const series = Effect.map(Metric.snapshot, (all) =>
  all.flatMap(({ attributes, id, state }) =>
    id.endsWith("_total")
      ? [`${id} ${Object.values(attributes ?? {}).join(" ")} ${(state as { readonly count: number }).count}`]
      : []
  )
)

describe("counters with a closed list of labels", () => {
  it.effect("are there with 0 from the start, so that the first event is seen as one more", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk("/data")
      const journal = Journal.layer({ dataDir: disk.root, node, segment_bytes: 1 << 20, fsync_ms: 3_600_000 })
      const layer = Shards.layer({ count: 2, heartbeat_ms: 300_000 }).pipe(
        Layer.provide(Layer.mergeAll(journal, Supervisor.layer, MarketSession.layer("calendar"), Conservation.layer)),
        Layer.provide(disk.layer)
      )
      yield* Layer.build(Layer.fresh(layer))
      yield* beginRefusals
      yield* beginDeliveries("slack")
      const lost = ["lost_trades", "lost_shares", "found_trades", "found_shares"]
      const wanted = [
        ...gapCauses.flatMap((cause) =>
          ["gaps", "gaps_repaired", "gap_seconds"].map((what) => `${what}_total ${cause}`)
        ),
        ...recordSources.flatMap((source) => rejectReasons.map((reason) => `rejects_total ${source} ${reason}`)),
        ...["overflow", "drained", "interrupted"].map((reason) => `records_dropped_total ${reason}`),
        ...lost.map((what) => `${what}_total `),
        ...["noToken", "wrongToken", "tooManyWrongTokens", "foreign", "url", "headers"].map(
          (reason) => `http_refusals_total ${reason}`
        ),
        ...["sent", "retried", "failed", "dropped"].map((result) => `alert_deliveries_total slack ${result}`)
      ]
      assert.deepStrictEqual((yield* series).toSorted(), wanted.map((name) => `observer_${name} 0`).toSorted())
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
