import {
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler
} from "@opentelemetry/sdk-trace-base"

/** Begin traces many times a second while the market is open. */
const frequent = new Set(["sweep.ask", "kis.call", "stream.frames", "journal.append", "sql.batch"])

const isFrequent = (name: string): boolean => frequent.has(name) || name.endsWith(" handles")

/** Keeps a share of the traces that begin all the time, and every one of the others: a seal, a replay, a backup. */
export const frequentSampler = (share: number): Sampler => {
  const some = new TraceIdRatioBasedSampler(share)
  const all = new AlwaysOnSampler()
  return new ParentBasedSampler({
    root: {
      shouldSample: (context, traceId, name) =>
        isFrequent(name) ? some.shouldSample(context, traceId) : all.shouldSample(),
      toString: () => `Frequent{${share}}`
    }
  })
}
